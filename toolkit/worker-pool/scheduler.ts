import { AsyncResource } from 'node:async_hooks';
import { stayAlive } from '../keep-alive';
import type { Crew, Hired } from './crew';
import {
  TaskAbortedError,
  TaskDroppedError,
  TaskQueueFullError,
  TaskQueueTimeoutError,
  TaskRunTimeoutError,
  WorkerPoolClosedError,
} from './errors';
import { Job } from './job';
import { JobQueue } from './job-queue';
import {
  type CloseReport,
  type CloseWorkerPoolOptions,
  checkTaskOptions,
  type LostTask,
  type SettledOptions,
  type TaskOptions,
} from './options';
import { Staff } from './staff';
import { type TaskOutcome, WorkerPoolCounters } from './stats';

const noOptions: TaskOptions = {};

/** What both pools have in common: which task runs when, on which worker, and the books of it. */
export class Scheduler<W extends Hired> {
  readonly counters: WorkerPoolCounters;
  readonly options: SettledOptions;
  readonly #crew: Crew<W>;
  readonly #staff: Staff<W>;
  readonly #queue = new JobQueue();
  readonly #running = new Set<Job>();
  #closed = false;
  /** Whether the process is kept alive for tasks. A thread does so by itself. */
  #holds = false;
  #onDrained: (() => void) | undefined;

  constructor(crew: Crew<W>, options: SettledOptions) {
    const { min, max, maxQueue } = options;
    this.#crew = crew;
    this.options = options;
    this.counters = new WorkerPoolCounters(crew.kind, min, max, maxQueue);
    this.#staff = new Staff(crew, options, this.counters);
  }

  /** Makes the workers that are there from the beginning. */
  open(): void {
    this.#staff.fill();
  }

  submit(task: unknown, options: TaskOptions = noOptions): Promise<unknown> {
    const { counters } = this;
    try {
      checkTaskOptions(options);
    } catch (error) {
      return Promise.reject(error);
    }
    const { priority = 0, signal } = options;
    if (this.#closed) {
      counters.rejected.closed++;
      return Promise.reject(new WorkerPoolClosedError(this.options.name));
    }
    if (signal?.aborted) {
      counters.rejected.aborted++;
      return Promise.reject(this.#aborted(signal, false));
    }
    if (!this.#staff.makeRoom()) {
      counters.rejected.full++;
      return Promise.reject(new TaskQueueFullError(this.options.name, this.options.maxQueue));
    }
    const now = this.options.now();
    const job = new Job(task, options, priority, now, this.options.ageingMs);
    const promise = new Promise<unknown>((resolve, reject) => {
      job.resolve = resolve;
      job.reject = reject;
    });
    counters.accepted++;
    if (!this.#holds && this.#crew.kind === 'task') {
      this.#holds = true;
      stayAlive(1);
    }
    if (signal !== undefined) {
      job.onAbort = () => this.#giveUp(job, 'aborted', this.#aborted(signal, job.state === 'running'));
      signal.addEventListener('abort', job.onAbort, { once: true });
    }
    const worker = this.#staff.take();
    if (worker !== undefined) this.#start(job, worker, now);
    else this.#enqueue(job);
    return promise;
  }

  /** A worker that was hired can take a task. */
  ready(worker: W): void {
    this.#staff.started();
    this.#assign(worker);
  }

  /** The task of a worker has ended by itself. The worker takes the next. */
  ended(worker: W, job: Job, outcome: 'completed' | 'failed', value: unknown): void {
    if (job.state !== 'running') return;
    const now = this.#book(job, outcome);
    if (outcome === 'completed') job.resolve(value);
    else job.reject(value);
    this.#assign(worker, now);
  }

  /** A worker ended by itself, or did not start. */
  lost(worker: W, job: Job | undefined, error: Error): void {
    const { counters } = this;
    counters.workersEnded++;
    counters.workersCrashed++;
    if (this.#staff.forget(worker)) {
      // One that ended before its first task would do so again, and again.
      this.#staff.fill(worker.used ? this.options.min : 0);
      return;
    }
    if (job === undefined) this.#didNotStart(error);
    else {
      if (job.state === 'running') {
        this.#book(job, 'crashed');
        job.reject(error);
      }
      this.#staff.fill();
    }
    this.#checkDrained();
  }

  async close({ drain = true, timeoutMs = 30_000 }: CloseWorkerPoolOptions): Promise<CloseReport> {
    this.#closed = true;
    this.#staff.closing();
    const lost: LostTask[] = [];
    if (!drain) this.#dropWaiting(lost);
    if (this.#running.size > 0 || this.counters.queued > 0) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#onDrained = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#onDrained = undefined;
    }
    this.#dropWaiting(lost);
    for (const job of [...this.#running]) {
      lost.push(job.asLost());
      this.#giveUp(job, 'dropped', new TaskDroppedError(this.options.name, true));
    }
    await this.#staff.end();
    return { lost };
  }

  #didNotStart(error: Error): void {
    const { counters } = this;
    counters.starting--;
    if (counters.idle + counters.busy > 0) this.#staff.holdOff();
    else {
      // Nothing else would ever end the waiting of the tasks; so each worker that does not start costs a task.
      const first = this.#queue.shift();
      if (first !== undefined) {
        counters.queued--;
        this.#book(first, 'crashed');
        first.reject(error);
      }
    }
    // Without a task that asks for it, one that failed to start is not tried again.
    this.#staff.fill(0);
  }

  #enqueue(job: Job): void {
    const ms = job.options.queueTimeoutMs ?? this.options.queueTimeoutMs;
    if (ms !== Infinity) {
      job.timer = setTimeout(() => {
        this.#giveUp(job, 'queue_timeout', new TaskQueueTimeoutError(this.options.name, ms));
      }, ms);
    }
    // It will be started by the end of another task, whose context is not its own.
    if (this.#crew.kind === 'task') job.scope = new AsyncResource('otel-vitals.task');
    this.counters.queued++;
    this.#queue.push(job);
    if (this.counters.starting > 0) this.#crew.hold();
  }

  /** Gives a worker that is free the next task. */
  #assign(worker: W, now?: number): void {
    const job = this.#queue.shift();
    if (job !== undefined) {
      this.counters.queued--;
      this.#start(job, worker, now ?? this.options.now());
      return;
    }
    this.#staff.free(worker);
    this.#checkDrained();
  }

  #start(job: Job, worker: W, now: number): void {
    clearTimeout(job.timer);
    const { counters } = this;
    job.state = 'running';
    job.startedAt = now;
    job.worker = worker;
    worker.used = true;
    counters.busy++;
    this.#staff.noteBusy(now);
    counters.waitTime.record((now - job.acceptedAt) / 1000);
    const ms = job.options.runTimeoutMs ?? this.options.runTimeoutMs;
    if (ms !== Infinity) {
      job.timer = setTimeout(() => {
        this.#giveUp(job, 'run_timeout', new TaskRunTimeoutError(this.options.name, ms));
      }, ms);
    }
    this.#running.add(job);
    this.#crew.run(worker, job);
  }

  /** Ends a task from outside. */
  #giveUp(job: Job, outcome: TaskOutcome, error: Error): void {
    if (job.state === 'ended') return;
    const { counters } = this;
    const worker = job.state === 'running' ? (job.worker as W) : undefined;
    if (worker === undefined) {
      this.#queue.remove(job);
      counters.queued--;
    }
    this.#book(job, outcome);
    job.reject(error);
    if (worker === undefined) this.#checkDrained();
    else if (this.#crew.breakOff(worker, job, error)) this.#assign(worker);
    else {
      counters.workersEnded++;
      this.#staff.fill();
      this.#checkDrained();
    }
  }

  /** Books the end of a task. */
  #book(job: Job, outcome: TaskOutcome): number {
    const { counters } = this;
    const now = this.options.now();
    clearTimeout(job.timer);
    if (job.onAbort !== undefined) job.options.signal!.removeEventListener('abort', job.onAbort);
    if (job.state === 'running') {
      this.#running.delete(job);
      counters.busy--;
      this.#staff.noteBusy(now);
      counters.runTime.record((now - job.startedAt) / 1000);
    }
    job.state = 'ended';
    counters.outcomes[outcome]++;
    counters.lastEnd = now;
    if (this.#holds && counters.busy + counters.queued === 0) {
      this.#holds = false;
      stayAlive(-1);
    }
    return now;
  }

  #dropWaiting(lost: LostTask[]): void {
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) {
      lost.push(job.asLost());
      this.counters.queued--;
      this.#book(job, 'dropped');
      job.reject(new TaskDroppedError(this.options.name, false));
    }
  }

  #checkDrained(): void {
    if (this.#onDrained !== undefined && this.#running.size === 0 && this.counters.queued === 0) {
      this.#onDrained();
    }
  }

  #aborted(signal: AbortSignal, running: boolean): TaskAbortedError {
    return new TaskAbortedError(this.options.name, running, { cause: signal.reason });
  }
}
