import assert from 'node:assert/strict';
import {
  type LockHandle,
  LockManager,
  type LockModeStats,
  type LockOptions,
  type LockStats,
  type LockWaitOptions,
  Mutex,
  ReadWriteLock,
} from '../../toolkit/lock';

/** A lock as the contract of exclusive locks sees it. */
export interface LockSubject {
  lock(options?: LockWaitOptions): Promise<LockHandle>;
  tryLock(): LockHandle | undefined;
  use<R>(fn: () => R | Promise<R>, options?: LockWaitOptions): Promise<R>;
  isLocked(): boolean;
  stats(): LockModeStats;
  close(): void;
}

/** Makes a lock of a kind; `dropped` is what the application would hold. */
export const lockSubjects: Readonly<Record<string, (options: LockOptions) => LockSubject>> = {
  Mutex: options => {
    const mutex = new Mutex(options);
    return {
      lock: wait => mutex.lock(wait),
      tryLock: () => mutex.tryLock(),
      use: (fn, wait) => mutex.use(fn, wait),
      isLocked: () => mutex.isLocked,
      stats: () => mutex.stats().modes.exclusive!,
      close: () => mutex.close(),
    };
  },
  'ReadWriteLock for writing': options => {
    const lock = new ReadWriteLock(options);
    return {
      lock: wait => lock.writeLock(wait),
      tryLock: () => lock.tryWriteLock(),
      use: (fn, wait) => lock.useWrite(fn, wait),
      isLocked: () => lock.isLocked,
      stats: () => lock.stats().modes.write!,
      close: () => lock.close(),
    };
  },
  'LockManager of one key': options => {
    const manager = new LockManager(options);
    return {
      lock: wait => manager.lock('key', wait),
      tryLock: () => manager.tryLock('key'),
      use: (fn, wait) => manager.use('key', fn, wait),
      isLocked: () => manager.isLocked('key'),
      stats: () => manager.stats().modes.write!,
      close: () => manager.close(),
    };
  },
};

/**
 * The laws that a lock's statistics obey at any moment.
 *
 * @param many whether they are those of many locks, each of which may be held
 */
export function assertLockLaws({ modes }: LockStats, many = false): void {
  for (const [mode, stats] of Object.entries(modes)) {
    const { acquired, released, held, contended, waiters, timeouts, aborted, deadlocks, waitTime, holdTime } =
      stats;
    const shown = `${mode} ${JSON.stringify(stats)}`;
    assert.equal(acquired, released + held, shown);
    if (waitTime !== undefined) assert.equal(contended, waitTime.count + waiters, shown);
    if (holdTime !== undefined) assert.equal(holdTime.count, released, shown);
    assert.ok(contended >= timeouts + aborted + deadlocks + waiters, shown);
    assert.ok(held >= 0 && waiters >= 0, shown);
  }
  const { exclusive, write, read } = modes;
  const alone = exclusive ?? write;
  assert.ok(many || alone === undefined || alone.held <= 1 || read === undefined, JSON.stringify(modes));
}
