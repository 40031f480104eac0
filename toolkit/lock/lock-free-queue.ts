import { availableParallelism } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { abortSignal, delayMs, nonEmptyString, positiveInteger } from '../options';
import { registerSource } from '../sources';
import { AsyncWaits, longestSleepMs, type ThreadWaitOptions } from './async-waits';
import { MainThreadBlockError, QueueAbortedError, QueueClosedError, QueueTimeoutError } from './errors';
import { MessageCodec, type QueueMessage } from './message-codec';
import * as core from './queue-core';
import { sleepForMessage, sleepForRoom } from './queue-sleep';
import {
  type QueueStats,
  queueSource,
  queueStats,
  waitingConsumersWord,
  waitingProducersWord,
} from './queue-stats';
import { WaiterCount } from './waiter-count';

/** Options of {@link LockFreeQueue}. What `shared` gives is of this type, for the other threads. */
export interface LockFreeQueueOptions {
  /** Names the queue in statistics and errors. */
  readonly name: string;
  /** Most messages in the queue; raised to a power of two, at least 2. @default 1024 */
  readonly capacity?: number;
  /** Most bytes of one message: 8 for a number, those of the text or bytes, and of an object its JSON. @default 120 */
  readonly messageBytes?: number;
  /** The memory of a queue that another thread made. @default new memory: a new queue */
  readonly buffer?: SharedArrayBuffer;
}

/**
 * Looks at an empty or full queue before a worker thread sleeps, each after a pause twice as long as the one before: in
 * all about as long as waking it again would take. Without pauses it would take the place under the hands of the
 * thread that is filling it, again and again.
 */
const looks = availableParallelism() > 1 ? 2 : 0;
const shortestPause = 64;
const idle = new Int32Array(1);
const placeHeadBytes = 8;
const mostCapacity = 2 ** 24;

/**
 * A bounded queue of messages between threads, for many producers and many consumers. Messages are copied through
 * shared memory without locks. Each producer's messages stay in order. Worker threads may block on it; the main thread
 * never does: it waits by {@link enqueue} and {@link dequeue}.
 */
export class LockFreeQueue<T extends QueueMessage = QueueMessage> {
  readonly name: string;
  readonly #words: Int32Array;
  readonly #ring: core.Ring;
  readonly #codec: MessageCodec;
  readonly #messageBytes: number;
  readonly #waiting: { readonly message: WaiterCount; readonly room: WaiterCount };
  readonly #receivers: AsyncWaits;
  readonly #senders: AsyncWaits;
  readonly #stats: () => QueueStats;
  readonly #unregister: () => void;

  /**
   * @param start the first position, for tests of what happens when positions run over
   * @throws TypeError when an option is not as documented
   */
  constructor(options: LockFreeQueueOptions, start = 0) {
    this.name = nonEmptyString('name', options.name);
    const capacity = powerOfTwo(positiveInteger('capacity', options.capacity ?? 1024));
    this.#messageBytes = positiveInteger('messageBytes', options.messageBytes ?? 120);
    // Numbers need whole eights. Places are packed: threads seldom stand at neighbouring ones, and memory is what costs.
    const placeBytes = placeHeadBytes + Math.ceil(this.#messageBytes / 8) * 8;
    const bytes = core.headerWords * 4 + capacity * placeBytes;
    const { buffer = new SharedArrayBuffer(bytes) } = options;
    if (!(buffer instanceof SharedArrayBuffer) || buffer.byteLength !== bytes) {
      throw new TypeError(`Expected buffer to be what a LockFreeQueue of these sizes shares`);
    }
    const words = new Int32Array(buffer);
    const ring: core.Ring = { stride: placeBytes / 4, mask: capacity - 1 };
    this.#words = words;
    this.#ring = ring;
    this.#codec = new MessageCodec(this.name, buffer, this.#messageBytes);
    if (options.buffer === undefined) core.initialize(words, ring, start);
    const consumers = new WaiterCount(words, waitingConsumersWord);
    const producers = new WaiterCount(words, waitingProducersWord);
    this.#waiting = { message: consumers, room: producers };
    this.#receivers = new AsyncWaits({
      sleep: ms => sleepForMessage(words, ring, ms),
      passOn: () => {
        if (core.hasMessage(words, ring)) core.wakeOne(words, core.messagesWord, core.consumersSleep);
      },
      count: change => consumers.add(change),
      renew: () => consumers.renew(),
    });
    this.#senders = new AsyncWaits({
      sleep: ms => sleepForRoom(words, ring, ms),
      passOn: () => {
        if (core.hasRoom(words, ring)) core.wakeOne(words, core.roomWord, core.producersSleep);
      },
      count: change => producers.add(change),
      renew: () => producers.renew(),
    });
    const stats = queueStats(words, capacity, start);
    this.#stats = stats;
    // The thread that makes it shows it; the counters are those of all threads.
    this.#unregister =
      options.buffer === undefined
        ? registerSource({ ...queueSource, name: this.name, stats }, this)
        : () => {};
  }

  /** What another thread makes its own LockFreeQueue from: `new LockFreeQueue(shared)`. */
  get shared(): Required<LockFreeQueueOptions> {
    const buffer = this.#words.buffer as unknown as SharedArrayBuffer;
    return { name: this.name, capacity: this.capacity, messageBytes: this.#messageBytes, buffer };
  }

  /** Most messages in the queue. */
  get capacity(): number {
    return this.#ring.mask + 1;
  }

  /** Messages in the queue; while others use it, about as many. */
  get length(): number {
    const received = Atomics.load(this.#words, core.headWord);
    return Math.min(this.capacity, (Atomics.load(this.#words, core.tailWord) - received) >>> 1);
  }

  get closed(): boolean {
    return (Atomics.load(this.#words, core.tailWord) & 1) !== 0;
  }

  /**
   * Puts a message in; false when there is no room, or when there is none for this thread's calls of {@link enqueue} that
   * wait, which go first.
   *
   * @throws MessageTooLargeError, QueueClosedError; TypeError for what cannot be a message
   */
  tryEnqueue(message: T): boolean {
    if (this.#senders.size > 0) this.#senders.serve();
    if (this.#senders.size === 0 && this.#put(message)) return true;
    Atomics.add(this.#words, core.refusedWord, 1);
    return false;
  }

  /**
   * Takes the oldest message; undefined when there is none, or none beyond those for this thread's calls of
   * {@link dequeue} that wait, which go first.
   *
   * @throws QueueClosedError when the queue is closed and empty
   */
  tryDequeue(): T | undefined {
    if (this.#receivers.size > 0) this.#receivers.serve();
    return this.#receivers.size > 0 ? undefined : this.#take();
  }

  /** Puts a message in once there is room. Rejects as {@link tryEnqueue} throws, with QueueTimeoutError or QueueAbortedError. */
  async enqueue(message: T, options: ThreadWaitOptions = {}): Promise<void> {
    this.#checkSignal(options);
    if (this.#senders.size === 0 && this.#put(message)) return;
    await this.#senders.wait(() => this.#put(message) || undefined, options, this.#errors('room'));
  }

  /** Takes the oldest message once there is one. Rejects with QueueClosedError, QueueTimeoutError or QueueAbortedError. */
  async dequeue(options: ThreadWaitOptions = {}): Promise<T> {
    this.#checkSignal(options);
    const message = this.#receivers.size === 0 ? this.#take() : undefined;
    if (message !== undefined) return message;
    return this.#receivers.wait(() => this.#take(), options, this.#errors('message'));
  }

  /**
   * As {@link enqueue}, but this thread blocks.
   *
   * @throws MainThreadBlockError in the main thread; what {@link enqueue} rejects with
   */
  enqueueSync(message: T, { timeoutMs }: { readonly timeoutMs?: number } = {}): void {
    if (isMainThread) throw new MainThreadBlockError('LockFreeQueue.enqueueSync', 'enqueue');
    if (this.#senders.size === 0 && this.#put(message)) return;
    const attempt = (): true | undefined => {
      // Those go first: a producer's messages stay in order.
      if (this.#senders.size > 0) this.#senders.serve();
      return (this.#senders.size === 0 && this.#put(message)) || undefined;
    };
    this.#block(attempt, core.sleepForRoom, 'room', timeoutMs);
  }

  /**
   * As {@link dequeue}, but this thread blocks.
   *
   * @throws MainThreadBlockError in the main thread; what {@link dequeue} rejects with
   */
  dequeueSync({ timeoutMs }: { readonly timeoutMs?: number } = {}): T {
    if (isMainThread) throw new MainThreadBlockError('LockFreeQueue.dequeueSync', 'dequeue');
    const message = this.#receivers.size === 0 ? this.#get() : undefined;
    if (message !== undefined) return message;
    return this.#block(() => this.tryDequeue(), core.sleepForMessage, 'message', timeoutMs);
  }

  /** The messages as they come, until the queue is closed and empty. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      let message: T;
      try {
        message = await this.dequeue();
      } catch (error) {
        if (error instanceof QueueClosedError) return;
        throw error;
      }
      yield message;
    }
  }

  /** Counters of all threads, as documented at {@link QueueStats}. */
  stats(): QueueStats {
    return this.#stats();
  }

  /**
   * Closes the queue for all threads: no message goes in any more. Those that went in, and those that other threads are
   * just putting in, can still be taken.
   */
  close(): void {
    core.closeQueue(this.#words);
    this.#unregister();
  }

  #put(message: T): boolean {
    this.#codec.prepare(message);
    const place = core.claimRoom(this.#words, this.#ring);
    if (place < 0) {
      if (place === core.isClosed) throw new QueueClosedError(this.name);
      return false;
    }
    this.#codec.write(place);
    core.publish(this.#words, place);
    core.wakeSleepers(this.#words, this.#ring);
    return true;
  }

  #get(): T | undefined {
    const place = core.claimMessage(this.#words, this.#ring);
    if (place < 0) return undefined;
    const message = this.#codec.read(place) as T;
    core.recycle(this.#words, this.#ring, place);
    core.wakeSleepers(this.#words, this.#ring);
    return message;
  }

  /** As {@link #get}, and throws once none will come. */
  #take(): T | undefined {
    const message = this.#get();
    if (message === undefined && core.isOver(this.#words)) throw new QueueClosedError(this.name);
    return message;
  }

  #block<R>(
    attempt: () => R | undefined,
    sleep: (words: Int32Array, ring: core.Ring, ms: number) => void,
    waitedFor: 'room' | 'message',
    timeoutMs: number | undefined,
  ): R {
    if (timeoutMs !== undefined) delayMs('timeoutMs', timeoutMs);
    const waiting = this.#waiting[waitedFor];
    let end = Infinity;
    for (let tries = 0; ; tries++) {
      const result = attempt();
      if (result !== undefined) return result;
      if (tries < looks) {
        for (let i = shortestPause << tries; i > 0; i--) Atomics.load(idle, 0);
        continue;
      }
      const now = performance.now();
      if (end === Infinity && timeoutMs !== undefined) end = now + timeoutMs;
      if (now >= end) throw new QueueTimeoutError(this.name, waitedFor, timeoutMs!);
      waiting.add(1);
      sleep(this.#words, this.#ring, Math.min(end - now, longestSleepMs));
      waiting.add(-1);
    }
  }

  #checkSignal({ signal }: ThreadWaitOptions): void {
    if (abortSignal(signal)?.aborted) throw new QueueAbortedError(this.name, { cause: signal!.reason });
  }

  #errors(waitedFor: 'room' | 'message') {
    return {
      timeout: (ms: number) => new QueueTimeoutError(this.name, waitedFor, ms),
      aborted: (cause: unknown) => new QueueAbortedError(this.name, { cause }),
    };
  }
}

function powerOfTwo(value: number): number {
  if (value > mostCapacity)
    throw new TypeError(`Expected capacity to be at most ${mostCapacity}, got ${value}`);
  return value <= 2 ? 2 : 2 ** (32 - Math.clz32(value - 1));
}
