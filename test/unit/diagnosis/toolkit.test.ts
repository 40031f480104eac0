import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { loadConfig } from '../../../instrumentation/config/load';
import { type Finding, startDiagnosis } from '../../../instrumentation/diagnosis';
import { createLog } from '../../../instrumentation/log';
import type { GaugeCell } from '../../../instrumentation/metrics/cells';
import { MetricRegistry } from '../../../instrumentation/metrics/registry';
import { Mutex } from '../../../toolkit/lock';
import { ConnectionPool, ObjectPool } from '../../../toolkit/object-pool';

function setUp(env: Record<string, string> = {}, onFinding?: (finding: Finding) => void) {
  const lines: string[] = [];
  const ticks: (() => void)[] = [];
  const registry = new MetricRegistry(2000, error => assert.fail(String(error)));
  const log = createLog('warn', line => lines.push(line));
  const found = [] as Finding[];
  const diagnosis = startDiagnosis(
    {
      registry,
      log,
      config: loadConfig(env).config,
      onTick(tick) {
        ticks.push(tick);
        return () => ticks.splice(ticks.indexOf(tick), 1);
      },
    },
    onFinding ?? (finding => found.push(finding)),
  );
  const series = (): Record<string, number | undefined> =>
    Object.fromEntries(
      [...registry.read()]
        .filter(({ metric }) => metric.name === 'vitals.findings')
        .flatMap(instrument => [...instrument.cells()])
        .map(cell => [String(cell.attributes['finding.code']), (cell as GaugeCell).value]),
    );
  const look = (times: number): void => {
    for (let i = 0; i < times; i++) for (const tick of ticks) tick();
  };
  return { diagnosis, found, lines, log, series, look, ticks };
}

test('an object that is never given back is a finding with the stack that took it', async t => {
  const { diagnosis, found, lines, series, look } = setUp();
  t.after(() => diagnosis.stop());
  const pool = new ObjectPool({
    name: 'images',
    create: () => ({}),
    leakDetection: { afterMs: 5, sampleEvery: 1 },
  });
  t.after(() => pool.close());
  function takesAndForgets(): object {
    return pool.acquire();
  }
  const kept = takesAndForgets();
  while (found.length === 0) await delay(5);
  assert.equal(found[0]!.code, 'pool_leak');
  assert.equal(found[0]!.subject, 'images');
  assert.match(String(found[0]!.evidence['stack']), /takesAndForgets/);
  assert.ok(Number(found[0]!.evidence['held_ms']) >= 5);
  assert.match(
    lines[0]!,
    /^otel-vitals info: finding pool_leak: images has an object .*runbooks\/pool-leak\.md\n$/,
  );
  assert.equal(lines.length, 1);
  assert.deepEqual(series(), { pool_leak: 1 });
  pool.release(kept);
  look(61);
  assert.deepEqual(series(), { pool_leak: 0 });
  assert.equal(diagnosis.findings().resolved[0]!.code, 'pool_leak');
});

test('a lock that is held for too long is a finding', async t => {
  const { diagnosis, found } = setUp();
  t.after(() => diagnosis.stop());
  const mutex = new Mutex({ name: 'ledger', holdWatch: { afterMs: 5, sampleEvery: 1 } });
  const held = await mutex.lock();
  while (found.length === 0) await delay(5);
  held.release();
  assert.deepEqual([found[0]!.code, found[0]!.subject], ['lock_held', 'ledger']);
});

test('ten callers behind a lock for half a minute are a convoy, nine are none', async t => {
  const { diagnosis, found, look } = setUp();
  t.after(() => diagnosis.stop());
  const mutex = new Mutex({ name: 'stock' });
  const held = await mutex.lock();
  const waiting = Array.from({ length: 9 }, () => mutex.lock());
  look(5);
  assert.equal(found.length, 0);
  waiting.push(mutex.lock());
  look(3);
  assert.deepEqual(
    [found[0]!.code, found[0]!.subject, found[0]!.evidence],
    ['lock_convoy', 'stock', { waiters: 10 }],
  );
  held.release();
  for (const next of waiting) (await next).release();
});

test('a pool with all in use is exhausted while callers wait or are turned away, and not before', async t => {
  const { diagnosis, found, look } = setUp();
  t.after(() => diagnosis.stop());
  const connections = new ConnectionPool<object>({
    name: 'db',
    create: () => ({}),
    maxActive: 1,
    acquireTimeoutMs: 60_000,
  });
  const first = await connections.acquire();
  look(5);
  assert.equal(found.length, 0, 'busy, and nobody waits');
  const second = connections.acquire();
  look(3);
  assert.deepEqual(
    found.map(({ subject, evidence }) => [subject, evidence]),
    [['db', { used: 1, limit: 1, pending: 1, turned_away: 0 }]],
  );
  connections.release(first);
  connections.release(await second);
  await connections.close();

  const objects = new ObjectPool({ name: 'parsers', create: () => ({}), max: 1 });
  t.after(() => objects.close());
  const only = objects.acquire();
  look(1);
  for (let i = 0; i < 3; i++) {
    assert.throws(() => objects.acquire());
    look(1);
  }
  objects.release(only);
  assert.deepEqual(
    [found[1]!.code, found[1]!.subject, found[1]!.evidence['turned_away']],
    ['pool_exhausted', 'parsers', 1],
  );
});

test('an error of onFinding is a warning, and a meter that is switched off looks at nothing', async () => {
  const failing = setUp({}, () => {
    throw new Error('mine');
  });
  const mutex = new Mutex({ name: 'one', holdWatch: { afterMs: 5, sampleEvery: 1 } });
  const held = await mutex.lock();
  const off = setUp({ OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'findings' });
  while (failing.log.warnings === 0) await delay(5);
  assert.match(failing.lines[1]!, /onFinding failed: mine/);
  assert.deepEqual(off.found, []);
  assert.deepEqual(off.ticks, []);
  held.release();
  failing.diagnosis.stop();
  assert.deepEqual(failing.ticks, []);
});
