import { ChannelClosedError } from './errors';
import type { ChannelMessage, SettledChannelOptions } from './options';
import { RingBuffer } from './ring-buffer';
import { ChannelCounters } from './stats';
import { Waiters } from './waiters';

/**
 * What a channel does without waiting. Whoever makes room or brings a message serves the first who waits for it, so
 * that nobody overtakes: senders wait only while the buffer is full, receivers only while it is empty.
 */
export class ChannelCore<T extends ChannelMessage> {
  readonly name: string;
  readonly counters: ChannelCounters;
  readonly senders: Waiters<T>;
  readonly receivers: Waiters<T>;
  closed = false;
  /** Called once the channel is closed and empty. */
  onEnd: (() => void) | undefined = undefined;
  readonly #buffer: RingBuffer<T>;
  readonly #options: SettledChannelOptions<T>;

  constructor(options: SettledChannelOptions<T>) {
    const { name, capacity, now, timeEvery } = options;
    this.name = name;
    this.#options = options;
    this.counters = new ChannelCounters(capacity);
    this.#buffer = new RingBuffer<T>(capacity);
    this.senders = new Waiters(name, 'send', this.counters.send, now, timeEvery);
    this.receivers = new Waiters(name, 'receive', this.counters.receive, now, timeEvery);
  }

  get length(): number {
    return this.#buffer.length;
  }

  /** Whether nothing is left to receive and nothing will come. */
  get ended(): boolean {
    return this.closed && this.#buffer.length === 0;
  }

  /**
   * Takes a message if that needs no waiting.
   *
   * @throws ChannelClosedError
   */
  offer(message: T): boolean {
    if (message === undefined) assertMessage(message);
    const { counters } = this;
    if (this.closed) {
      counters.send.closed++;
      throw new ChannelClosedError(this.name);
    }
    if (this.receivers.first !== undefined) {
      counters.sent++;
      counters.received++;
      this.receivers.shift()!.serve(message);
      return true;
    }
    if (this.#buffer.length < counters.capacity) {
      counters.sent++;
      this.#buffer.push(message);
      return true;
    }
    return this.#options.overflow !== 'wait' && this.#overflow(message);
  }

  /** The oldest message; undefined when there is none. */
  take(): T | undefined {
    const { counters } = this;
    const message = this.#buffer.shift();
    if (message === undefined) {
      const sender = this.senders.shift();
      if (sender === undefined) return undefined;
      counters.sent++;
      counters.received++;
      const handed = sender.message!;
      sender.serve(undefined);
      return handed;
    }
    counters.received++;
    if (this.senders.first !== undefined) this.#admit();
    else if (this.closed && this.#buffer.length === 0) this.onEnd?.();
    return message;
  }

  /** Drops what is in the buffer, and gives how many messages that were. */
  clear(): number {
    let dropped = 0;
    for (let left = this.#buffer.length; left > 0; left--) {
      const message = this.#buffer.shift();
      // onDrop may have taken the rest.
      if (message === undefined) break;
      dropped++;
      this.#drop(message);
    }
    while (this.senders.first !== undefined && this.#buffer.length < this.counters.capacity) this.#admit();
    if (this.ended) this.onEnd?.();
    return dropped;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (let sender = this.senders.shift(); sender !== undefined; sender = this.senders.shift()) {
      this.counters.send.closed++;
      sender.fail(new ChannelClosedError(this.name));
    }
    for (let one = this.receivers.shift(); one !== undefined; one = this.receivers.shift()) {
      one.fail(new ChannelClosedError(this.name));
    }
    if (this.ended) this.onEnd?.();
  }

  /** Lets the first sender who waits put its message into the buffer, which has room. */
  #admit(): void {
    const sender = this.senders.shift()!;
    this.counters.sent++;
    this.#buffer.push(sender.message!);
    sender.serve(undefined);
  }

  #overflow(message: T): true {
    this.counters.sent++;
    let dropped = message;
    if (this.#options.overflow === 'drop-oldest') {
      dropped = this.#buffer.shift()!;
      this.#buffer.push(message);
    }
    this.#drop(dropped);
    return true;
  }

  #drop(message: T): void {
    this.counters.dropped++;
    this.#options.onDrop(message);
  }
}

/** @throws TypeError for what can be no message */
export function assertMessage(message: unknown): void {
  if (message === undefined) throw new TypeError('Expected a message other than undefined');
}
