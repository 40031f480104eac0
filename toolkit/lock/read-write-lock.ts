import { registerSource } from '../sources';
import { LockCore, type LockPreference } from './core';
import type { LockHandle } from './handle';
import { type LockOptions, settleLockOptions } from './options';
import { LockModeCounters, type LockStats, lockSource } from './stats';
import type { LockWaitOptions } from './waiters';

/** Options of {@link ReadWriteLock}. */
export interface ReadWriteLockOptions extends LockOptions {
  /**
   * Who goes first when both wait. `fair`: in the order of asking; readers that asked one after another go together,
   * and nobody starves. `writer`: writers before readers, which starve while writers keep coming. @default 'fair'
   */
  readonly preference?: LockPreference;
}

/**
 * A lock that many readers or one writer hold at a time. A reader waits as soon as a writer does, so that readers that
 * keep coming starve no writer. Not reentrant: a reader that asks again while a writer waits, waits for ever.
 */
export class ReadWriteLock {
  readonly name: string;
  readonly #core: LockCore;
  readonly #stats: () => LockStats;
  readonly #unregister: () => void;

  /** @throws TypeError when an option is not as documented */
  constructor(options: ReadWriteLockOptions) {
    const { name, timeHold, watch, now } = settleLockOptions(options);
    const preference = checkPreference(options.preference ?? 'fair');
    this.name = name;
    const shared = new LockModeCounters(timeHold);
    const exclusive = new LockModeCounters(timeHold);
    this.#core = new LockCore({ name, label: name, exclusive, shared, preference, watch, now });
    this.#stats = () => ({ modes: { read: shared.snapshot(), write: exclusive.snapshot() } });
    this.#unregister = registerSource({ ...lockSource, name, stats: this.#stats }, this);
  }

  /** Whether anybody holds the lock. */
  get isLocked(): boolean {
    return this.#core.isLocked;
  }

  /** The lock for reading, once no writer holds it or waits before. Rejects with LockTimeoutError or LockAbortedError. */
  readLock(options?: LockWaitOptions): Promise<LockHandle> {
    return this.#core.acquire(true, options, undefined, this.readLock);
  }

  /** The lock for writing, once nobody holds it. Rejects with LockTimeoutError or LockAbortedError. */
  writeLock(options?: LockWaitOptions): Promise<LockHandle> {
    return this.#core.acquire(false, options, undefined, this.writeLock);
  }

  /** The lock for reading if no writer holds it or waits, else undefined. */
  tryReadLock(): LockHandle | undefined {
    return this.#core.tryAcquire(true, undefined, this.tryReadLock);
  }

  /** The lock for writing if nobody holds it, else undefined. */
  tryWriteLock(): LockHandle | undefined {
    return this.#core.tryAcquire(false, undefined, this.tryWriteLock);
  }

  /** Runs `fn` while holding the lock for reading, and releases it however `fn` ends. */
  async useRead<R>(fn: () => Promise<R> | R, options?: LockWaitOptions): Promise<R> {
    const handle = await this.#core.acquire(true, options, undefined, this.useRead);
    try {
      return await fn();
    } finally {
      handle.release();
    }
  }

  /** Runs `fn` while holding the lock for writing, and releases it however `fn` ends. */
  async useWrite<R>(fn: () => Promise<R> | R, options?: LockWaitOptions): Promise<R> {
    const handle = await this.#core.acquire(false, options, undefined, this.useWrite);
    try {
      return await fn();
    } finally {
      handle.release();
    }
  }

  /** Counters, as documented at {@link LockStats}. */
  stats(): LockStats {
    return this.#stats();
  }

  /** Takes the lock out of the statistics. It works on; a lock that is dropped needs no closing. */
  close(): void {
    this.#unregister();
  }
}

/** @throws TypeError when it is none */
export function checkPreference(preference: LockPreference): LockPreference {
  if (preference === 'fair' || preference === 'writer') return preference;
  throw new TypeError(`Expected preference to be fair or writer, got ${String(preference)}`);
}
