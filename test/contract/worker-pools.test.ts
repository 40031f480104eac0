import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { liveSources } from '../../toolkit/sources';
import {
  type TaskFunction,
  TaskPool,
  WorkerPool,
  type WorkerPoolStats,
  type WorkerTaskOptions,
} from '../../toolkit/worker-pool';
import { workerPoolSource } from '../../toolkit/worker-pool/stats';
import { collectUntil } from '../helpers/garbage';
import { assertWorkerPoolLaws, until } from '../helpers/worker-pools';

const file = join(__dirname, '../fixtures/threads/tasks.cjs');
const newGate = (): Int32Array => new Int32Array(new SharedArrayBuffer(8));
const open = (gate: Int32Array): void => {
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
};

interface Options {
  readonly max?: number;
  readonly maxQueue?: number;
  readonly queueTimeoutMs?: number;
  readonly runTimeoutMs?: number;
}

/** A pool of either kind as the contract sees it. */
interface Subject {
  run(work: 'double' | 'fail' | Int32Array, options?: WorkerTaskOptions): Promise<unknown>;
  pool: TaskPool | WorkerPool;
}

/** Leads to no pool, as it may outlive its pool. */
const functionOf =
  (work: Parameters<Subject['run']>[0]): TaskFunction<unknown> =>
  async ({ signal }) => {
    if (work === 'double') return 42;
    if (work === 'fail') throw new RangeError('failed');
    await until(() => Atomics.load(work, 0) === 1 || signal.aborted);
    return 'through';
  };

const subjects: Record<string, (options?: Options) => Subject> = {
  task: (options = {}) => {
    const pool = new TaskPool({ name: 'contract', max: 1, ...options });
    return {
      pool,
      run: (work, taskOptions) => pool.run(functionOf(work), taskOptions),
    };
  },
  thread: (options = {}) => {
    const pool = new WorkerPool({ name: 'contract', file, max: 1, ...options });
    return {
      pool,
      run: (work, taskOptions) => {
        if (work === 'double') return pool.run(21, taskOptions);
        if (work === 'fail') return pool.run('failed', { ...taskOptions, handler: 'fail' });
        return pool.run(work, { ...taskOptions, handler: 'wait' });
      },
    };
  },
};

for (const [kind, make] of Object.entries(subjects)) {
  describe(`a pool of kind ${kind}`, () => {
    test('gives what a task gives and rejects with what it fails with, and works on', async () => {
      const { pool, run } = make();
      assert.equal(await run('double'), 42);
      await assert.rejects(run('fail'), { name: 'RangeError', message: 'failed' });
      assert.equal(await run('double'), 42);
      const stats = pool.stats();
      assert.deepEqual([stats.outcomes.completed, stats.outcomes.failed, stats.accepted], [2, 1, 3]);
      assertWorkerPoolLaws(stats);
      await pool.close();
    });

    test('runs no more tasks at a time than it has workers, and refuses what its queue does not hold', async () => {
      const { pool, run } = make({ max: 2, maxQueue: 1 });
      const gate = newGate();
      const tasks = [run(gate), run(gate)];
      await until(() => pool.stats().workers.busy === 2);
      tasks.push(run(gate));
      await assert.rejects(run(gate), { code: 'TASK_QUEUE_FULL', pool: 'contract', maxQueue: 1 });
      const { workers, queued, rejected } = pool.stats();
      assert.deepEqual([workers.busy, queued, rejected.full], [2, 1, 1]);
      assertWorkerPoolLaws(pool.stats());
      open(gate);
      assert.deepEqual(await Promise.all(tasks), ['through', 'through', 'through']);
      await pool.close();
    });

    test('runs what waits by priority, and in the order of arrival within one', async () => {
      const { pool, run } = make();
      const gate = newGate();
      const ended: string[] = [];
      const first = run(gate);
      await until(() => pool.stats().workers.busy === 1);
      const tasks = (
        [
          ['a', 0],
          ['low', -5],
          ['b', 0],
          ['high', 5],
        ] as const
      ).map(([label, priority]) => run('double', { priority }).then(() => ended.push(label)));
      open(gate);
      await Promise.all([first, ...tasks]);
      assert.deepEqual(ended, ['high', 'a', 'b', 'low']);
      await assert.rejects(run('double', { priority: 11 }), TypeError);
      await pool.close();
    });

    test('limits waiting apart from running', async () => {
      const { pool, run } = make();
      const gate = newGate();
      const first = run(gate, { queueTimeoutMs: 20_000 });
      await until(() => pool.stats().workers.busy === 1);
      await assert.rejects(run('double', { queueTimeoutMs: 5 }), {
        code: 'TASK_QUEUE_TIMEOUT',
        timeoutMs: 5,
      });
      await assert.rejects(run('double', { queueTimeoutMs: -1 }), TypeError);
      assert.equal(pool.stats().outcomes.queue_timeout, 1);
      assertWorkerPoolLaws(pool.stats());
      open(gate);
      await first;
      await assert.rejects(run(newGate(), { runTimeoutMs: 20 }), {
        code: 'TASK_RUN_TIMEOUT',
        timeoutMs: 20,
      });
      assert.equal(await run('double'), 42);
      assert.equal(pool.stats().outcomes.run_timeout, 1);
      assertWorkerPoolLaws(pool.stats());
      await pool.close();
    });

    test('lets a signal take back what waits and end what runs', async () => {
      const { pool, run } = make();
      const running = new AbortController();
      const waiting = new AbortController();
      const first = assert.rejects(run(newGate(), { signal: running.signal }), {
        code: 'TASK_ABORTED',
        running: true,
        cause: 'enough',
      });
      await until(() => pool.stats().workers.busy === 1);
      const second = assert.rejects(run('double', { signal: waiting.signal }), {
        code: 'TASK_ABORTED',
        running: false,
      });
      waiting.abort();
      await second;
      running.abort('enough');
      await first;
      await assert.rejects(run('double', { signal: AbortSignal.abort() }), { code: 'TASK_ABORTED' });
      assert.equal(await run('double', { signal: new AbortController().signal }), 42);
      const { outcomes, rejected } = pool.stats();
      assert.deepEqual([outcomes.aborted, rejected.aborted], [2, 1]);
      assertWorkerPoolLaws(pool.stats());
      await pool.close();
    });

    test('runs all that it accepted before it closes', async () => {
      const { pool, run } = make();
      const gate = newGate();
      const tasks = [run(gate), run(gate), run('double')];
      const closing = pool.close();
      await assert.rejects(run('double'), { code: 'WORKER_POOL_CLOSED', pool: 'contract' });
      open(gate);
      assert.deepEqual(await closing, { lost: [] });
      assert.deepEqual(await Promise.all(tasks), ['through', 'through', 42]);
      const { workers, outcomes, rejected } = pool.stats();
      assert.deepEqual([workers.idle + workers.busy, outcomes.completed, rejected.closed], [0, 3, 1]);
      assert.equal(pool.close(), pool.close());
    });

    test('tells which tasks it lost when there was no time for them', async () => {
      const { pool, run } = make();
      const running = run(newGate(), { label: 'order 1' });
      await until(() => pool.stats().workers.busy === 1);
      const waiting = run('double', { label: 'order 2', priority: 3 });
      const rejections = Promise.all([
        assert.rejects(running, { code: 'TASK_DROPPED', running: true }),
        assert.rejects(waiting, { code: 'TASK_DROPPED', running: false }),
      ]);
      const { lost } = await pool.close({ timeoutMs: 20 });
      await rejections;
      assert.deepEqual(
        lost.map(({ label, priority, running }) => [label, priority, running]),
        [
          ['order 2', 3, false],
          ['order 1', 0, true],
        ],
      );
      assert.equal(lost[0]!.task === 21 || typeof lost[0]!.task === 'function', true);
      assert.equal(pool.stats().outcomes.dropped, 2);
      assertWorkerPoolLaws(pool.stats());
    });

    test('drops what waits at once where it is told to, and lets end what runs', async () => {
      const { pool, run } = make();
      const gate = newGate();
      const running = run(gate);
      await until(() => pool.stats().workers.busy === 1);
      const waiting = assert.rejects(run('double', { label: 'late' }), { code: 'TASK_DROPPED' });
      const closing = pool.close({ drain: false });
      await waiting;
      open(gate);
      assert.equal(await running, 'through');
      assert.deepEqual(
        (await closing).lost.map(({ label }) => label),
        ['late'],
      );
    });

    test('refuses options that are not as documented, and neither counts the task nor closes', async () => {
      const { pool, run } = make();
      const wrong = [
        { signal: {} },
        { priority: 1.5 },
        { priority: '3' },
        { runTimeoutMs: 0 },
        { queueTimeoutMs: Number.NaN },
      ];
      for (const options of wrong) await assert.rejects(run('double', options as never), TypeError);
      await assert.rejects(pool.run((() => 1) as never, 7 as never), {
        message: 'Expected the options of a task to be an object, got 7',
      });
      await assert.rejects(pool.close({ timeoutMs: -1 }), TypeError);
      assert.equal(pool.stats().accepted, 0);
      assert.equal(await run('double', {}), 42);
      assertWorkerPoolLaws(pool.stats());
      await pool.close();
    });

    test('dropped by its owner it still does its tasks, then lets its workers go and leaves the registry', async () => {
      const gate = newGate();
      let tasks: Promise<unknown>[] = [];
      const leave = async (): Promise<void> => {
        const { pool, run } = make();
        tasks = [run(gate), run('double')];
        await until(() => pool.stats().workers.busy === 1);
      };
      await leave();
      const [source] = liveSources<WorkerPoolStats>(workerPoolSource.kind);
      try {
        await collectUntil(() => liveSources(workerPoolSource.kind).length === 0);
      } finally {
        open(gate);
      }
      assert.deepEqual(await Promise.all(tasks), ['through', 42]);
      // Places on the event loop are nothing that would have to end.
      if (kind === 'thread') await until(() => source!.stats().workers.idle === 0);
      assert.equal(source!.stats().outcomes.completed, 2);
      assertWorkerPoolLaws(source!.stats());
    });

    test('is among the live sources until it is closed, and says what it does', async () => {
      const { pool, run } = make({ max: 4, maxQueue: 10 });
      const found = (): WorkerPoolStats[] =>
        liveSources<WorkerPoolStats>(workerPoolSource.kind, workerPoolSource.layout).map(one => one.stats());
      assert.deepEqual(
        found().map(one => [one.kind, one.min, one.max, one.queueLimit]),
        [[kind, 1, 4, 10]],
      );
      assert.equal(pool.status().lastTaskTime, undefined);
      await run('double');
      await assert.rejects(run('fail'));
      const gate = newGate();
      const running = run(gate);
      await until(() => pool.stats().workers.busy === 1);
      const status = pool.status();
      assert.deepEqual(
        [status.activeWorkers, status.completedTasks, status.failedTasks, status.totalTasks],
        [1, 1, 1, 3],
      );
      assert.equal(status.utilization, 1 / status.workers);
      assert.ok(status.avgTaskTimeMs > 0 && Math.abs(Date.now() - status.lastTaskTime!.getTime()) < 60_000);
      open(gate);
      await running;
      await pool.close();
      assert.deepEqual(found(), []);
    });
  });
}

describe('a pool of threads', () => {
  test('fails the task of a thread that ends, says how it ended, and replaces it', async () => {
    const limits = { maxOldGenerationSizeMb: 16 };
    const pool = new WorkerPool<unknown, unknown>({
      name: 'crashes',
      file: pathToFileURL(file),
      max: 1,
      thread: { resourceLimits: limits },
    });
    const crash = (handler: string, input?: unknown): Promise<unknown> => pool.run(input, { handler });
    await assert.rejects(crash('exit', 3), { code: 'WORKER_CRASHED', exitCode: 3, pool: 'crashes' });
    await assert.rejects(crash('uncaught'), (error: Error & { cause: Error }) => {
      assert.equal(error.cause.message, 'nobody catches this');
      return true;
    });
    await assert.rejects(crash('memory'), (error: Error & { cause: NodeJS.ErrnoException }) => {
      assert.equal(error.cause.code, 'ERR_WORKER_OUT_OF_MEMORY');
      return true;
    });
    const waiting = [crash('exit', 0), crash('id')];
    await assert.rejects(waiting[0]!, { code: 'WORKER_CRASHED', exitCode: 0 });
    assert.equal(typeof (await waiting[1]), 'number');
    const { outcomes, workersCrashed, workers } = pool.stats();
    assert.deepEqual([outcomes.crashed, workersCrashed, workers.idle], [4, 4, 1]);
    assertWorkerPoolLaws(pool.stats());
    await pool.close();
  });

  test('fails a task that throws no error, or gives or throws what cannot be copied, and keeps its thread', async () => {
    const pool = new WorkerPool<unknown, unknown>({ name: 'odd', file, max: 1 });
    const id = await pool.run(0, { handler: 'id' });
    const run = (handler: string, input?: unknown): Promise<unknown> =>
      pool.run(input, { handler, label: `of ${handler}` });
    for (const thrown of [null, undefined]) {
      await assert.rejects(run('throws', thrown), {
        name: 'TaskThrewError',
        code: 'TASK_THREW',
        pool: 'odd',
        label: 'of throws',
        thrown: String(thrown),
        message: `Expected the task "of throws" of the pool "odd" to throw an error that can be copied, got ${thrown}`,
      });
    }
    await assert.rejects(run('throwsFunction'), { code: 'TASK_THREW', thrown: '() => {}' });
    await assert.rejects(run('rejects'), { code: 'TASK_THREW', thrown: 'undefined' });
    await assert.rejects(run('throwsCause'), { code: 'TASK_THREW', thrown: 'RangeError: with a cause' });
    await assert.rejects(run('unclonable'), {
      name: 'TaskResultError',
      code: 'TASK_RESULT',
      pool: 'odd',
      label: 'of unclonable',
      reason: '() => {} could not be cloned.',
    });
    await assert.rejects(
      pool.run(0, { handler: 'unclonable' }),
      /Expected a task of the pool "odd" to give what can/,
    );
    // Things that are odd but right arrive as they are.
    assert.equal(await run('gives', null), null);
    assert.equal(await run('gives', undefined), undefined);
    await assert.rejects(run('throws', 'a text'), (error: unknown) => error === 'a text');
    assert.equal(await pool.run(0, { handler: 'id' }), id);
    const { outcomes, workersCrashed } = pool.stats();
    assert.deepEqual([outcomes.failed, outcomes.completed, workersCrashed], [8, 4, 0]);
    assertWorkerPoolLaws(pool.stats());
    await pool.close();
  });

  test('ends a task that computes for ever with its thread, and runs what waited for it', async () => {
    const pool = new WorkerPool<number, unknown>({ name: 'spins', file, max: 1 });
    const spinning = pool.run(0, { handler: 'spin', runTimeoutMs: 30 });
    const waiting = pool.run(4);
    await assert.rejects(spinning, { code: 'TASK_RUN_TIMEOUT' });
    assert.equal(await waiting, 8);
    const { workersStarted, workersEnded, workersCrashed } = pool.stats();
    assert.deepEqual([workersStarted, workersEnded, workersCrashed], [2, 1, 0]);
    await pool.close();
  });

  test('fails every task with the reason where no thread starts, and does not try for ever', async () => {
    const pool = new WorkerPool({ name: 'absent', file: join(__dirname, 'absent.cjs'), max: 2 });
    const tasks = await Promise.allSettled([pool.run(1), pool.run(2), pool.run(3)]);
    assert.deepEqual(
      tasks.map(task => task.status === 'rejected' && task.reason.code),
      ['WORKER_START_FAILED', 'WORKER_START_FAILED', 'WORKER_START_FAILED'],
    );
    await until(() => pool.stats().workers.starting === 0);
    const { workersStarted } = pool.stats();
    assert.ok(workersStarted <= 5, String(workersStarted));
    assertWorkerPoolLaws(pool.stats());
    await pool.close();
  });

  test('hands over what is to be transferred, and keeps what can not be sent out of the thread', async () => {
    const pool = new WorkerPool<unknown, unknown>({ name: 'sends', file, max: 1 });
    const memory = new ArrayBuffer(1000);
    assert.equal(await pool.run(memory, { handler: 'bytes', transfer: [memory] }), 1000);
    assert.equal(memory.byteLength, 0);
    await assert.rejects(
      pool.run(() => 1),
      { name: 'DataCloneError' },
    );
    await assert.rejects(pool.run(1, { transfer: memory as never }), TypeError);
    await assert.rejects(pool.run(1, { handler: '' }), TypeError);
    await assert.rejects(
      pool.run(1, { handler: 'absent' }),
      /Expected .*tasks\.cjs to export a function as "absent"/,
    );
    assert.equal(await pool.run(2), 4);
    assert.deepEqual([pool.stats().outcomes.failed, pool.stats().workersCrashed], [2, 0]);
    await pool.close();
  });

  test('says why no thread could be made, or that one took too long to load its file', async () => {
    const refused = new WorkerPool({
      name: 'refused',
      file,
      max: 1,
      thread: { execArgv: ['--no-such-flag'] },
    });
    await assert.rejects(refused.run(1), (error: Error & { cause: NodeJS.ErrnoException }) => {
      assert.deepEqual(
        [(error as NodeJS.ErrnoException).code, error.cause.code],
        ['WORKER_START_FAILED', 'ERR_WORKER_INVALID_EXEC_ARGV'],
      );
      return true;
    });
    assertWorkerPoolLaws(refused.stats());
    await refused.close();
    const endless = join(__dirname, '../fixtures/threads/endless.cjs');
    const slow = new WorkerPool({ name: 'slow', file: endless, max: 1, startTimeoutMs: 50 });
    await assert.rejects(slow.run(1), {
      code: 'WORKER_START_FAILED',
      message: `Expected ${endless} to load in a thread of the pool "slow": it took longer than 50 ms`,
    });
    await slow.close();
    assertWorkerPoolLaws(slow.stats());
  });

  test('every accepted task ends once, and the laws hold, whatever tasks do to their threads', async () => {
    const deeds = ['double', 'fail', 'exit', 'uncaught', 'spin', 'never', 'abort', 'late'] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({ deed: fc.constantFrom(...deeds), priority: fc.integer({ min: -10, max: 10 }) }),
          {
            minLength: 4,
            maxLength: 10,
          },
        ),
        fc.integer({ min: 0, max: 2 }),
        async (tasks, min) => {
          const pool = new WorkerPool<unknown, unknown>({ name: 'faults', file, min, max: 2 });
          const ends = await Promise.allSettled(
            tasks.map(async ({ deed, priority }) => {
              try {
                return await runDeed(pool, deed, { priority });
              } finally {
                assertWorkerPoolLaws(pool.stats());
              }
            }),
          );
          assert.deepEqual(
            ends.map(end =>
              end.status === 'fulfilled' ? end.value : (end.reason.code ?? end.reason.message),
            ),
            tasks.map(({ deed }) => expectedOf[deed]),
          );
          assert.deepEqual(await pool.close(), { lost: [] });
          const { outcomes, accepted, workers, workersStarted, workersEnded } = pool.stats();
          const count = (...some: readonly string[]): number =>
            tasks.filter(({ deed }) => some.includes(deed)).length;
          assert.deepEqual(outcomes, {
            completed: count('double'),
            failed: count('fail'),
            run_timeout: count('spin', 'never'),
            queue_timeout: count('late'),
            aborted: count('abort'),
            crashed: count('exit', 'uncaught'),
            dropped: 0,
          });
          assert.equal(accepted, tasks.length);
          assert.deepEqual(workers, { starting: 0, idle: 0, busy: 0 });
          assert.equal(workersStarted, workersEnded);
        },
      ),
      { numRuns: 5 },
    );
  });
});

const expectedOf = {
  double: 42,
  fail: 'failed',
  exit: 'WORKER_CRASHED',
  uncaught: 'WORKER_CRASHED',
  spin: 'TASK_RUN_TIMEOUT',
  never: 'TASK_RUN_TIMEOUT',
  abort: 'TASK_ABORTED',
  late: 'TASK_QUEUE_TIMEOUT',
} as const;

function runDeed(
  pool: WorkerPool<unknown, unknown>,
  deed: keyof typeof expectedOf,
  options: WorkerTaskOptions,
): Promise<unknown> {
  if (deed === 'double') return pool.run(21, options);
  if (deed === 'fail') return pool.run('failed', { ...options, handler: 'fail' });
  if (deed === 'exit' || deed === 'uncaught') return pool.run(1, { ...options, handler: deed });
  if (deed === 'abort') {
    const controller = new AbortController();
    const ended = pool.run(0, { ...options, handler: 'never', signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    return ended;
  }
  if (deed === 'late') {
    // No thread takes it in time, because it comes last of all and time is up at once.
    return pool.run(0, { priority: -10, queueTimeoutMs: 0.01 });
  }
  return pool.run(0, { ...options, handler: deed, runTimeoutMs: 20 });
}
