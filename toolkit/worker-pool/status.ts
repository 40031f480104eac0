import type { WorkerPoolCounters } from './stats';

/** What a pool is doing, in the few numbers that a status page shows. */
export interface WorkerPoolStatus {
  readonly workers: number;
  readonly activeWorkers: number;
  readonly queuedTasks: number;
  readonly completedTasks: number;
  /** Tasks that ended in any other way than by completing. */
  readonly failedTasks: number;
  /** Tasks taken on. */
  readonly totalTasks: number;
  /** Mean time of running, in milliseconds; 0 before the first has ended. */
  readonly avgTaskTimeMs: number;
  /** When the last task ended; undefined before the first. */
  readonly lastTaskTime: Date | undefined;
  /** Busy workers of those there are, 0 to 1. */
  readonly utilization: number;
  /** Tasks that wait, of the most that may: 0 to 1, and more while threads start. */
  readonly queueUsage: number;
}

export function statusOf(counters: WorkerPoolCounters, now: number): WorkerPoolStatus {
  const { size, busy, queued, queueLimit, outcomes, accepted, lastEnd } = counters;
  const { count, sum } = counters.runTime.snapshot();
  return {
    workers: size,
    activeWorkers: busy,
    queuedTasks: queued,
    completedTasks: outcomes.completed,
    failedTasks: accepted - queued - busy - outcomes.completed,
    totalTasks: accepted,
    avgTaskTimeMs: count === 0 ? 0 : (sum / count) * 1000,
    lastTaskTime: lastEnd === undefined ? undefined : new Date(Date.now() - (now - lastEnd)),
    utilization: size === 0 ? 0 : busy / size,
    queueUsage: queueLimit === 0 || queueLimit === Infinity ? 0 : queued / queueLimit,
  };
}
