/** The pool has handed out as many objects as it may have. */
export class PoolExhaustedError extends Error {
  readonly code = 'POOL_EXHAUSTED';
  override readonly name = 'PoolExhaustedError';
  constructor(
    readonly pool: string,
    readonly max: number,
  ) {
    super(`Expected at most ${max} objects of the pool "${pool}" in use, got a demand for one more`);
  }
}

/** The pool was closed. */
export class PoolClosedError extends Error {
  readonly code = 'POOL_CLOSED';
  override readonly name = 'PoolClosedError';
  constructor(readonly pool: string) {
    super(`Expected the pool "${pool}" to be open, got one that was closed`);
  }
}

/** An object was released that is not in use: it was released or discarded before. */
export class DoubleReleaseError extends Error {
  readonly code = 'POOL_DOUBLE_RELEASE';
  override readonly name = 'DoubleReleaseError';
  constructor(readonly pool: string) {
    super(`Expected an object of the pool "${pool}" that is in use, got one that was released before`);
  }
}

/** An object was released that this pool did not make. */
export class ForeignObjectError extends Error {
  readonly code = 'POOL_FOREIGN_OBJECT';
  override readonly name = 'ForeignObjectError';
  constructor(readonly pool: string) {
    super(`Expected an object that the pool "${pool}" made, got another`);
  }
}

/** What `create` gave cannot be pooled. */
export class InvalidObjectError extends Error {
  readonly code = 'POOL_INVALID_OBJECT';
  override readonly name = 'InvalidObjectError';
  constructor(
    readonly pool: string,
    readonly got: string,
  ) {
    super(`Expected create of the pool "${pool}" to give a new object, got ${got}`);
  }
}

/** No connection was free within the time a caller waits for one. */
export class AcquireTimeoutError extends Error {
  readonly code = 'POOL_ACQUIRE_TIMEOUT';
  override readonly name = 'AcquireTimeoutError';
  constructor(
    readonly pool: string,
    readonly timeoutMs: number,
    options?: ErrorOptions,
  ) {
    super(`Expected a free connection of the pool "${pool}" within ${timeoutMs} ms`, options);
  }
}

/** The caller's AbortSignal ended its wait; `cause` is the signal's reason. */
export class AcquireAbortedError extends Error {
  readonly code = 'POOL_ACQUIRE_ABORTED';
  override readonly name = 'AcquireAbortedError';
  constructor(
    readonly pool: string,
    options?: ErrorOptions,
  ) {
    super(`Waiting for a connection of the pool "${pool}" was aborted`, options);
  }
}

/** As many callers wait as may. */
export class PoolQueueFullError extends Error {
  readonly code = 'POOL_QUEUE_FULL';
  override readonly name = 'PoolQueueFullError';
  constructor(
    readonly pool: string,
    readonly maxPending: number,
  ) {
    super(`Expected at most ${maxPending} callers to wait for the pool "${pool}", got one more`);
  }
}

/** A connection could not be made, or not in time; `cause` says why. */
export class ConnectionCreateError extends Error {
  readonly code = 'POOL_CREATE_FAILED';
  override readonly name = 'ConnectionCreateError';
  constructor(
    readonly pool: string,
    options: ErrorOptions,
  ) {
    const { cause } = options;
    super(
      `A connection of the pool "${pool}" could not be made: ${cause instanceof Error ? cause.message : String(cause)}`,
      options,
    );
  }
}

/** A callback of the application's did not end in time. */
export class PoolCallbackTimeoutError extends Error {
  readonly code = 'POOL_CALLBACK_TIMEOUT';
  override readonly name = 'PoolCallbackTimeoutError';
  constructor(
    readonly pool: string,
    readonly callback: 'create' | 'ping' | 'destroy',
    readonly timeoutMs: number,
  ) {
    super(`Expected ${callback} of the pool "${pool}" to end within ${timeoutMs} ms`);
  }
}
