import { availableParallelism } from 'node:os';
import { isMainThread, threadId } from 'node:worker_threads';
import type { Trace } from '../hold-watch';
import { abortSignal, delayMs, nonEmptyString, nonNegativeInteger } from '../options';
import { registerSource } from '../sources';
import { AsyncWaits, longestSleepMs, sleepAsync, type ThreadWaitOptions } from './async-waits';
import { captureWait, publishContention } from './contention';
import { LockAbortedError, LockTimeoutError, MainThreadBlockError } from './errors';
import { LockHandle } from './handle';
import { enterOrAnnounce, leave, sleepForLock, stateWord, tryEnter } from './spin-core';
import { type LockStats, lockSource } from './stats';
import { WaiterCount, waitersAt } from './waiter-count';
import { WordTotals } from './word-totals';

/** Options of {@link SpinLock}. What `shared` gives is of this type, for the other threads. */
export interface SpinLockOptions {
  /** Names the lock in statistics and errors. */
  readonly name: string;
  /** Most looks at a lock that is held before a worker thread sleeps. @default 200, and 0 on a single processor */
  readonly maxSpins?: number;
  /** The memory of a lock that another thread made. @default new memory: a new lock */
  readonly buffer?: SharedArrayBuffer;
}

// The counters come behind the state, in a cache line of their own.
const ownerWord = 1;
const spinsWord = 2;
const acquiredWord = 16;
const contendedWord = 17;
const waitersWord = 22;
const timeoutsWord = 19;
const abortedWord = 20;
const words = 32;

type Above = (...args: never[]) => unknown;

/**
 * A lock between threads, in shared memory. A worker thread that finds it held looks again for a short time, as long as
 * lately paid off, and then sleeps. The main thread never spins and never blocks: it waits by {@link lockAsync}. Not
 * fair, not reentrant, and a thread that ends while it holds the lock leaves it held.
 */
export class SpinLock {
  readonly name: string;
  readonly #words: Int32Array;
  readonly #maxSpins: number;
  readonly #waits: AsyncWaits;
  readonly #waiters: WaiterCount;
  readonly #stats: () => LockStats;
  readonly #unregister: () => void;
  readonly #unlock = (): void => {
    this.#words[ownerWord] = 0;
    leave(this.#words);
  };

  /** @throws TypeError when an option is not as documented */
  constructor({ name, maxSpins, buffer }: SpinLockOptions) {
    this.name = nonEmptyString('name', name);
    this.#maxSpins = nonNegativeInteger('maxSpins', maxSpins ?? (availableParallelism() > 1 ? 200 : 0));
    if (buffer !== undefined && !(buffer instanceof SharedArrayBuffer && buffer.byteLength === words * 4)) {
      throw new TypeError(`Expected buffer to be what a SpinLock shares, got ${String(buffer)}`);
    }
    const memory = new Int32Array(buffer ?? new SharedArrayBuffer(words * 4));
    this.#words = memory;
    const waiters = new WaiterCount(memory, waitersWord);
    this.#waiters = waiters;
    this.#waits = new AsyncWaits({
      sleep: ms => sleepAsync(memory, stateWord, 2, ms),
      // Whoever is woken announces itself anew, so waking one too many does no harm.
      passOn: () => void Atomics.notify(memory, stateWord, 1),
      // Waits are counted one by one.
      count: () => {},
      renew: () => waiters.renew(),
    });
    const totals = new WordTotals(memory);
    this.#stats = () => statsOf(memory, totals);
    // The thread that makes it shows it; the counters are those of all threads.
    this.#unregister =
      buffer === undefined ? registerSource({ ...lockSource, name, stats: this.#stats }, this) : () => {};
  }

  /** What another thread makes its own SpinLock from: `new SpinLock(shared)`. */
  get shared(): SpinLockOptions & { readonly buffer: SharedArrayBuffer } {
    const buffer = this.#words.buffer as unknown as SharedArrayBuffer;
    return { name: this.name, maxSpins: this.#maxSpins, buffer };
  }

  /** Whether any thread holds the lock. */
  get isLocked(): boolean {
    return Atomics.load(this.#words, stateWord) !== 0;
  }

  /** The `threadId` of the thread that holds the lock; undefined while it is free. */
  get holder(): number | undefined {
    const owner = Atomics.load(this.#words, ownerWord);
    return owner === 0 ? undefined : owner - 1;
  }

  /** The lock if it is free now, else undefined. */
  tryLock(): LockHandle | undefined {
    return tryEnter(this.#words) ? this.#take() : undefined;
  }

  /**
   * The lock, for which this thread blocks.
   *
   * @throws MainThreadBlockError in the main thread; LockTimeoutError
   */
  lock({ timeoutMs }: { readonly timeoutMs?: number } = {}): LockHandle {
    if (isMainThread) throw new MainThreadBlockError('SpinLock.lock', 'lockAsync');
    if (timeoutMs !== undefined) delayMs('timeoutMs', timeoutMs);
    if (tryEnter(this.#words)) return this.#take();
    const since = performance.now();
    const trace = this.#beginWait(this.lock);
    try {
      if (!this.#spin()) this.#sleep(timeoutMs);
    } finally {
      this.#endWait(since, trace);
    }
    return this.#take();
  }

  /** The lock, once it is free; the thread works on meanwhile. Rejects with LockTimeoutError or LockAbortedError. */
  async lockAsync(options: ThreadWaitOptions = {}): Promise<LockHandle> {
    if (options.timeoutMs !== undefined) delayMs('timeoutMs', options.timeoutMs);
    const { signal } = options;
    if (abortSignal(signal)?.aborted) throw new LockAbortedError(this.name, { cause: signal!.reason });
    if (this.#waits.size === 0 && tryEnter(this.#words)) return this.#take();
    const since = performance.now();
    const trace = this.#beginWait(this.lockAsync);
    try {
      return await this.#waits.wait(
        () => (enterOrAnnounce(this.#words) ? this.#take() : undefined),
        options,
        this.#errors,
      );
    } finally {
      this.#endWait(since, trace);
    }
  }

  /** Counters of all threads, shown in the metrics by the thread that made the lock, as documented at {@link LockStats}, without times. */
  stats(): LockStats {
    return this.#stats();
  }

  /** Takes the lock out of the statistics. It works on. */
  close(): void {
    this.#unregister();
  }

  readonly #errors = {
    timeout: (ms: number): Error => {
      Atomics.add(this.#words, timeoutsWord, 1);
      return new LockTimeoutError(this.name, ms);
    },
    aborted: (cause: unknown): Error => {
      Atomics.add(this.#words, abortedWord, 1);
      return new LockAbortedError(this.name, { cause });
    },
  };

  #take(): LockHandle {
    // Only the holder writes these, so they need no atomic operation.
    this.#words[ownerWord] = threadId + 1;
    this.#words[acquiredWord]!++;
    return new LockHandle(this.name, 'exclusive', undefined, this.#unlock);
  }

  /** Looks at the lock for as long as that lately paid off, as glibc's adaptive mutex does. */
  #spin(): boolean {
    const memory = this.#words;
    const estimate = memory[spinsWord]!;
    const most = Math.min(this.#maxSpins, estimate * 2 + 10);
    for (let spins = 0; spins < most; spins++) {
      if (Atomics.load(memory, stateWord) !== 0 || !tryEnter(memory)) continue;
      memory[spinsWord] = estimate + ((spins - estimate) >> 3);
      return true;
    }
    memory[spinsWord] = estimate + ((most - estimate) >> 3);
    return false;
  }

  #sleep(timeoutMs = Infinity): void {
    const end = performance.now() + timeoutMs;
    while (!enterOrAnnounce(this.#words)) {
      const left = end - performance.now();
      if (left <= 0) throw this.#errors.timeout(timeoutMs);
      sleepForLock(this.#words, Math.min(left, longestSleepMs));
      this.#waiters.renew();
    }
  }

  #beginWait(above: Above): Trace | undefined {
    Atomics.add(this.#words, contendedWord, 1);
    this.#waiters.add(1);
    return captureWait(above);
  }

  #endWait(since: number, trace: Trace | undefined): void {
    this.#waiters.add(-1);
    if (trace !== undefined) publishContention(this.name, 'exclusive', performance.now() - since, trace);
  }
}

function statsOf(memory: Int32Array, totals: WordTotals): LockStats {
  const held = Atomics.load(memory, stateWord) === 0 ? 0 : 1;
  const acquired = totals.of(acquiredWord);
  return {
    modes: {
      exclusive: {
        acquired,
        released: acquired - held,
        held,
        contended: totals.of(contendedWord),
        waiters: waitersAt(memory, waitersWord),
        timeouts: totals.of(timeoutsWord),
        aborted: totals.of(abortedWord),
        deadlocks: 0,
      },
    },
  };
}
