import { nonNegativeInteger, positiveInteger } from '../options';
import { type CommonPoolOptions, Ledger, runThen, type Slot } from './ledger';
import type { PoolStats } from './stats';

/** Options of {@link BufferPool}. */
export interface BufferPoolOptions extends CommonPoolOptions {
  /** Bytes of the smallest size class; raised to a power of two. @default 1024 */
  readonly minSize?: number;
  /** Bytes of the largest size class; raised to a power of two. A larger buffer is made and never kept. @default 1048576 */
  readonly maxSize?: number;
  /** Most bytes kept idle, over all size classes. @default 16777216 */
  readonly maxIdleBytes?: number;
  /**
   * When buffers are filled with zeros: on `acquire`, so that nobody sees what was in them; on `release`, so that
   * secrets do not stay in memory; or `never`, for those who overwrite all they read. @default 'never'
   */
  readonly zero?: 'never' | 'acquire' | 'release';
  /** Whether to measure how long each buffer is used. @default false */
  readonly timeUse?: boolean;
}

/** Options of one `acquire`. */
export interface AcquireBufferOptions {
  /** Whether this buffer is filled with zeros. @default whether the pool's `zero` is 'acquire' */
  readonly zero?: boolean;
}

const largestClass = 2 ** 30;

/**
 * A pool of buffers in size classes, powers of two. Each buffer has memory of its own (`Buffer.allocUnsafeSlow`), never
 * a part of the slab that Node.js shares between small buffers, so keeping one keeps nothing else.
 */
export class BufferPool {
  readonly name: string;
  readonly #ledger: Ledger<Buffer>;
  readonly #minBits: number;
  readonly #maxSize: number;
  readonly #maxIdleBytes: number;
  readonly #zero: 'never' | 'acquire' | 'release';
  readonly #idle: Buffer[][] = [];

  /** @throws TypeError when an option is not as documented */
  constructor(options: BufferPoolOptions) {
    const minSize = sizeOption('minSize', options.minSize ?? 1024);
    this.#maxSize = sizeOption('maxSize', options.maxSize ?? 2 ** 20);
    if (minSize > this.#maxSize) {
      throw new TypeError(`Expected minSize to be at most maxSize (${this.#maxSize}), got ${minSize}`);
    }
    this.#minBits = bitsOf(minSize);
    this.#maxIdleBytes = nonNegativeInteger('maxIdleBytes', options.maxIdleBytes ?? 2 ** 24);
    this.#zero = options.zero ?? 'never';
    if (!['never', 'acquire', 'release'].includes(this.#zero)) {
      throw new TypeError(`Expected zero to be never, acquire or release, got ${String(this.#zero)}`);
    }
    for (let bits = this.#minBits; bits <= bitsOf(this.#maxSize); bits++) this.#idle.push([]);
    const bounds = { limit: Infinity, timeUse: options.timeUse ?? false };
    this.#ledger = new Ledger<Buffer>(this, 'buffer', options, bounds);
    this.name = this.#ledger.name;
  }

  /**
   * A buffer of at least `size` bytes: its length is that of the size class. What was in it before is still there
   * unless zeroing is asked for.
   *
   * @throws PoolClosedError; TypeError when `size` is not an integer of zero or more; RangeError from Node.js when it
   *   is more than a buffer can have
   */
  acquire(size: number, options?: AcquireBufferOptions): Buffer {
    return this.#take(size, options, this.acquire);
  }

  /**
   * Gives a buffer back; it must be the very buffer that `acquire` gave, not a part of it. One whose memory was
   * transferred to another thread is let go.
   *
   * @throws DoubleReleaseError, ForeignObjectError
   */
  release(buffer: Buffer): void {
    const { counters } = this.#ledger;
    const { bytes, sizeClass } = this.#ledger.takeIn(buffer);
    counters.usedBytes -= bytes;
    const isThere = buffer.length === bytes;
    if (isThere && this.#zero === 'release') buffer.fill(0);
    const idle = isThere ? this.#idle[sizeClass] : undefined;
    if (idle === undefined || this.#ledger.closed || counters.idleBytes + bytes > this.#maxIdleBytes) {
      counters.destroyed++;
      return;
    }
    counters.idleBytes += bytes;
    idle.push(buffer);
  }

  /** Runs `fn` with a buffer and gives it back when `fn` has returned, thrown, or its promise has settled. */
  use<R>(size: number, fn: (buffer: Buffer) => R, options?: AcquireBufferOptions): R {
    const buffer = this.#take(size, options, this.use);
    const lending = this.#ledger.lendingOf(buffer);
    return runThen(
      () => fn(buffer),
      () => this.#ledger.isStillLent(buffer, lending) && this.release(buffer),
    );
  }

  /** Lets the idle buffers go. */
  clear(): void {
    const { counters } = this.#ledger;
    for (const idle of this.#idle) {
      counters.destroyed += idle.length;
      idle.length = 0;
    }
    counters.idleBytes = 0;
  }

  /** Counters and sizes, as documented at {@link PoolStats}. */
  stats(): PoolStats {
    return this.#ledger.stats();
  }

  /** Lets the idle buffers go and takes the pool out of the statistics. */
  close(): void {
    if (this.#ledger.closed) return;
    this.clear();
    this.#ledger.close();
  }

  #take(
    size: number,
    options: AcquireBufferOptions | undefined,
    above: (...args: never[]) => unknown,
  ): Buffer {
    const ledger = this.#ledger;
    if (ledger.closed) ledger.assertOpen();
    nonNegativeInteger('size', size);
    const { counters } = ledger;
    const sizeClass = size > this.#maxSize ? -1 : Math.max(0, bitsOf(size) - this.#minBits);
    const idle = this.#idle[sizeClass];
    let buffer = idle?.pop();
    // Whoever had it may have kept its memory, and transferred it since.
    while (buffer !== undefined && buffer.length === 0) {
      this.#drop(buffer);
      buffer = idle!.pop();
    }
    let slot: Slot;
    if (buffer === undefined) {
      buffer = this.#make(idle === undefined ? size : 2 ** (sizeClass + this.#minBits));
      slot = ledger.adopt(buffer, buffer.length);
      slot.sizeClass = sizeClass;
    } else {
      slot = ledger.slotOf(buffer)!;
      counters.idleBytes -= slot.bytes;
      counters.reused++;
    }
    counters.usedBytes += slot.bytes;
    ledger.takeOut(slot, ledger.traceOf(above));
    if (options?.zero ?? this.#zero === 'acquire') buffer.fill(0);
    return buffer;
  }

  /** Lets an idle buffer go. */
  #drop(buffer: Buffer): void {
    this.#ledger.counters.destroyed++;
    this.#ledger.counters.idleBytes -= this.#ledger.slotOf(buffer)!.bytes;
  }

  #make(bytes: number): Buffer {
    try {
      return Buffer.allocUnsafeSlow(bytes);
    } catch (error) {
      this.#ledger.counters.failures.create++;
      throw error;
    }
  }
}

/** The exponent of the least power of two that is at least `size`. */
function bitsOf(size: number): number {
  return size <= 1 ? 0 : 32 - Math.clz32(size - 1);
}

function sizeOption(name: string, value: number): number {
  if (positiveInteger(name, value) <= largestClass) return 2 ** bitsOf(value);
  throw new TypeError(`Expected ${name} to be at most ${largestClass}, got ${value}`);
}
