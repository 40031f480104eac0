import { LockReleasedError } from './errors';
import type { LockMode } from './stats';

/** Absent before Node.js 20.4, and where a bundler's target has no such thing. */
const dispose: typeof Symbol.dispose =
  Symbol.dispose ?? (Symbol.for('Symbol.dispose') as typeof Symbol.dispose);

/** For whom a lock is held or waited for. */
export interface LockOwner {
  /** Locks it holds. */
  held: number;
}

/** A lock that is held. Released by {@link release}, or at the end of a block by `using`. */
export class LockHandle implements Disposable {
  readonly mode: LockMode;
  /** @internal When it was taken. */
  since = 0;
  /** @internal What the watch for long holds knows it by. */
  hold = 0;
  /** @internal For whom it is held. */
  readonly owner: LockOwner | undefined;
  readonly #lock: string;
  #unlock: ((handle: LockHandle) => void) | undefined;

  /** @internal */
  constructor(
    lock: string,
    mode: LockMode,
    owner: LockOwner | undefined,
    unlock: (handle: LockHandle) => void,
  ) {
    this.mode = mode;
    this.owner = owner;
    this.#lock = lock;
    this.#unlock = unlock;
  }

  /** Whether it was released. */
  get released(): boolean {
    return this.#unlock === undefined;
  }

  /**
   * Gives the lock to who waits for it, or leaves it free.
   *
   * @throws LockReleasedError when called again
   */
  release(): void {
    const unlock = this.#unlock;
    if (unlock === undefined) throw new LockReleasedError(this.#lock);
    this.#unlock = undefined;
    unlock(this);
  }

  /** As {@link release}, and allowed again: a block under `using` may release before its end. */
  [dispose](): void {
    if (this.#unlock !== undefined) this.release();
  }
}
