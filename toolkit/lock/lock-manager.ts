import { nonEmptyString, positiveInteger } from '../options';
import { registerSource } from '../sources';
import { LockCore, type LockPreference } from './core';
import { LockLimitError } from './errors';
import type { LockHandle, LockOwner } from './handle';
import { LockSession, type SessionLocks } from './lock-session';
import { type LockOptions, type SettledLockOptions, settleLockOptions } from './options';
import { checkPreference } from './read-write-lock';
import { LockModeCounters, type LockStats, lockSource } from './stats';
import type { LockWaitOptions, Waiter } from './waiters';

/** Options of {@link LockManager}. */
export interface LockManagerOptions extends LockOptions {
  /** Who goes first when readers and writers wait for one lock. @default 'fair' */
  readonly preference?: LockPreference;
  /** Most locks held or waited for at a time. @default 10000 */
  readonly maxLocks?: number;
  /** Whether a session whose wait would close a circle is refused with a DeadlockError. @default false */
  readonly detectDeadlocks?: boolean;
}

/**
 * Read-write locks by key. A lock is there while it is held or waited for, and no longer, so keys cost no memory and
 * may be user data: statistics and contention profiles carry the manager's name and never a key.
 */
export class LockManager {
  readonly name: string;
  readonly #settled: SettledLockOptions;
  readonly #preference: LockPreference;
  readonly #maxLocks: number;
  readonly #detect: boolean;
  readonly #locks = new Map<string, LockCore>();
  readonly #shared: LockModeCounters;
  readonly #exclusive: LockModeCounters;
  readonly #stats: () => LockStats;
  readonly #unregister: () => void;

  /** @throws TypeError when an option is not as documented */
  constructor(options: LockManagerOptions) {
    this.#settled = settleLockOptions(options);
    this.#preference = checkPreference(options.preference ?? 'fair');
    this.#maxLocks = positiveInteger('maxLocks', options.maxLocks ?? 10_000);
    this.#detect = options.detectDeadlocks ?? false;
    const { name, timeHold } = this.#settled;
    this.name = name;
    const shared = new LockModeCounters(timeHold);
    const exclusive = new LockModeCounters(timeHold);
    this.#shared = shared;
    this.#exclusive = exclusive;
    this.#stats = () => ({ modes: { read: shared.snapshot(), write: exclusive.snapshot() } });
    this.#unregister = registerSource({ ...lockSource, name, stats: this.#stats }, this);
  }

  /** Locks held or waited for now. */
  get size(): number {
    return this.#locks.size;
  }

  /** Whether anybody holds the lock of `key`. */
  isLocked(key: string): boolean {
    return this.#locks.has(key);
  }

  /** The lock of `key` alone. Rejects with LockTimeoutError, LockAbortedError or LockLimitError. */
  lock(key: string, options?: LockWaitOptions): Promise<LockHandle> {
    return this.#acquire(key, false, options, this.lock);
  }

  /** The lock of `key` together with other readers. Rejects as {@link lock} does. */
  readLock(key: string, options?: LockWaitOptions): Promise<LockHandle> {
    return this.#acquire(key, true, options, this.readLock);
  }

  /**
   * The lock of `key` alone if it is free now, else undefined.
   *
   * @throws LockLimitError
   */
  tryLock(key: string): LockHandle | undefined {
    return this.#core(key).tryAcquire(false, undefined, this.tryLock);
  }

  /**
   * The lock of `key` together with other readers if it can be had now, else undefined.
   *
   * @throws LockLimitError
   */
  tryReadLock(key: string): LockHandle | undefined {
    return this.#core(key).tryAcquire(true, undefined, this.tryReadLock);
  }

  /** Runs `fn` while holding the lock of `key` alone, and releases it however `fn` ends. */
  async use<R>(key: string, fn: () => Promise<R> | R, options?: LockWaitOptions): Promise<R> {
    const handle = await this.#acquire(key, false, options, this.use);
    try {
      return await fn();
    } finally {
      handle.release();
    }
  }

  /** Runs `fn` while holding the lock of `key` together with other readers, and releases it however `fn` ends. */
  async useRead<R>(key: string, fn: () => Promise<R> | R, options?: LockWaitOptions): Promise<R> {
    const handle = await this.#acquire(key, true, options, this.useRead);
    try {
      return await fn();
    } finally {
      handle.release();
    }
  }

  /** One who takes several locks, such as a transaction. Deadlocks are found between sessions. */
  session(): LockSession {
    const locks: SessionLocks = {
      acquire: (...call) => this.#acquire(...call),
      tryAcquire: (key, shared, above, owner) => this.#core(key).tryAcquire(shared, owner, above),
    };
    return new LockSession(locks, this.#detect);
  }

  /** Counters of all locks together, as documented at {@link LockStats}. */
  stats(): LockStats {
    return this.#stats();
  }

  /** Takes the manager out of the statistics. It works on; one that is dropped needs no closing. */
  close(): void {
    this.#unregister();
  }

  async #acquire(
    key: string,
    shared: boolean,
    options: LockWaitOptions | undefined,
    above: (...args: never[]) => unknown,
    owner?: LockOwner,
    onQueued?: (core: LockCore, waiter: Waiter) => void,
  ): Promise<LockHandle> {
    const core = this.#core(key);
    const queued = onQueued && ((waiter: Waiter) => onQueued(core, waiter));
    const handle = core.acquire(shared, options, owner, above, queued);
    // Refused before it could wait: the lock was made for nothing.
    if (!core.isLocked) this.#locks.delete(key);
    return handle;
  }

  /** The lock of `key`, which must be taken or waited for at once. */
  #core(key: string): LockCore {
    const known = this.#locks.get(key);
    if (known !== undefined) return known;
    nonEmptyString('key', key);
    if (this.#locks.size >= this.#maxLocks) throw new LockLimitError(this.name, this.#maxLocks);
    const { now, watch } = this.#settled;
    const core = new LockCore({
      name: key,
      label: this.name,
      exclusive: this.#exclusive,
      shared: this.#shared,
      preference: this.#preference,
      now,
      watch,
      trackHolders: this.#detect,
      onIdle: () => this.#locks.delete(key),
    });
    this.#locks.set(key, core);
    return core;
  }
}
