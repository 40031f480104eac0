import type { LockCore } from './core';
import { DeadlockError } from './errors';
import type { LockHandle, LockOwner } from './handle';
import { circleThrough, type Wait, type WaitNode } from './wait-graph';
import type { LockWaitOptions, Waiter } from './waiters';

type Above = (...args: never[]) => unknown;

/** How a session takes a lock of its manager. */
export interface SessionLocks {
  acquire(
    key: string,
    shared: boolean,
    options: LockWaitOptions | undefined,
    above: Above,
    owner: LockOwner,
    onQueued: (core: LockCore, waiter: Waiter) => void,
  ): Promise<LockHandle>;
  tryAcquire(key: string, shared: boolean, above: Above, owner: LockOwner): LockHandle | undefined;
}

/** One who holds and waits for several locks of a {@link LockManager}: two sessions may wait for each other. */
export class LockSession {
  readonly #locks: SessionLocks;
  readonly #detect: boolean;
  readonly #waits = new Set<Wait>();
  // What the graph knows of a session is no part of its interface.
  readonly #node: WaitNode = { waits: this.#waits, held: 0 };

  /** @internal */
  constructor(locks: SessionLocks, detect: boolean) {
    this.#locks = locks;
    this.#detect = detect;
  }

  /**
   * The lock of `key` alone. Rejects with LockTimeoutError, LockAbortedError or LockLimitError; and, where the manager
   * detects deadlocks, with a DeadlockError instead of waiting for one that waits for this session.
   */
  lock(key: string, options?: LockWaitOptions): Promise<LockHandle> {
    return this.#acquire(key, false, options, this.lock);
  }

  /** The lock of `key` together with other readers. Rejects as {@link lock} does. */
  readLock(key: string, options?: LockWaitOptions): Promise<LockHandle> {
    return this.#acquire(key, true, options, this.readLock);
  }

  /** The lock of `key` alone if it is free now, else undefined. Throws a LockLimitError. */
  tryLock(key: string): LockHandle | undefined {
    return this.#locks.tryAcquire(key, false, this.tryLock, this.#node);
  }

  /** The lock of `key` together with other readers if it can be had now, else undefined. Throws a LockLimitError. */
  tryReadLock(key: string): LockHandle | undefined {
    return this.#locks.tryAcquire(key, true, this.tryReadLock, this.#node);
  }

  async #acquire(
    key: string,
    shared: boolean,
    options: LockWaitOptions | undefined,
    above: Above,
  ): Promise<LockHandle> {
    let wait: Wait | undefined;
    const onQueued = (core: LockCore, waiter: Waiter): void => {
      if (!this.#detect) return;
      wait = { core, waiter };
      this.#waits.add(wait);
      const circle = circleThrough(this.#node, wait);
      if (circle !== undefined) core.fail(waiter, new DeadlockError(key, circle));
    };
    try {
      return await this.#locks.acquire(key, shared, options, above, this.#node, onQueued);
    } finally {
      if (wait !== undefined) this.#waits.delete(wait);
    }
  }
}
