import { FixedHistogram, type HistogramSnapshot } from '../histogram';

/** The registered kind of a lock and the layout of {@link LockStats}, for whoever reads the registry of sources. */
export const lockSource = { kind: 'lock', layout: 1 } as const;

/** How a lock is held: alone, or a {@link ReadWriteLock} together with other readers or alone. */
export type LockMode = 'exclusive' | 'read' | 'write';

/** A lock's counters since it was made, by the modes it has. */
export interface LockStats {
  readonly modes: { readonly [M in LockMode]?: LockModeStats };
}

/**
 * One mode's share. The numbers are exact at any moment:
 *
 * - `acquired = released + held`
 * - `contended = waitTime.count + waiters`
 * - `contended = timeouts + aborted + deadlocks + waiters +` those that got the lock after waiting
 */
export interface LockModeStats {
  /** Times the lock was taken. */
  readonly acquired: number;
  /** Times it was given back. */
  readonly released: number;
  /** Holders now. */
  readonly held: number;
  /** Calls that had to wait. */
  readonly contended: number;
  /** Calls that wait now. */
  readonly waiters: number;
  /** Waits that ended because time was up. */
  readonly timeouts: number;
  /** Waits that a signal ended. */
  readonly aborted: number;
  /** Waits refused because they would never have ended. */
  readonly deadlocks: number;
  /** Time of waits that ended, however they did, in seconds. Absent where threads wait that cannot tell. */
  readonly waitTime?: HistogramSnapshot;
  /** Time the lock was held, in seconds. Absent where it is not measured. */
  readonly holdTime?: HistogramSnapshot;
}

/** Bucket bounds of waiting for a lock, in seconds. */
export const lockWaitBounds = [
  1e-5, 5e-5, 1e-4, 5e-4, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** Bucket bounds of holding a lock, in seconds. */
export const lockHoldBounds = [
  1e-6, 1e-5, 5e-5, 1e-4, 5e-4, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
];

/** The numbers behind {@link LockModeStats}. */
export class LockModeCounters {
  acquired = 0;
  released = 0;
  contended = 0;
  waiters = 0;
  timeouts = 0;
  aborted = 0;
  deadlocks = 0;
  readonly waitTime = new FixedHistogram(lockWaitBounds);
  readonly holdTime: FixedHistogram | undefined;

  constructor(timeHold: boolean) {
    this.holdTime = timeHold ? new FixedHistogram(lockHoldBounds) : undefined;
  }

  snapshot(): LockModeStats {
    const { acquired, released, contended, waiters, timeouts, aborted, deadlocks } = this;
    return {
      acquired,
      released,
      held: acquired - released,
      contended,
      waiters,
      timeouts,
      aborted,
      deadlocks,
      waitTime: this.waitTime.snapshot(),
      ...(this.holdTime && { holdTime: this.holdTime.snapshot() }),
    };
  }
}
