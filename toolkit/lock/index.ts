export type { HistogramSnapshot } from '../histogram';
export type { Held, HoldWatchOptions } from '../hold-watch';
export type { LockContention, LockHeld } from './contention';
export type { LockPreference } from './core';
export {
  DeadlockError,
  LockAbortedError,
  LockLimitError,
  LockReleasedError,
  LockTimeoutError,
} from './errors';
export { LockHandle } from './handle';
export type { LockManagerOptions } from './lock-manager';
export { LockManager } from './lock-manager';
export { LockSession } from './lock-session';
export { Mutex } from './mutex';
export type { LockOptions, LockWatchOptions } from './options';
export type { ReadWriteLockOptions } from './read-write-lock';
export { ReadWriteLock } from './read-write-lock';
export type { LockMode, LockModeStats, LockStats } from './stats';
export type { LockWaitOptions } from './waiters';
