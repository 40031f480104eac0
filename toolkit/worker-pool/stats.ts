import { FixedHistogram, type HistogramSnapshot } from '../histogram';

/** The registered kind of a worker pool and the layout of {@link WorkerPoolStats}. */
export const workerPoolSource = { kind: 'worker_pool', layout: 1 } as const;

/** What the workers are: places on the event loop, or threads. */
export type WorkerPoolKind = 'task' | 'thread';

/** How an accepted task ended. */
export const taskOutcomes = [
  'completed',
  'failed',
  'run_timeout',
  'queue_timeout',
  'aborted',
  'crashed',
  'dropped',
] as const;

export type TaskOutcome = (typeof taskOutcomes)[number];

/**
 * A pool's counters since it was made, and its present sizes. They are exact at any moment:
 *
 * - `accepted` = all of `outcomes` + `queued` + `workers.busy`
 * - `waitTime.count = runTime.count + workers.busy`: tasks that began
 * - `workersStarted = workersEnded + starting + idle + busy`
 */
export interface WorkerPoolStats {
  readonly kind: WorkerPoolKind;
  readonly workers: {
    /** Threads that load their file. */
    readonly starting: number;
    readonly idle: number;
    readonly busy: number;
  };
  /** Fewest and most workers there may be. */
  readonly min: number;
  readonly max: number;
  /** Workers made, and those let go: no longer needed, ended with their task, crashed. */
  readonly workersStarted: number;
  readonly workersEnded: number;
  /** Of `workersEnded`, the threads that ended by themselves, or did not start. */
  readonly workersCrashed: number;
  /** Tasks that wait, and most that may, beyond those for which a thread is starting. */
  readonly queued: number;
  readonly queueLimit: number;
  /** Tasks taken on. */
  readonly accepted: number;
  /** How the tasks ended that have. */
  readonly outcomes: Readonly<Record<TaskOutcome, number>>;
  /** Tasks not taken on: the queue was full, the pool closed, the signal aborted already. */
  readonly rejected: { readonly full: number; readonly closed: number; readonly aborted: number };
  /** Functions that were given up and still run; of a TaskPool only. */
  readonly abandoned?: number;
  /** From being accepted to beginning, in seconds. */
  readonly waitTime: HistogramSnapshot;
  /** From beginning to end, in seconds. */
  readonly runTime: HistogramSnapshot;
}

/** Bucket bounds of waiting for a worker, in seconds. */
export const taskWaitBounds = [
  1e-5, 1e-4, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

/** Bucket bounds of running, in seconds. */
export const taskRunBounds = [
  1e-4, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
];

/** The numbers behind {@link WorkerPoolStats}; they hold nothing of the application's. */
export class WorkerPoolCounters {
  starting = 0;
  idle = 0;
  busy = 0;
  workersStarted = 0;
  workersEnded = 0;
  workersCrashed = 0;
  queued = 0;
  accepted = 0;
  abandoned = 0;
  /** On the clock of the pool. */
  lastEnd: number | undefined = undefined;
  readonly outcomes: Record<TaskOutcome, number> = {
    completed: 0,
    failed: 0,
    run_timeout: 0,
    queue_timeout: 0,
    aborted: 0,
    crashed: 0,
    dropped: 0,
  };
  readonly rejected = { full: 0, closed: 0, aborted: 0 };
  readonly waitTime = new FixedHistogram(taskWaitBounds);
  readonly runTime = new FixedHistogram(taskRunBounds);

  constructor(
    readonly kind: WorkerPoolKind,
    readonly min: number,
    readonly max: number,
    readonly queueLimit: number,
  ) {}

  /** Workers there are. */
  get size(): number {
    return this.starting + this.idle + this.busy;
  }

  snapshot(): WorkerPoolStats {
    const { kind, starting, idle, busy, min, max, workersStarted, workersEnded, workersCrashed } = this;
    return {
      kind,
      workers: { starting, idle, busy },
      min,
      max,
      workersStarted,
      workersEnded,
      workersCrashed,
      queued: this.queued,
      queueLimit: this.queueLimit,
      accepted: this.accepted,
      outcomes: { ...this.outcomes },
      rejected: { ...this.rejected },
      ...(kind === 'task' && { abandoned: this.abandoned }),
      waitTime: this.waitTime.snapshot(),
      runTime: this.runTime.snapshot(),
    };
  }
}
