import { abortSignal, delayMs } from '../options';
import { ChannelAbortedError, type ChannelOperation, ChannelTimeoutError } from './errors';
import type { ChannelWaitOptions } from './options';
import type { ChannelSideCounters } from './stats';

const untimed = -Infinity;

/** What may end a wait before its time. */
interface Limits {
  readonly timer: NodeJS.Timeout | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onAbort: (() => void) | undefined;
}

/** One call that waits. */
export class Waiter<T> {
  next: Waiter<T> | undefined = undefined;
  previous: Waiter<T> | undefined = undefined;
  limits: Limits | undefined = undefined;
  /** When it began to wait, or {@link untimed}; NaN once it waits no more. */
  since: number;
  /** What a sender wants to send. */
  readonly message: T | undefined;
  /** Called once it is out of the list: with the message of a receiver, or undefined when a sender's was taken. */
  readonly serve: (message: T | undefined) => void;
  readonly fail: (error: unknown) => void;

  constructor(
    since: number,
    message: T | undefined,
    serve: (message: T | undefined) => void,
    fail: (error: unknown) => void,
  ) {
    this.since = since;
    this.message = message;
    this.serve = serve;
    this.fail = fail;
  }
}

let resolvePending: (value: never) => void;
let rejectPending: (error: unknown) => void;
/** One for all promises of waits: a closure for each would be a good part of a wait's cost. */
const capture = (resolve: (value: never) => void, reject: (error: unknown) => void): void => {
  resolvePending = resolve;
  rejectPending = reject;
};

/** Throws what a call must fail with before it does anything. */
export function checkWait(
  channel: string,
  operation: ChannelOperation | 'select',
  { timeoutMs, signal }: ChannelWaitOptions,
): void {
  if (timeoutMs !== undefined) delayMs('timeoutMs', timeoutMs);
  if (abortSignal(signal)?.aborted)
    throw new ChannelAbortedError(channel, operation, { cause: signal!.reason });
}

/** Those who wait on one side of a channel, in order: a linked list, from whose middle one who gives up goes at once. */
export class Waiters<T> {
  first: Waiter<T> | undefined = undefined;
  #last: Waiter<T> | undefined = undefined;
  #untilTimed = 1;

  constructor(
    readonly channel: string,
    readonly operation: ChannelOperation,
    readonly counters: ChannelSideCounters,
    readonly now: () => number,
    /** Every so many-th wait is timed. */
    readonly timeEvery: number,
  ) {}

  /** Lets a call wait at the end of the line. */
  add(
    message: T | undefined,
    serve: (message: T | undefined) => void,
    fail: (error: unknown) => void,
    options?: ChannelWaitOptions,
  ): Waiter<T> {
    let since = untimed;
    if (--this.#untilTimed === 0) {
      this.#untilTimed = this.timeEvery;
      since = this.now();
    }
    const waiter = new Waiter<T>(since, message, serve, fail);
    waiter.previous = this.#last;
    if (this.#last === undefined) this.first = waiter;
    else this.#last.next = waiter;
    this.#last = waiter;
    this.counters.blocked++;
    this.counters.waiting++;
    if (options !== undefined) this.#limit(waiter, options);
    return waiter;
  }

  /** As {@link add}, giving a promise of how the wait ends. */
  wait<V>(message: T | undefined, options: ChannelWaitOptions | undefined): Promise<V> {
    const promise = new Promise<V>(capture as ConstructorParameters<typeof Promise<V>>[0]);
    this.add(message, resolvePending as (message: T | undefined) => void, rejectPending, options);
    return promise;
  }

  /** Takes out the first, who is to be served. */
  shift(): Waiter<T> | undefined {
    const { first } = this;
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Takes one out, which is then nobody's; nothing where it waits no more. */
  remove(waiter: Waiter<T>): void {
    const { since, limits } = waiter;
    if (Number.isNaN(since)) return;
    const { previous, next } = waiter;
    waiter.previous = waiter.next = undefined;
    waiter.since = Number.NaN;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    this.counters.waiting--;
    if (since !== untimed) this.counters.waitTime.record((this.now() - since) / 1000);
    if (limits === undefined) return;
    clearTimeout(limits.timer);
    if (limits.onAbort !== undefined) limits.signal!.removeEventListener('abort', limits.onAbort);
  }

  #limit(waiter: Waiter<T>, { timeoutMs, signal }: ChannelWaitOptions): void {
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            this.counters.timeouts++;
            this.remove(waiter);
            waiter.fail(new ChannelTimeoutError(this.channel, this.operation, timeoutMs));
          }, timeoutMs);
    const onAbort =
      signal &&
      (() => {
        this.counters.aborted++;
        this.remove(waiter);
        waiter.fail(new ChannelAbortedError(this.channel, this.operation, { cause: signal.reason }));
      });
    if (onAbort !== undefined) signal!.addEventListener('abort', onAbort, { once: true });
    waiter.limits = { timer, signal, onAbort };
  }
}
