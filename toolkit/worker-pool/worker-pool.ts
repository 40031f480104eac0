import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { delayMs, nonEmptyString } from '../options';
import { registerSource } from '../sources';
import {
  type CloseReport,
  type CloseWorkerPoolOptions,
  type CommonWorkerPoolOptions,
  checkCloseOptions,
  checkThreadTask,
  settleOptions,
  type WorkerTaskOptions,
} from './options';
import { Scheduler } from './scheduler';
import { type WorkerPoolStats, workerPoolSource } from './stats';
import { statusOf, type WorkerPoolStatus } from './status';
import type { ThreadOptions } from './thread';
import { type Hand, threads } from './threads';

/** Options of {@link WorkerPool}. */
export interface WorkerPoolOptions extends CommonWorkerPoolOptions {
  /** The module that the threads load: an absolute path or a `file:` URL. What it exports by default runs the tasks. */
  readonly file: string | URL;
  /** How long a thread may take to load it. @default 30000 */
  readonly startTimeoutMs?: number;
  /** Passed on to Node.js. */
  readonly thread?: ThreadOptions;
}

/**
 * Runs work that computes on threads, by Piscina. A task that is given up is ended with its thread, whatever it is
 * doing, and another thread takes its place. Threads that have no task do not keep the process alive.
 */
export class WorkerPool<Input = unknown, Output = unknown> {
  readonly name: string;
  readonly #scheduler: Scheduler<Hand>;
  readonly #unregister: () => void;
  #closing: Promise<CloseReport> | undefined;

  /** @throws TypeError when an option is not as documented */
  constructor(options: WorkerPoolOptions) {
    const settled = settleOptions(options, availableParallelism());
    const file = pathOf(options.file);
    const startTimeoutMs = delayMs('startTimeoutMs', options.startTimeoutMs ?? 30_000);
    this.name = settled.name;
    const scheduler: Scheduler<Hand> = new Scheduler<Hand>(
      threads({ pool: settled.name, file, startTimeoutMs, thread: options.thread ?? {} }, () => scheduler),
      settled,
    );
    scheduler.open();
    this.#scheduler = scheduler;
    const { counters } = scheduler;
    this.#unregister = registerSource(
      { ...workerPoolSource, name: this.name, stats: () => counters.snapshot() },
      this,
    );
    dropped.register(this, scheduler);
  }

  /**
   * Runs the module's function with `input` in a thread as soon as one is free. Gives what it gives, and rejects with
   * what it fails with, or with TaskQueueFullError, TaskQueueTimeoutError, TaskRunTimeoutError, TaskAbortedError,
   * TaskDroppedError, TaskThrewError, TaskResultError, WorkerCrashError, WorkerStartError or WorkerPoolClosedError.
   */
  run(input: Input, options?: WorkerTaskOptions): Promise<Output> {
    if (options != null) {
      try {
        checkThreadTask(options);
      } catch (error) {
        return Promise.reject(error);
      }
    }
    return this.#scheduler.submit(input, options) as Promise<Output>;
  }

  /** Counters and sizes, as documented at {@link WorkerPoolStats}. */
  stats(): WorkerPoolStats {
    return this.#scheduler.counters.snapshot();
  }

  status(): WorkerPoolStatus {
    return statusOf(this.#scheduler.counters, this.#scheduler.options.now());
  }

  /**
   * Closes the pool: takes no more tasks, waits for those it has, drops what has not ended when time is up, tells what
   * that was, and ends the threads. Calling it again gives the same promise. Rejects with a TypeError, and closes
   * nothing, when an option is not as documented.
   */
  close(options: CloseWorkerPoolOptions = {}): Promise<CloseReport> {
    try {
      checkCloseOptions(options);
    } catch (error) {
      return Promise.reject(error);
    }
    this.#closing ??= this.#scheduler.close(options).finally(() => this.#unregister());
    return this.#closing;
  }
}

/** The threads of a pool that the application dropped without closing it go once it has done its tasks. */
const dropped = new FinalizationRegistry<Scheduler<Hand>>(scheduler => {
  void scheduler.close({ timeoutMs: 2 ** 31 - 1 });
});

/** @throws TypeError when `file` is neither a path nor the URL of a file */
function pathOf(file: string | URL): string {
  const isUrl = file instanceof URL || String(file).startsWith('file:');
  return isUrl ? fileURLToPath(file) : nonEmptyString('file', file as string);
}
