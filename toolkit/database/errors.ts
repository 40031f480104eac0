/** A query ran out of its time. The connection it ran on is free again, or closed: never busy with it any more. */
export class QueryTimeoutError extends Error {
  readonly code = 'DB_QUERY_TIMEOUT';
  override readonly name = 'QueryTimeoutError';
  constructor(
    readonly database: string,
    /** Whether it was `readTimeoutMs` or `writeTimeoutMs`. */
    readonly kind: 'read' | 'write',
    readonly timeoutMs: number,
    /** The query, normalised. */
    readonly query: string,
    /** Whether the server was told and has ended it; the connection was closed where it has not. */
    readonly cancelled: boolean,
  ) {
    super(`Expected a ${kind} of the database "${database}" to take at most ${timeoutMs} ms: ${query}`);
  }
}

/** No connection was free within the time a caller waits for one; `cause` is knex' error. */
export class DatabaseAcquireTimeoutError extends Error {
  readonly code = 'DB_ACQUIRE_TIMEOUT';
  override readonly name = 'DatabaseAcquireTimeoutError';
  constructor(
    readonly database: string,
    readonly timeoutMs: number,
    readonly pool: { readonly inUse: number; readonly max: number; readonly waiting: number },
    options?: ErrorOptions,
  ) {
    super(
      `Expected a free connection of the database "${database}" within ${timeoutMs} ms, got none: ` +
        `${pool.inUse} of ${pool.max} in use, ${pool.waiting} more callers wait`,
      options,
    );
  }
}

/** The database manager was closed. */
export class DatabaseClosedError extends Error {
  readonly code = 'DB_CLOSED';
  override readonly name = 'DatabaseClosedError';
  constructor(readonly database: string) {
    super(`Expected the database "${database}" to be open, got one that was closed`);
  }
}

/** A new connection was not ready in time. */
export class DatabaseConnectTimeoutError extends Error {
  readonly code = 'DB_CONNECT_TIMEOUT';
  override readonly name = 'DatabaseConnectTimeoutError';
  constructor(
    readonly database: string,
    readonly timeoutMs: number,
  ) {
    super(`Expected a new connection of the database "${database}" to be ready within ${timeoutMs} ms`);
  }
}

/** The database did not answer a health check in time. */
export class HealthCheckTimeoutError extends Error {
  readonly code = 'DB_HEALTH_CHECK_TIMEOUT';
  override readonly name = 'HealthCheckTimeoutError';
  constructor(
    readonly database: string,
    readonly timeoutMs: number,
    /** What it waited for when time was up. */
    readonly waitedFor: 'connection' | 'answer',
  ) {
    super(`Expected the database "${database}" to be healthy within ${timeoutMs} ms, got no ${waitedFor}`);
  }
}

/** A text whose plan cannot be asked for without running it, or not without its values. */
export class ExplainRefusedError extends Error {
  readonly code = 'DB_EXPLAIN_REFUSED';
  override readonly name = 'ExplainRefusedError';
  constructor(
    readonly database: string,
    readonly reason: string,
  ) {
    super(`The plan of a query of the database "${database}" was not asked for: ${reason}`);
  }
}

/** The package `knex` is not installed; `cause` says what was looked for. */
export class KnexMissingError extends Error {
  readonly code = 'DB_KNEX_MISSING';
  override readonly name = 'KnexMissingError';
  constructor(options: ErrorOptions) {
    super('Expected the package knex beside the application, got none: npm install knex', options);
  }
}
