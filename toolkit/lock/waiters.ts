import type { Trace } from '../hold-watch';
import { abortSignal, delayMs } from '../options';
import { captureWait, publishContention } from './contention';
import { LockAbortedError, LockTimeoutError } from './errors';
import type { LockHandle, LockOwner } from './handle';
import type { LockMode, LockModeCounters } from './stats';

/** How a call waits for a lock. */
export interface LockWaitOptions {
  /** How long, in milliseconds; then a LockTimeoutError. @default for ever */
  readonly timeoutMs?: number;
  /** Ends the wait with a LockAbortedError. */
  readonly signal?: AbortSignal;
}

/** One call that waits. */
export class Waiter {
  next: Waiter | undefined = undefined;
  previous: Waiter | undefined = undefined;
  resolve!: (handle: LockHandle) => void;
  reject!: (error: unknown) => void;
  timer: NodeJS.Timeout | undefined = undefined;
  signal: AbortSignal | undefined = undefined;
  onAbort: (() => void) | undefined = undefined;
  /** Whether it waits no more. */
  ended = false;
  /** How long it waited, in milliseconds, once it has ended. */
  waitMs = 0;
  constructor(
    readonly mode: LockMode,
    readonly owner: LockOwner | undefined,
    readonly since: number,
    /** Place in the order of all who wait for the lock, over its modes. */
    readonly ticket: number,
    readonly trace: Trace | undefined,
    /** The stack to watch a long hold with, once it has the lock. */
    readonly holdTrace: Trace | undefined,
  ) {}
}

/** Throws what a call must fail with before it waits. */
export function checkWait(lock: string, { timeoutMs, signal }: LockWaitOptions): void {
  if (timeoutMs !== undefined) delayMs('timeoutMs', timeoutMs);
  if (abortSignal(signal)?.aborted) throw new LockAbortedError(lock, { cause: signal!.reason });
}

/** Those who wait for a lock in one mode, in order: a linked list, from whose middle one who gives up goes at once. */
export class Waiters {
  first: Waiter | undefined = undefined;
  last: Waiter | undefined = undefined;

  /**
   * @param lock names the lock in errors
   * @param label names it to subscribers
   */
  constructor(
    readonly lock: string,
    readonly label: string,
    readonly mode: LockMode,
    readonly counters: LockModeCounters,
    readonly now: () => number,
    /** Called after one gave up: those behind it may be free to go. */
    readonly onGone: () => void,
  ) {}

  /** Lets a call wait. `above` is the public method that the application called. */
  wait(
    options: LockWaitOptions | undefined,
    owner: LockOwner | undefined,
    ticket: number,
    above: (...args: never[]) => unknown,
    holdTrace: Trace | undefined,
    onQueued?: (waiter: Waiter) => void,
  ): Promise<LockHandle> {
    const waiter = new Waiter(this.mode, owner, this.now(), ticket, captureWait(above), holdTrace);
    return new Promise<LockHandle>((resolve, reject) => {
      waiter.resolve = resolve;
      waiter.reject = reject;
      this.#append(waiter);
      this.counters.contended++;
      this.counters.waiters++;
      if (options !== undefined) this.#limit(waiter, options);
      onQueued?.(waiter);
    });
  }

  /** Takes out the first, who is given the lock; then it is to be {@link publish}ed. */
  shift(): Waiter | undefined {
    const { first } = this;
    if (first !== undefined) this.#end(first);
    return first;
  }

  /** Ends a wait with an error. */
  fail(waiter: Waiter, error: unknown): void {
    this.#end(waiter);
    waiter.reject(error);
    this.onGone();
    this.publish(waiter);
  }

  /** Tells of a wait that ended, last of all: who is told may use the lock. */
  publish(waiter: Waiter): void {
    if (waiter.trace !== undefined) publishContention(this.label, this.mode, waiter.waitMs, waiter.trace);
  }

  #limit(waiter: Waiter, { timeoutMs, signal }: LockWaitOptions): void {
    if (timeoutMs !== undefined) {
      waiter.timer = setTimeout(() => {
        this.counters.timeouts++;
        this.fail(waiter, new LockTimeoutError(this.lock, timeoutMs));
      }, timeoutMs);
    }
    if (signal !== undefined) {
      waiter.signal = signal;
      waiter.onAbort = () => {
        this.counters.aborted++;
        this.fail(waiter, new LockAbortedError(this.lock, { cause: signal.reason }));
      };
      signal.addEventListener('abort', waiter.onAbort, { once: true });
    }
  }

  #append(waiter: Waiter): void {
    waiter.previous = this.last;
    if (this.last === undefined) this.first = waiter;
    else this.last.next = waiter;
    this.last = waiter;
  }

  #end(waiter: Waiter): void {
    const { previous, next } = waiter;
    waiter.previous = waiter.next = undefined;
    waiter.ended = true;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.last = previous;
    else next.previous = previous;
    this.counters.waiters--;
    waiter.waitMs = this.now() - waiter.since;
    this.counters.waitTime.record(waiter.waitMs / 1000);
    if (waiter.timer !== undefined) clearTimeout(waiter.timer);
    if (waiter.onAbort !== undefined) waiter.signal!.removeEventListener('abort', waiter.onAbort);
  }
}
