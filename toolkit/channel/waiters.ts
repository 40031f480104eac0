import { delayMs } from '../options';
import { ChannelAbortedError, type ChannelOperation, ChannelTimeoutError } from './errors';
import type { ChannelWaitOptions } from './options';
import type { ChannelSideCounters } from './stats';

/** One call that waits. */
export class Waiter<T> {
  next: Waiter<T> | undefined = undefined;
  previous: Waiter<T> | undefined = undefined;
  timer: NodeJS.Timeout | undefined = undefined;
  signal: AbortSignal | undefined = undefined;
  onAbort: (() => void) | undefined = undefined;
  /** Whether it waits no more. */
  ended = false;
  constructor(
    readonly since: number,
    /** What a sender wants to send. */
    readonly message: T | undefined,
    /** Called once it is out of the list: with the message of a receiver, or undefined when a sender's was taken. */
    readonly serve: (message: T) => void,
    readonly fail: (error: unknown) => void,
  ) {}
}

/** Throws what a call must fail with before it does anything. */
export function checkWait(
  channel: string,
  operation: ChannelOperation | 'select',
  { timeoutMs, signal }: ChannelWaitOptions,
): void {
  if (timeoutMs !== undefined) delayMs('timeoutMs', timeoutMs);
  if (signal?.aborted) throw new ChannelAbortedError(channel, operation, { cause: signal.reason });
}

/** Those who wait on one side of a channel, in order: a linked list, from whose middle one who gives up goes at once. */
export class Waiters<T> {
  first: Waiter<T> | undefined = undefined;
  #last: Waiter<T> | undefined = undefined;

  constructor(
    readonly channel: string,
    readonly operation: ChannelOperation,
    readonly counters: ChannelSideCounters,
    readonly now: () => number,
  ) {}

  /** Lets a call wait at the end of the line. */
  add(
    message: T | undefined,
    serve: (message: T) => void,
    fail: (error: unknown) => void,
    options?: ChannelWaitOptions,
  ): Waiter<T> {
    const waiter = new Waiter<T>(this.now(), message, serve, fail);
    waiter.previous = this.#last;
    if (this.#last === undefined) this.first = waiter;
    else this.#last.next = waiter;
    this.#last = waiter;
    this.counters.blocked++;
    this.counters.waiting++;
    if (options !== undefined) this.#limit(waiter, options);
    return waiter;
  }

  /** Takes out the first, who is to be served. */
  shift(): Waiter<T> | undefined {
    const { first } = this;
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Takes one out, which is then nobody's; nothing where it waits no more. */
  remove(waiter: Waiter<T>): void {
    if (waiter.ended) return;
    const { previous, next } = waiter;
    waiter.previous = waiter.next = undefined;
    waiter.ended = true;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    this.counters.waiting--;
    this.counters.waitTime.record((this.now() - waiter.since) / 1000);
    if (waiter.timer !== undefined) clearTimeout(waiter.timer);
    if (waiter.onAbort !== undefined) waiter.signal!.removeEventListener('abort', waiter.onAbort);
  }

  #limit(waiter: Waiter<T>, { timeoutMs, signal }: ChannelWaitOptions): void {
    if (timeoutMs !== undefined) {
      waiter.timer = setTimeout(() => {
        this.counters.timeouts++;
        this.remove(waiter);
        waiter.fail(new ChannelTimeoutError(this.channel, this.operation, timeoutMs));
      }, timeoutMs);
    }
    if (signal !== undefined) {
      waiter.signal = signal;
      waiter.onAbort = () => {
        this.counters.aborted++;
        this.remove(waiter);
        waiter.fail(new ChannelAbortedError(this.channel, this.operation, { cause: signal.reason }));
      };
      signal.addEventListener('abort', waiter.onAbort, { once: true });
    }
  }
}
