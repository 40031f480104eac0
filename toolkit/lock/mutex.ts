import { registerSource } from '../sources';
import { LockCore } from './core';
import type { LockHandle } from './handle';
import { type LockOptions, settleLockOptions } from './options';
import { LockModeCounters, type LockStats, lockSource } from './stats';
import type { LockWaitOptions } from './waiters';

/** A lock that one caller holds at a time. Callers get it in the order in which they asked. Not reentrant. */
export class Mutex {
  readonly name: string;
  readonly #core: LockCore;
  readonly #counters: LockModeCounters;
  readonly #unregister: () => void;

  /** @throws TypeError when an option is not as documented */
  constructor(options: LockOptions) {
    const { name, timeHold, watch, now } = settleLockOptions(options);
    this.name = name;
    const counters = new LockModeCounters(timeHold);
    this.#counters = counters;
    this.#core = new LockCore({ name, label: name, exclusive: counters, preference: 'fair', watch, now });
    const stats = (): LockStats => ({ modes: { exclusive: counters.snapshot() } });
    this.#unregister = registerSource({ ...lockSource, name, stats }, this);
  }

  /** Whether somebody holds the lock. */
  get isLocked(): boolean {
    return this.#core.isLocked;
  }

  /** The lock, once it is free. Rejects with LockTimeoutError or LockAbortedError. */
  lock(options?: LockWaitOptions): Promise<LockHandle> {
    return this.#core.acquire(false, options, undefined, this.lock);
  }

  /** The lock if it is free now, else undefined. */
  tryLock(): LockHandle | undefined {
    return this.#core.tryAcquire(false, undefined, this.tryLock);
  }

  /** Runs `fn` while holding the lock, and releases it however `fn` ends. Rejects with what `fn` fails with. */
  async use<R>(fn: () => Promise<R> | R, options?: LockWaitOptions): Promise<R> {
    const handle = await this.#core.acquire(false, options, undefined, this.use);
    try {
      return await fn();
    } finally {
      handle.release();
    }
  }

  /** Counters, as documented at {@link LockStats}. */
  stats(): LockStats {
    return { modes: { exclusive: this.#counters.snapshot() } };
  }

  /** Takes the lock out of the statistics. It works on; a lock that is dropped needs no closing. */
  close(): void {
    this.#unregister();
  }
}
