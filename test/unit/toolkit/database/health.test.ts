import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { healthOf } from '../../../../toolkit/database/health';
import { recommend } from '../../../../toolkit/database/recommendations';
import { type Recent, RecentWindow } from '../../../../toolkit/database/window';

const quiet: Recent = {
  ms: 60_000,
  queries: 1000,
  errors: 0,
  timeouts: 0,
  slow: 0,
  acquired: 1000,
  waitMs: 1000,
  acquireTimeouts: 0,
  connectFailures: 0,
  inUseMs: 60_000 * 2,
};

test('a database in good health has a score of 100, and nothing is deducted', () => {
  assert.deepEqual(healthOf(quiet, 10, 0), { score: 100, deductions: [], recent: quiet });
});

for (const [problem, points, recent, leaked = 0] of [
  ['pool_saturated', 10, { inUseMs: 60_000 * 7.5 }],
  ['pool_saturated', 20, { inUseMs: 60_000 * 9.5 }],
  ['slow_acquisition', 5, { waitMs: 50_000 }],
  ['slow_acquisition', 15, { waitMs: 150_000 }],
  ['acquire_timeouts', 20, { acquireTimeouts: 1 }],
  ['connect_failures', 25, { connectFailures: 3 }],
  ['error_rate', 10, { errors: 20 }],
  ['error_rate', 25, { errors: 60 }],
  ['slow_queries', 5, { slow: 20 }],
  ['slow_queries', 15, { slow: 200 }],
  ['connections_leaked', 15, {}, 1],
] as const) {
  test(`${problem} takes ${points} points off, and says by what`, () => {
    const { score, deductions } = healthOf({ ...quiet, ...recent }, 10, leaked);
    assert.equal(score, 100 - points);
    assert.equal(deductions.length, 1);
    assert.equal(deductions[0]!.problem, problem);
    assert.equal(deductions[0]!.points, points);
    assert.ok(deductions[0]!.measured > deductions[0]!.allowed);
  });
}

test('a few queries say nothing of a rate, and all that can be wrong together leaves no less than nothing', () => {
  assert.equal(healthOf({ ...quiet, queries: 19, errors: 19, slow: 19 }, 10, 0).score, 100);
  assert.equal(healthOf({ ...quiet, acquired: 19, waitMs: 19_000 }, 10, 0).score, 100);
  assert.equal(healthOf({ ...quiet, acquired: 20, waitMs: 20_000 }, 10, 0).score, 85);
  const worst = {
    ...quiet,
    errors: 900,
    slow: 900,
    waitMs: 1e9,
    acquireTimeouts: 9,
    connectFailures: 9,
    inUseMs: 6e5,
  };
  assert.equal(healthOf(worst, 10, 3).score, 0);
});

test('the window has what happened within it, and the time that connections were in use to the millisecond', () => {
  const steps = fc.array(
    fc.record({ wait: fc.integer({ min: 0, max: 150 }), inUse: fc.integer({ min: 0, max: 5 }) }),
    { minLength: 1, maxLength: 60 },
  );
  fc.assert(
    fc.property(steps, fc.integer({ min: 0, max: 2000 }), (all, silence) => {
      let now = 500;
      const window = new RecentWindow(600, () => now);
      const events: number[] = [];
      const use: { from: number; to: number; inUse: number }[] = [];
      let inUse = 0;
      const pass = (ms: number): void => {
        use.push({ from: now, to: now + ms, inUse });
        now += ms;
      };
      for (const step of all) {
        pass(step.wait);
        window.setInUse(step.inUse, now);
        window.now.queries++;
        events.push(now);
        inUse = step.inUse;
      }
      pass(silence);
      const recent = window.read();
      const from = now - recent.ms;
      assert.ok(recent.ms >= Math.min(600, now - 500) && recent.ms < 700, String(recent.ms));
      assert.equal(recent.queries, events.filter(at => at >= from).length);
      const expected = use.reduce(
        (sum, one) => sum + one.inUse * Math.max(0, one.to - Math.max(one.from, from)),
        0,
      );
      assert.ok(Math.abs(recent.inUseMs - expected) < 1e-6, `${recent.inUseMs} and not ${expected}`);
    }),
    { numRuns: 300 },
  );
});

const connections = {
  open: 4,
  inUse: 2,
  idle: 2,
  max: 10,
  opened: 4,
  openFailures: 0,
  closed: { idle: 0, lifetime: 0, broken: 0, shutdown: 0 },
  requested: 10,
  acquired: 10,
  released: 8,
  waiting: 0,
  acquireTimeouts: 0,
  acquireFailures: 0,
  waitCount: 0,
  waitDurationMs: 0,
  meanConnectMs: 1,
  leaks: 0,
  mostInUse: 6,
  waitTime: { bounds: [], counts: [0], count: 0, sum: 0 },
};
const nothing = {
  name: 'shop',
  health: healthOf(quiet, 10, 0),
  connections,
  slow: [],
  patterns: [],
  leaks: [],
  missingIndexes: [],
  ageMs: 3_600_000,
  nowMs: 10_000_000,
};
const codes = (seen: Partial<typeof nothing>): string[] =>
  recommend({ ...nothing, ...seen }).map(({ code }) => code);

test('where nothing is wrong nothing is recommended', () => {
  assert.deepEqual(recommend(nothing), []);
});

test('a pool is too small when it is in use and callers wait, and not for one of the two', () => {
  const busy = { inUseMs: 60_000 * 9 };
  const health = (recent: Partial<Recent>) => healthOf({ ...quiet, ...recent }, 10, 0);
  assert.deepEqual(codes({ health: health({ ...busy, waitMs: 50_000 }) }), ['pool_too_small']);
  assert.deepEqual(codes({ health: health({ ...busy, acquireTimeouts: 1 }) }), ['pool_too_small']);
  assert.deepEqual(codes({ health: health(busy) }), []);
  assert.deepEqual(codes({ health: health({ waitMs: 50_000 }) }), []);
});

test('a pool is too large when less than a third of it was ever used, and that for ten minutes', () => {
  const seen = { connections: { ...connections, mostInUse: 2 } };
  const [found] = recommend({ ...nothing, ...seen });
  assert.equal(found?.code, 'pool_too_large');
  assert.match(found.advice, /pool\.max to 3:/);
  assert.deepEqual(codes({ ...seen, ageMs: 599_000 }), []);
  assert.deepEqual(codes({ connections: { ...connections, opened: 0, mostInUse: 0 } }), []);
});

test('what was not seen for ten minutes is recommended no more', () => {
  const slow = {
    query: 'select ?',
    count: 9,
    errors: 0,
    timeouts: 0,
    slow: 1,
    totalMs: 9,
    meanMs: 1,
    minMs: 1,
    maxMs: 2000,
    p95Ms: 1,
    lastMs: nothing.nowMs,
    lastSlowMs: nothing.nowMs - 1,
  };
  const pattern = {
    route: 'GET /',
    query: 'select ?',
    after: undefined,
    runs: 1,
    mostRepeats: 10,
    lastMs: nothing.nowMs - 1,
  };
  const leak = { heldMs: 30_000, stack: 'at f', foundMs: nothing.nowMs - 1 };
  const seen = { slow: [slow] as never, patterns: [pattern] as never, leaks: [leak] as never };
  assert.deepEqual(codes(seen), ['connection_leak', 'n_plus_one', 'slow_query']);
  assert.deepEqual(codes({ ...seen, nowMs: nothing.nowMs + 600_000 }), []);
});

test('errors are worth a word from one in a hundred on', () => {
  assert.deepEqual(codes({ health: healthOf({ ...quiet, errors: 10 }, 10, 0) }), []);
  assert.deepEqual(codes({ health: healthOf({ ...quiet, errors: 11 }, 10, 0) }), ['error_rate']);
});
