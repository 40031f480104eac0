import { channel } from 'node:diagnostics_channel';
import { frames, type Held, type Trace, traceAbove } from '../hold-watch';
import type { LockMode } from './stats';

/** A wait for a lock that has ended, as subscribers of `otel-vitals:lock.contended` get it. */
export interface LockContention {
  /** The lock's name. */
  readonly name: string;
  readonly mode: LockMode;
  /** How long it was waited for, in milliseconds. */
  readonly waitMs: number;
  /** Where it was waited for: the stack of the call. */
  readonly stack: string;
}

/** A lock that is held too long, as subscribers of `otel-vitals:lock.held` get it. */
export interface LockHeld extends Held {
  readonly lock: string;
}

/** Waits that ended, for a profile of contention. Stacks are taken only while somebody listens. */
export const contendedChannel = channel('otel-vitals:lock.contended');

/** Locks held too long, from locks that watch for it. */
export const heldChannel = channel('otel-vitals:lock.held');

/** Where a wait begins; undefined while nobody listens. */
export function captureWait(above: (...args: never[]) => unknown): Trace | undefined {
  return contendedChannel.hasSubscribers ? traceAbove(above) : undefined;
}

/** Publishes a wait that has ended. */
export function publishContention(name: string, mode: LockMode, waitMs: number, trace: Trace): void {
  const message: LockContention = {
    name,
    mode,
    waitMs,
    // Writing a stack down costs more than the rest of a wait, and a listener may need that of a few only.
    get stack() {
      return frames(trace);
    },
  };
  contendedChannel.publish(message);
}
