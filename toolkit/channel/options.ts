import { listener, nonEmptyString, nonNegativeInteger, optionalCallable, positiveInteger } from '../options';

/** What a channel carries: anything but undefined, which is how `tryReceive` says that there is nothing. */
export type ChannelMessage = NonNullable<unknown> | null;

/** What becomes of a message that finds the buffer full. */
export type ChannelOverflow = 'wait' | 'drop-newest' | 'drop-oldest';

/** Options of a channel. */
export interface ChannelOptions<T extends ChannelMessage> {
  /** Names the channel in statistics and errors. */
  readonly name: string;
  /** Most messages in the buffer; at 0 a sender waits until a receiver takes its message. @default 0 */
  readonly capacity?: number;
  /**
   * What becomes of a message that finds the buffer full: its sender waits, or the message that came last or the one
   * that is oldest is dropped, and nobody waits. Dropping needs a capacity of at least 1. @default 'wait'
   */
  readonly overflow?: ChannelOverflow;
  /** Told of each message that is dropped, by `overflow` or `clear`; what it throws is ignored. @default nothing */
  readonly onDrop?: (message: T) => void;
  /**
   * Every so many-th wait of each side is timed, the first one included: reading the clock twice would be a third of a
   * short wait. All are counted. @default 10
   */
  readonly timeEvery?: number;
  /** Milliseconds of a clock that never goes back. @default performance.now */
  readonly clock?: () => number;
}

/** How a call waits for a channel. */
export interface ChannelWaitOptions {
  /** How long, in milliseconds; then a ChannelTimeoutError. @default for ever */
  readonly timeoutMs?: number;
  /** Ends the wait with a ChannelAbortedError. */
  readonly signal?: AbortSignal;
}

/** The options with their defaults, checked. */
export interface SettledChannelOptions<T extends ChannelMessage> {
  readonly name: string;
  readonly capacity: number;
  readonly overflow: ChannelOverflow;
  readonly onDrop: (message: T) => void;
  readonly timeEvery: number;
  readonly now: () => number;
}

const overflows: readonly string[] = ['wait', 'drop-newest', 'drop-oldest'] satisfies ChannelOverflow[];

/** @throws TypeError when an option is not as documented */
export function settleChannelOptions<T extends ChannelMessage>(
  options: ChannelOptions<T>,
): SettledChannelOptions<T> {
  const { name, capacity = 0, overflow = 'wait', onDrop, timeEvery, clock } = options;
  nonEmptyString('name', name);
  nonNegativeInteger('capacity', capacity);
  if (!overflows.includes(overflow)) {
    throw new TypeError(`Expected overflow to be ${overflows.join(', ')}, got ${String(overflow)}`);
  }
  if (overflow !== 'wait' && capacity === 0) {
    throw new TypeError(`Expected a capacity of at least 1 where overflow is ${overflow}, got 0`);
  }
  return {
    name,
    capacity,
    overflow,
    onDrop: listener('onDrop', onDrop),
    timeEvery: positiveInteger('timeEvery', timeEvery ?? 10),
    now: optionalCallable('clock', clock) ?? (() => performance.now()),
  };
}
