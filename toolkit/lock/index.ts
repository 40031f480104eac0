export type { HistogramSnapshot } from '../histogram';
export type { Held, HoldWatchOptions } from '../hold-watch';
export type { ThreadWaitOptions } from './async-waits';
export type { LockContention, LockHeld } from './contention';
export type { LockPreference } from './core';
export {
  DeadlockError,
  LockAbortedError,
  LockLimitError,
  LockReleasedError,
  LockTimeoutError,
  MainThreadBlockError,
  MessageTooLargeError,
  QueueAbortedError,
  QueueClosedError,
  QueueTimeoutError,
} from './errors';
export { LockHandle } from './handle';
export type { LockFreeQueueOptions } from './lock-free-queue';
export { LockFreeQueue } from './lock-free-queue';
export type { LockManagerOptions } from './lock-manager';
export { LockManager } from './lock-manager';
export { LockSession } from './lock-session';
export type { QueueMessage } from './message-codec';
export { Mutex } from './mutex';
export type { LockOptions, LockWatchOptions } from './options';
export type { QueueStats } from './queue-stats';
export type { ReadWriteLockOptions } from './read-write-lock';
export { ReadWriteLock } from './read-write-lock';
export type { SpinLockOptions } from './spin-lock';
export { SpinLock } from './spin-lock';
export type { LockMode, LockModeStats, LockStats } from './stats';
export type { LockWaitOptions } from './waiters';
