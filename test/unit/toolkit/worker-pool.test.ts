import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { mock, test } from 'node:test';
import fc from 'fast-check';
import { type Task, TaskPool } from '../../../toolkit/worker-pool';
import { Job } from '../../../toolkit/worker-pool/job';
import { JobQueue } from '../../../toolkit/worker-pool/job-queue';
import { Sizing } from '../../../toolkit/worker-pool/sizing';
import { assertWorkerPoolLaws } from '../../helpers/worker-pools';

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
const ageingMs = 100;
const priorities = fc.integer({ min: -10, max: 10 });

test('the queue gives tasks by priority and time waited, whatever is taken out of its middle', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ priority: priorities, afterMs: fc.nat(50) }) },
    { weight: 2, arbitrary: fc.constant('shift' as const) },
    { weight: 1, arbitrary: fc.record({ remove: fc.nat() }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const queue = new JobQueue();
      const model: Job[] = [];
      let now = 0;
      const take = (): void => {
        // Ranks decide, then the priority, then who came first.
        const best = [...model].sort((a, b) => a.rank - b.rank || b.priority - a.priority)[0];
        assert.equal(queue.shift(), best);
        if (best !== undefined) model.splice(model.indexOf(best), 1);
      };
      for (const one of steps) {
        if (one === 'shift') take();
        else if ('remove' in one) {
          const [job] = model.splice(one.remove % (model.length || 1), 1);
          if (job !== undefined) queue.remove(job);
        } else {
          now += one.afterMs;
          const job = new Job(undefined, {}, one.priority, now, ageingMs);
          queue.push(job);
          model.push(job);
        }
        assert.equal(queue.length, model.length);
      }
      while (model.length > 0) take();
      assert.equal(queue.shift(), undefined);
    }),
    { numRuns: 200 },
  );
});

test('no task starves: the lowest is taken before all that came more than its ageing time later', () => {
  const queue = new JobQueue();
  const low = new Job('low', {}, -10, 0, ageingMs);
  queue.push(low);
  let taken: Job | undefined;
  let now = 0;
  // One of the highest priority comes for each that goes, for ever.
  while (taken !== low) {
    now += 10;
    queue.push(new Job('high', {}, 10, now, ageingMs));
    taken = queue.shift();
    assert.ok(now <= 21 * ageingMs, `still waiting at ${now} ms`);
  }
  assert.ok(now >= 19 * ageingMs);
});

test('the number of workers grows when tasks wait, and never oscillates within a span', () => {
  const limits = { min: 1, max: 8, growQueue: 1, maxQueue: 100, shrinkUtilization: 0.8 };
  const sizing = new Sizing(limits, 0);
  assert.deepEqual(
    [sizing.grows(1, 0, 1), sizing.grows(2, 0, 1), sizing.grows(2, 1, 1), sizing.grows(99, 0, 8)],
    [false, true, false, false],
  );
  assert.equal(new Sizing({ ...limits, growQueue: 9, maxQueue: 2 }, 0).grows(3, 0, 1), true);
  // Bursts of 4 that leave 3 of 4 seconds idle: the four stay as long as the bursts come.
  for (let now = 0; now < 40_000; now += 4000) {
    sizing.note(now, 4);
    sizing.note(now + 1000, 0);
    assert.equal(sizing.endSpan(now + 4000), 4);
  }
  // One span without is not enough, two are.
  assert.equal(sizing.endSpan(44_000), 4);
  assert.equal(sizing.endSpan(48_000), 1);
  // At 4 always busy, a fifth keeps the share of busy time at 0.8.
  sizing.note(48_000, 4);
  sizing.endSpan(52_000);
  assert.equal(sizing.endSpan(56_000), 5);
});

test('under a load that comes again in each span the number of workers settles, whatever the load', () => {
  const load = fc.array(fc.record({ busy: fc.nat(8), ms: fc.double({ min: 0.01, max: 500, noNaN: true }) }), {
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(
    fc.property(load, fc.double({ min: 0.3, max: 1, noNaN: true }), (steps, shrinkUtilization) => {
      const limits = { min: 0, max: 8, growQueue: 0, maxQueue: 100, shrinkUtilization };
      const sizing = new Sizing(limits, 0);
      const kept: number[] = [];
      let now = 0;
      for (let span = 0; span < 12; span++) {
        for (const { busy, ms } of steps) {
          sizing.note(now, busy);
          now += ms;
        }
        kept.push(sizing.endSpan(now));
      }
      // The first span began idle.
      assert.equal(new Set(kept.slice(2)).size, 1, kept.join(' '));
      assert.ok(kept[2]! >= Math.max(...steps.map(({ busy }) => busy)));
    }),
    { numRuns: 500 },
  );
  // Four that are always busy, of whom the clock's rounding makes a little more.
  const sizing = new Sizing({ min: 0, max: 8, growQueue: 0, maxQueue: 100, shrinkUtilization: 0.8 }, 0.1);
  for (let i = 1; i <= 1000; i++) sizing.note(0.1 + i * 0.1, 4);
  sizing.endSpan(100.2);
  for (let i = 1; i <= 1000; i++) sizing.note(100.2 + i * 0.1, 4);
  assert.equal(sizing.endSpan(200.3), 5);
});

test('workers that were not needed go, down to the fewest', async () => {
  mock.timers.enable({ apis: ['setInterval'] });
  let now = 0;
  const pool = new TaskPool({ name: 'sized', min: 2, max: 6, idleMs: 1000, clock: () => now });
  await Promise.all(Array.from({ length: 6 }, () => pool.run(turn)));
  assert.equal(pool.stats().workers.idle, 6);
  const sizes: number[] = [];
  for (let span = 0; span < 4; span++) {
    now += 1000;
    mock.timers.tick(1000);
    sizes.push(pool.stats().workers.idle);
  }
  mock.timers.reset();
  assert.deepEqual(sizes, [6, 6, 2, 2]);
  assertWorkerPoolLaws(pool.stats());
  await pool.close();
});

test('a task is a function or has execute, and runs in the context of its caller even after it waited', async () => {
  const storage = new AsyncLocalStorage<string>();
  const pool = new TaskPool({ name: 'contexts', max: 1 });
  const read = async (): Promise<string | undefined> => {
    await turn();
    return storage.getStore();
  };
  const task: Task<string | undefined> = { execute: read };
  const results = await Promise.all(
    ['a', 'b', 'c'].map(name => storage.run(name, () => pool.run(name === 'b' ? task : read))),
  );
  assert.deepEqual(results, ['a', 'b', 'c']);
  await assert.rejects(pool.run(7 as never), { message: 'Expected task to be a function, got undefined' });
  await assert.rejects(
    pool.run(() => {
      throw new RangeError('at once');
    }),
    RangeError,
  );
  await pool.close();
});

test('a function that does not heed its signal frees its place, and is counted until it ends', async () => {
  const pool = new TaskPool({ name: 'deaf', max: 1 });
  let end!: () => void;
  let signal: AbortSignal | undefined;
  const deaf = pool.run(
    context => {
      signal = context.signal;
      return new Promise<void>(resolve => {
        end = resolve;
      });
    },
    { runTimeoutMs: 5 },
  );
  await assert.rejects(deaf, { code: 'TASK_RUN_TIMEOUT' });
  assert.equal((signal!.reason as { code: string }).code, 'TASK_RUN_TIMEOUT');
  assert.equal(await pool.run(() => 'free'), 'free');
  assert.equal(pool.stats().abandoned, 1);
  assertWorkerPoolLaws(pool.stats());
  end();
  await turn();
  assert.equal(pool.stats().abandoned, 0);
  await pool.close();
});

test('wrong options are refused with what was expected', () => {
  const make = (options: object) => () => new TaskPool({ name: 'x', ...options });
  assert.throws(make({ min: 3, max: 2 }), /Expected min to be at most max, which is 2, got 3/);
  assert.throws(make({ max: 0 }), /Expected max to be an integer above zero, got 0/);
  assert.throws(make({ shrinkUtilization: 2 }), /Expected shrinkUtilization to be above 0 and at most 1/);
  assert.throws(make({ name: '' }), TypeError);
  assert.throws(make({ maxQueue: -1 }), TypeError);
});

test('every task that was accepted ends once, and the laws of the statistics hold after every step', async () => {
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('run' as const),
        priority: priorities,
        throws: fc.boolean(),
      }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('finish', 'fail', 'abort'), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('shrink' as const) }) },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.record({ max: fc.integer({ min: 1, max: 4 }), maxQueue: fc.nat(5), growQueue: fc.nat(2) }),
      fc.boolean(),
      async (steps, options, drain) => {
        let now = 0;
        const pool = new TaskPool({ name: 'model', min: 0, ...options, clock: () => now });
        const tasks: {
          readonly controller: AbortController;
          end: ((error?: Error) => void) | undefined;
          settled: string | undefined;
        }[] = [];
        for (const one of steps) {
          now += 10;
          if (one.do === 'run' && 'priority' in one) {
            const task: (typeof tasks)[number] = {
              controller: new AbortController(),
              end: undefined,
              settled: undefined,
            };
            tasks.push(task);
            const work = (): Promise<void> => {
              if (one.throws) throw new RangeError('at once');
              return new Promise((resolve, reject) => {
                task.end = error => (error ? reject(error) : resolve());
              });
            };
            const settle = (how: string): void => {
              assert.equal(task.settled, undefined);
              task.settled = how;
            };
            pool.run(work, { priority: one.priority, signal: task.controller.signal }).then(
              () => settle('completed'),
              error => settle(error.code ?? 'failed'),
            );
          } else if ('which' in one && tasks.length > 0) {
            const task = tasks[one.which % tasks.length]!;
            if (one.do === 'abort') task.controller.abort();
            else task.end?.(one.do === 'fail' ? new Error('no') : undefined);
          }
          assertWorkerPoolLaws(pool.stats());
          await turn();
          assertWorkerPoolLaws(pool.stats());
        }
        const closing = pool.close({ drain, timeoutMs: 10_000 });
        while (pool.stats().workers.busy > 0) {
          for (const task of tasks) task.end?.();
          await turn();
        }
        const { lost } = await closing;
        await turn();
        const count = (how: string): number => tasks.filter(({ settled }) => settled === how).length;
        const { outcomes, accepted, rejected } = pool.stats();
        assert.deepEqual(
          [outcomes.completed, outcomes.failed, outcomes.dropped, rejected.full],
          [count('completed'), count('failed'), lost.length, count('TASK_QUEUE_FULL')],
        );
        assert.equal(count('TASK_DROPPED'), lost.length);
        assert.equal(accepted + rejected.full, tasks.length);
        assert.ok(!drain || lost.length === 0);
        assertWorkerPoolLaws(pool.stats());
      },
    ),
    { numRuns: 80 },
  );
});
