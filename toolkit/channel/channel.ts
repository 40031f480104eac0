import { positiveInteger } from '../options';
import { registerSource } from '../sources';
import { ChannelCore } from './core';
import { ChannelClosedError } from './errors';
import { ChannelIterator } from './iterator';
import {
  type ChannelMessage,
  type ChannelOptions,
  type ChannelWaitOptions,
  settleChannelOptions,
} from './options';
import { type ChannelStats, channelSource } from './stats';
import { checkWait } from './waiters';

/** What every send that need not wait resolves with: awaiting it makes no object. */
const sent = Promise.resolve();

/** @internal The working parts of a channel, for select. */
export const coreOf: unique symbol = Symbol('core');

/**
 * Messages from those who send to those who receive, in order, within one thread. Who sends to a full channel, or
 * receives from an empty one, waits in the order of asking.
 */
export class Channel<T extends ChannelMessage> implements AsyncIterable<T> {
  readonly name: string;
  /** Most messages in the buffer; 0 where sender and receiver meet. */
  readonly capacity: number;
  /** @internal */
  readonly [coreOf]: ChannelCore<T>;
  readonly #core: ChannelCore<T>;

  /** @throws TypeError when an option is not as documented */
  constructor(options: ChannelOptions<T>) {
    const core = new ChannelCore(settleChannelOptions(options));
    this.#core = core;
    this[coreOf] = core;
    this.name = core.name;
    this.capacity = core.counters.capacity;
    const { counters } = core;
    // Who iterates holds the core and not the channel.
    core.onEnd = registerSource(
      { ...channelSource, name: this.name, stats: () => counters.snapshot() },
      core,
    );
  }

  /** Messages in the buffer. */
  get length(): number {
    return this.#core.length;
  }

  /** Whether it was closed. There may be messages left. */
  get closed(): boolean {
    return this.#core.closed;
  }

  /**
   * Sends a message: resolves once the buffer or a receiver has it. Rejects with ChannelClosedError,
   * ChannelTimeoutError or ChannelAbortedError, and then nobody gets the message.
   */
  send(message: T, options?: ChannelWaitOptions): Promise<void> {
    const core = this.#core;
    try {
      if (options !== undefined) checkWait(core.name, 'send', options);
      if (core.offer(message)) return sent;
    } catch (error) {
      return Promise.reject(error);
    }
    return core.senders.wait<void>(message, options);
  }

  /**
   * Sends a message if a receiver waits or the buffer has room; false where neither is so.
   *
   * @throws ChannelClosedError
   */
  trySend(message: T): boolean {
    if (this.#core.offer(message)) return true;
    this.#core.counters.send.refused++;
    return false;
  }

  /** As {@link send}, for at most so many milliseconds. */
  sendWithTimeout(message: T, timeoutMs: number): Promise<void> {
    return this.send(message, { timeoutMs });
  }

  /**
   * The oldest message, once there is one. Rejects with ChannelClosedError when the channel is closed and empty, with
   * ChannelTimeoutError or ChannelAbortedError; none of these takes a message.
   */
  receive(options?: ChannelWaitOptions): Promise<T> {
    const core = this.#core;
    try {
      if (options !== undefined) checkWait(core.name, 'receive', options);
      const message = this.tryReceive();
      if (message !== undefined) return Promise.resolve(message);
    } catch (error) {
      return Promise.reject(error);
    }
    return core.receivers.wait<T>(undefined, options);
  }

  /**
   * The oldest message; undefined when there is none now.
   *
   * @throws ChannelClosedError when the channel is closed and empty
   */
  tryReceive(): T | undefined {
    const message = this.#core.take();
    if (message === undefined && this.#core.closed) throw new ChannelClosedError(this.name);
    return message;
  }

  /** As {@link receive}, for at most so many milliseconds. */
  receiveWithTimeout(timeoutMs: number): Promise<T> {
    return this.receive({ timeoutMs });
  }

  /**
   * The oldest messages, once there is one: at least one, at most `max`, and as many as there are now. For who handles
   * many together, or much more traffic than one wait per message allows. Rejects as {@link receive} does.
   *
   * @param max @default as many as the channel holds, and at least 1
   */
  async receiveMany(max = Math.max(this.capacity, 1), options?: ChannelWaitOptions): Promise<T[]> {
    positiveInteger('max', max);
    // The type that awaiting gives a message stands for a promise too, which is no message of those who take many.
    const messages: T[] = [(await this.receive(options)) as T];
    while (messages.length < max) {
      const message = this.#core.take();
      if (message === undefined) break;
      messages.push(message);
    }
    return messages;
  }

  /**
   * The messages as they come, until the channel is closed and empty. Several iterators share the messages; one that
   * is left, even while it waits, takes none with it.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined> {
    return new ChannelIterator(this.#core);
  }

  /** Drops the messages in the buffer, and lets senders who wait in. Gives how many were dropped. */
  clear(): number {
    return this.#core.clear();
  }

  /** Counters and sizes, as documented at {@link ChannelStats}. */
  stats(): ChannelStats {
    return this.#core.counters.snapshot();
  }

  /**
   * Takes no more messages. Senders who wait are refused with a ChannelClosedError; what is in the buffer can still be
   * received, and the channel leaves the statistics with its last message. Calling it again does nothing.
   */
  close(): void {
    this.#core.close();
  }
}
