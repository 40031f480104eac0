/** The lock was not to be had in the time its caller waits. */
export class LockTimeoutError extends Error {
  readonly code = 'LOCK_TIMEOUT';
  override readonly name = 'LockTimeoutError';
  constructor(
    readonly lock: string,
    readonly timeoutMs: number,
  ) {
    super(`Expected the lock "${lock}" to be free within ${timeoutMs} ms`);
  }
}

/** The caller's AbortSignal ended its wait; `cause` is the signal's reason. */
export class LockAbortedError extends Error {
  readonly code = 'LOCK_ABORTED';
  override readonly name = 'LockAbortedError';
  constructor(
    readonly lock: string,
    options?: ErrorOptions,
  ) {
    super(`Waiting for the lock "${lock}" was aborted`, options);
  }
}

/** A handle was released that had been released before. */
export class LockReleasedError extends Error {
  readonly code = 'LOCK_RELEASED';
  override readonly name = 'LockReleasedError';
  constructor(readonly lock: string) {
    super(`Expected a handle that holds the lock "${lock}", got one that was released before`);
  }
}

/** Waiting would close a circle of sessions that wait for each other. */
export class DeadlockError extends Error {
  readonly code = 'LOCK_DEADLOCK';
  override readonly name = 'DeadlockError';
  constructor(
    readonly lock: string,
    /** The locks around the circle, from the one that was asked for. */
    readonly circle: readonly string[],
  ) {
    super(`Waiting for the lock "${lock}" would never end: ${[...circle, circle[0]].join(' -> ')}`);
  }
}

/** The manager has as many locks held or waited for as it may. */
export class LockLimitError extends Error {
  readonly code = 'LOCK_LIMIT';
  override readonly name = 'LockLimitError';
  constructor(
    readonly manager: string,
    readonly maxLocks: number,
  ) {
    super(`Expected at most ${maxLocks} locks of "${manager}" in use, got a demand for one more`);
  }
}

/** The main thread was asked to block. */
export class MainThreadBlockError extends Error {
  readonly code = 'LOCK_MAIN_THREAD';
  override readonly name = 'MainThreadBlockError';
  constructor(
    readonly method: string,
    readonly instead: string,
  ) {
    super(`Expected ${method} to be called in a worker thread, got the main thread; use ${instead} there`);
  }
}

/** A message needs more bytes than a place of the queue has. */
export class MessageTooLargeError extends Error {
  readonly code = 'QUEUE_MESSAGE_TOO_LARGE';
  override readonly name = 'MessageTooLargeError';
  constructor(
    readonly queue: string,
    readonly bytes: number,
    readonly maxBytes: number,
  ) {
    super(`Expected a message of the queue "${queue}" of at most ${maxBytes} bytes, got ${bytes}`);
  }
}

/** The queue had no room, or no message, in the time its caller waits. */
export class QueueTimeoutError extends Error {
  readonly code = 'QUEUE_TIMEOUT';
  override readonly name = 'QueueTimeoutError';
  constructor(
    readonly queue: string,
    readonly waitedFor: 'room' | 'message',
    readonly timeoutMs: number,
  ) {
    super(`Expected ${waitedFor} in the queue "${queue}" within ${timeoutMs} ms`);
  }
}

/** The caller's AbortSignal ended its wait for the queue; `cause` is the signal's reason. */
export class QueueAbortedError extends Error {
  readonly code = 'QUEUE_ABORTED';
  override readonly name = 'QueueAbortedError';
  constructor(
    readonly queue: string,
    options?: ErrorOptions,
  ) {
    super(`Waiting for the queue "${queue}" was aborted`, options);
  }
}

/** The queue was closed: it takes no more messages, and has none left. */
export class QueueClosedError extends Error {
  readonly code = 'QUEUE_CLOSED';
  override readonly name = 'QueueClosedError';
  constructor(readonly queue: string) {
    super(`Expected the queue "${queue}" to be open, got one that was closed`);
  }
}
