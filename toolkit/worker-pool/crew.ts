import type { Job } from './job';
import type { WorkerPoolKind } from './stats';

/** Who does the work: places on the event loop, or threads. */
export interface Crew<W extends Hired> {
  readonly kind: WorkerPoolKind;
  /** Makes a worker. It reports by `ready` or `lost` of the scheduler, at once or later. */
  hire(): W;
  /** Runs a task, and reports by `ended` or `lost` of the scheduler; never before it returns. */
  run(worker: W, job: Job): void;
  /** Breaks a task off that was given up. Says whether the worker can take another; if not, it is gone. */
  breakOff(worker: W, job: Job, reason: Error): boolean;
  dismiss(worker: W): void;
  /** Keeps the process alive while workers start that tasks wait for. */
  hold(): void;
  /** Ends the workers that are left, and resolves when all that ever were are gone. */
  end(): Promise<void>;
}

/** What the scheduler needs of a worker. */
export interface Hired {
  /** Whether it ever had a task. */
  used: boolean;
}
