import { type Held, HoldWatch, type HoldWatchOptions } from '../hold-watch';
import { listener, nonEmptyString, optionalCallable } from '../options';
import { heldChannel, type LockHeld } from './contention';

/** Finds locks that are held for too long. Off unless it is given. */
export interface LockWatchOptions extends HoldWatchOptions {
  /** Told of each, once; the lock stays held. Also published on `otel-vitals:lock.held`. @default nothing */
  readonly onHeld?: (held: LockHeld) => void;
}

/** What locks take. */
export interface LockOptions {
  /** Names the lock in statistics and errors. */
  readonly name: string;
  /** Whether to measure how long the lock is held: two readings of the clock each time. @default true */
  readonly timeHold?: boolean;
  /** Off unless given. */
  readonly holdWatch?: LockWatchOptions;
  /** Milliseconds of a clock that never goes back. @default performance.now */
  readonly clock?: () => number;
}

/** The options with their defaults, checked. */
export interface SettledLockOptions {
  readonly name: string;
  readonly timeHold: boolean;
  readonly watch: HoldWatch | undefined;
  readonly now: () => number;
}

/** @throws TypeError when an option is not as documented */
export function settleLockOptions({ name, timeHold, holdWatch, clock }: LockOptions): SettledLockOptions {
  nonEmptyString('name', name);
  const now = optionalCallable('clock', clock) ?? (() => performance.now());
  return { name, timeHold: timeHold ?? true, watch: holdWatch && watchHolds(name, holdWatch, now), now };
}

function watchHolds(lock: string, options: LockWatchOptions, now: () => number): HoldWatch {
  const onHeld = listener('holdWatch.onHeld', options.onHeld);
  const report = (held: Held): void => {
    const told: LockHeld = { lock, ...held };
    heldChannel.publish(told);
    onHeld(told);
  };
  return new HoldWatch(options, report, now);
}
