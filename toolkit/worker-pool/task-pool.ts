import { availableParallelism } from 'node:os';
import { callable } from '../options';
import { registerSource } from '../sources';
import type { Crew, Hired } from './crew';
import type { Job } from './job';
import {
  type CloseReport,
  type CloseWorkerPoolOptions,
  type CommonWorkerPoolOptions,
  checkCloseOptions,
  settleOptions,
  type TaskOptions,
} from './options';
import { Scheduler } from './scheduler';
import { type WorkerPoolStats, workerPoolSource } from './stats';
import { statusOf, type WorkerPoolStatus } from './status';

/** What a task is given. */
export interface TaskContext {
  /** Aborted when the task is given up: its caller's signal, its time limit, a pool that closes. */
  readonly signal: AbortSignal;
}

/** Work as a function. */
export type TaskFunction<R> = (context: TaskContext) => R | PromiseLike<R>;

/** Work as an object. */
export interface Task<R> {
  execute(context: TaskContext): R | PromiseLike<R>;
}

/** Options of {@link TaskPool}. */
export type TaskPoolOptions = CommonWorkerPoolOptions;

/**
 * Runs asynchronous functions on the event loop, so many at a time and no more, and lets the others wait in a bounded
 * queue. For work that waits, such as for a database; what computes goes to a WorkerPool.
 *
 * A function that is given up is told so by its signal. One that does not heed it runs on, because nothing can stop it:
 * its place is free for others, and it is counted as `abandoned` until it ends.
 *
 * Tasks that wait or run keep the process alive, those that were given up do not.
 */
export class TaskPool {
  readonly name: string;
  readonly #scheduler: Scheduler<Place>;
  readonly #unregister: () => void;
  #closing: Promise<CloseReport> | undefined;

  /** @throws TypeError when an option is not as documented */
  constructor(options: TaskPoolOptions) {
    const settled = settleOptions(options, 2 * availableParallelism());
    this.name = settled.name;
    const scheduler: Scheduler<Place> = new Scheduler<Place>(
      places(() => scheduler),
      settled,
    );
    scheduler.open();
    this.#scheduler = scheduler;
    const { counters } = scheduler;
    this.#unregister = registerSource(
      { ...workerPoolSource, name: this.name, stats: () => counters.snapshot() },
      this,
    );
  }

  /**
   * Runs a task as soon as a place is free, at once where one is. Gives what it gives, and rejects with what it fails
   * with, or with TaskQueueFullError, TaskQueueTimeoutError, TaskRunTimeoutError, TaskAbortedError, TaskDroppedError or
   * WorkerPoolClosedError.
   */
  run<R>(task: TaskFunction<R> | Task<R>, options?: TaskOptions): Promise<R> {
    try {
      callable('task', typeof task === 'function' ? task : task?.execute);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#scheduler.submit(task, options) as Promise<R>;
  }

  /** Counters and sizes, as documented at {@link WorkerPoolStats}. */
  stats(): WorkerPoolStats {
    return this.#scheduler.counters.snapshot();
  }

  status(): WorkerPoolStatus {
    return statusOf(this.#scheduler.counters, this.#scheduler.options.now());
  }

  /**
   * Closes the pool: takes no more tasks, waits for those it has, drops what has not ended when time is up, and tells
   * what that was. Calling it again gives the same promise. Rejects with a TypeError, and closes nothing, when an option is
   * not as documented.
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

/** Where one function runs at a time. */
interface Place extends Hired {
  context: Context | undefined;
}

/** Makes the signal only where the task asks for it. */
class Context implements TaskContext {
  #reason: Error | undefined;
  #controller: AbortController | undefined;

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  giveUp(reason: Error): void {
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}

function places(scheduler: () => Scheduler<Place>): Crew<Place> {
  return {
    kind: 'task',
    hire() {
      const place: Place = { context: undefined, used: false };
      scheduler().ready(place);
      return place;
    },
    run(place, job) {
      const context = new Context();
      place.context = context;
      const ended = (outcome: 'completed' | 'failed', value: unknown): void => {
        if (job.state === 'running') scheduler().ended(place, job, outcome, value);
        else scheduler().counters.abandoned--;
      };
      begin(job, context).then(
        value => ended('completed', value),
        (error: unknown) => ended('failed', error),
      );
    },
    breakOff(place, _job, reason) {
      scheduler().counters.abandoned++;
      place.context!.giveUp(reason);
      return true;
    },
    dismiss() {},
    hold() {},
    async end() {},
  };
}

function begin(job: Job, context: TaskContext): Promise<unknown> {
  try {
    const { scope } = job;
    // The promise of an async function is taken as it is.
    return Promise.resolve(
      scope === undefined ? call(job, context) : scope.runInAsyncScope(call, undefined, job, context),
    );
  } catch (error) {
    return Promise.reject(error);
  }
}

function call({ task }: Job, context: TaskContext): unknown {
  return typeof task === 'function'
    ? (task as TaskFunction<unknown>)(context)
    : (task as Task<unknown>).execute(context);
}
