import type { HoldWatch } from '../hold-watch';
import { LockHandle, type LockOwner } from './handle';
import type { LockModeCounters } from './stats';
import { checkWait, type LockWaitOptions, type Waiter, Waiters } from './waiters';

/** Who goes first when both readers and writers wait. */
export type LockPreference = 'fair' | 'writer';

export interface LockCoreOptions {
  /** Names the lock in errors. */
  readonly name: string;
  /** Names it to subscribers. */
  readonly label: string;
  readonly exclusive: LockModeCounters;
  /** Absent for a lock that has no readers. */
  readonly shared?: LockModeCounters | undefined;
  readonly preference: LockPreference;
  readonly now: () => number;
  readonly watch: HoldWatch | undefined;
  /** Whether to know the holders, for finding deadlocks. */
  readonly trackHolders?: boolean;
  /** Called when nobody holds the lock or waits for it any more. */
  readonly onIdle?: () => void;
}

type Above = (...args: never[]) => unknown;

/**
 * A lock with an exclusive and, if it has readers, a shared mode. Whoever releases hands the lock to the next who
 * waits, so that nobody can overtake: a lock that is free has no waiters.
 */
export class LockCore {
  readonly holders: Set<LockHandle> | undefined;
  readonly #options: LockCoreOptions;
  readonly #exclusive: Waiters;
  readonly #shared: Waiters | undefined;
  readonly #unlock = (handle: LockHandle): void => this.#release(handle);
  #readers = 0;
  #writer = false;
  #tickets = 0;

  constructor(options: LockCoreOptions) {
    const { name, label, exclusive, shared, now } = options;
    this.#options = options;
    this.holders = options.trackHolders ? new Set() : undefined;
    const serve = (): void => this.#serve();
    this.#exclusive = new Waiters(name, label, shared ? 'write' : 'exclusive', exclusive, now, serve);
    this.#shared = shared && new Waiters(name, label, 'read', shared, now, serve);
  }

  get name(): string {
    return this.#options.name;
  }

  /** Whether anybody holds it. */
  get isLocked(): boolean {
    return this.#writer || this.#readers > 0;
  }

  tryAcquire(shared: boolean, owner: LockOwner | undefined, above: Above): LockHandle | undefined {
    const free = shared ? !this.#writer && this.#exclusive.first === undefined : !this.isLocked;
    if (!free) return undefined;
    this.#enter(shared);
    return this.#handOut(shared, owner, this.#options.watch?.begin(above) ?? 0);
  }

  /** @param onQueued told of the call if it has to wait; may end that wait */
  acquire(
    shared: boolean,
    options: LockWaitOptions | undefined,
    owner: LockOwner | undefined,
    above: Above,
    onQueued?: (waiter: Waiter) => void,
  ): Promise<LockHandle> {
    if (options !== undefined) {
      try {
        checkWait(this.name, options);
      } catch (error) {
        return Promise.reject(error);
      }
    }
    const handle = this.tryAcquire(shared, owner, above);
    if (handle !== undefined) return Promise.resolve(handle);
    const waiters = shared ? this.#shared! : this.#exclusive;
    const holdTrace = this.#options.watch?.sample(above);
    return waiters.wait(options, owner, ++this.#tickets, above, holdTrace, onQueued);
  }

  /** Ends a wait with an error. */
  fail(waiter: Waiter, error: unknown): void {
    this.#waitersOf(waiter).counters.deadlocks++;
    this.#waitersOf(waiter).fail(waiter, error);
  }

  /**
   * Owners that a waiter waits for: those who hold the lock against it, and of those who go before it the last; the
   * others are reached from there. One without an owner is looked through.
   */
  *blockersOf(waiter: Waiter): Iterable<LockOwner | undefined> {
    if (waiter.ended) return;
    const reads = waiter.mode === 'read';
    for (const holder of this.holders ?? []) {
      if (!reads || holder.mode !== 'read') yield holder.owner;
    }
    const fair = this.#options.preference === 'fair';
    let before = reads ? this.#exclusive.last : waiter.previous;
    if (reads && fair) while (before !== undefined && before.ticket > waiter.ticket) before = before.previous;
    while (before !== undefined && before.owner === undefined) before = before.previous;
    yield before?.owner;
    if (reads || !fair) return;
    for (let other = this.#shared?.first; other !== undefined; other = other.next) {
      if (other.ticket < waiter.ticket) yield other.owner;
    }
  }

  #waitersOf(waiter: Waiter): Waiters {
    return waiter.mode === 'read' ? this.#shared! : this.#exclusive;
  }

  /** Takes the lock. Before anything else: whatever calls the application, such as its clock, may come back here. */
  #enter(shared: boolean): void {
    if (shared) this.#readers++;
    else this.#writer = true;
    (shared ? this.#shared! : this.#exclusive).counters.acquired++;
  }

  #handOut(shared: boolean, owner: LockOwner | undefined, hold: number): LockHandle {
    const waiters = shared ? this.#shared! : this.#exclusive;
    const { counters } = waiters;
    const handle = new LockHandle(this.#options.name, waiters.mode, owner, this.#unlock);
    if (counters.holdTime !== undefined) handle.since = this.#options.now();
    handle.hold = hold;
    if (owner !== undefined) owner.held++;
    this.holders?.add(handle);
    return handle;
  }

  #release(handle: LockHandle): void {
    const shared = handle.mode === 'read';
    const { counters } = shared ? this.#shared! : this.#exclusive;
    counters.released++;
    if (counters.holdTime !== undefined)
      counters.holdTime.record((this.#options.now() - handle.since) / 1000);
    if (handle.hold !== 0) this.#options.watch?.end(handle.hold);
    if (handle.owner !== undefined) handle.owner.held--;
    this.holders?.delete(handle);
    if (shared) this.#readers--;
    else this.#writer = false;
    this.#serve();
  }

  /** Hands the lock to those who may have it now. */
  #serve(): void {
    while (!this.#writer) {
      const writer = this.#exclusive.first;
      const reader = this.#shared?.first;
      if (writer === undefined && reader === undefined) {
        if (this.#readers === 0) this.#options.onIdle?.();
        return;
      }
      const reads =
        reader !== undefined &&
        (writer === undefined || (this.#options.preference === 'fair' && reader.ticket < writer.ticket));
      if (!reads && this.#readers > 0) return;
      this.#enter(reads);
      const waiters = reads ? this.#shared! : this.#exclusive;
      const waiter = waiters.shift()!;
      const hold = waiter.holdTrace === undefined ? 0 : this.#options.watch!.start(waiter.holdTrace);
      waiter.resolve(this.#handOut(reads, waiter.owner, hold));
      waiters.publish(waiter);
    }
  }
}
