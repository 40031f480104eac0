import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TaskPool, WorkerPool } from '../../toolkit/worker-pool';
import { assertWorkerPoolLaws } from '../helpers/worker-pools';
import { type Chance, crowd, Fault, type Part, Tally } from './part';

const file = join(__dirname, 'threads.cjs');

/** Tasks that throw, never end, do not heed their signal, exit their thread, and callers that lose patience. */
export function workerPoolsPart(chance: Chance): Part {
  const tally = new Tally('worker pools', [
    'FAULT',
    'TASK_QUEUE_FULL',
    'TASK_QUEUE_TIMEOUT',
    'TASK_RUN_TIMEOUT',
    'TASK_ABORTED',
    'TASK_DROPPED',
    'WORKER_POOL_CLOSED',
    'WORKER_CRASHED',
  ]);
  const tasks = new TaskPool({
    name: 'soak tasks',
    min: 1,
    max: 6,
    idleMs: 60,
    maxQueue: 30,
    ageingMs: 5,
    runTimeoutMs: 2000,
  });
  const threads = new WorkerPool<unknown, unknown>({
    name: 'soak threads',
    file,
    min: 1,
    max: 2,
    idleMs: 2000,
    maxQueue: 1000,
  });
  /** Functions that run, given up or not. */
  const running = new Set<Promise<unknown>>();
  const tracked = async (work: () => Promise<void>): Promise<void> => {
    const ends = work();
    running.add(ends);
    try {
      await ends;
    } finally {
      running.delete(ends);
    }
  };

  const runTask = async (): Promise<void> => {
    const priority = chance.below(21) - 10;
    if (chance.of(0.05)) {
      // Does not heed its signal.
      await tasks.run(() => tracked(() => sleep(20)), { priority, runTimeoutMs: 2 });
      return;
    }
    await tasks.run(
      ({ signal }) =>
        tracked(async () => {
          await chance.pause();
          if (!signal.aborted && chance.of(0.05)) await once(signal, 'abort');
          chance.fault(0.05);
        }),
      {
        priority,
        signal: chance.signal(0.2),
        runTimeoutMs: 30,
        ...(chance.of(0.2) && { queueTimeoutMs: 2 }),
      },
    );
  };
  const runOnThread = async (): Promise<void> => {
    const priority = chance.below(3);
    const deed = chance.next();
    if (deed < 0.05) {
      // Of an error only its name, message, stack and cause come out of a thread.
      await threads.run(0, { handler: 'fail', priority }).catch((error: Error) => {
        throw error.message === 'on purpose' ? new Fault(error.message) : error;
      });
    } else if (deed < 0.052) await threads.run(1, { handler: 'exit', priority });
    else if (deed < 0.054) await threads.run(0, { handler: 'spin', priority, runTimeoutMs: 20 });
    else {
      const input = chance.below(1000);
      assert.equal(await threads.run(input, { priority }), 2 * input);
    }
  };
  /** One that is closed before its tasks have ended, or dropped. */
  const makeAndLeave = async (): Promise<void> => {
    const pool = new TaskPool({ name: `soak short ${chance.below(3)}`, max: 1 });
    const some = [1, 2, 3].map(() => tally.of(() => pool.run(() => chance.pause())));
    if (chance.of(0.5)) await pool.close({ drain: chance.of(0.5), timeoutMs: 1 });
    await Promise.all(some);
    await pool.run(() => {});
  };

  return {
    tally,
    async round() {
      await Promise.all([
        crowd(50, () => tally.of(runTask)),
        crowd(40, () => tally.of(runOnThread)),
        crowd(2, () => tally.of(makeAndLeave)),
      ]);
      await Promise.allSettled(running);
      await new Promise(resolve => setImmediate(resolve));
    },
    check() {
      assertWorkerPoolLaws(tasks.stats());
      assertWorkerPoolLaws(threads.stats());
    },
    settled() {
      for (const pool of [tasks, threads]) {
        const { queued, workers, abandoned = 0 } = pool.stats();
        assert.deepEqual([queued, workers.busy, abandoned], [0, 0, 0], JSON.stringify(pool.stats()));
      }
    },
    async close() {
      assert.deepEqual(await tasks.close(), { lost: [] });
      assert.deepEqual(await threads.close(), { lost: [] });
      const { workersStarted, workersEnded } = threads.stats();
      assert.equal(workersStarted, workersEnded);
    },
  };
}
