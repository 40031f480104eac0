import type { Knex } from 'knex';
import {
  delayMs,
  listener,
  nonEmptyString,
  nonNegativeInteger,
  optionalCallable,
  positiveInteger,
} from '../options';

/** Options of the pool. All times in milliseconds. */
export interface DatabasePoolOptions {
  /** Connections that stay open although idle; none is opened ahead of need. @default 0 */
  readonly min?: number;
  /** Most connections open at a time. @default 10 */
  readonly max?: number;
  /** How long a connection stays idle before it is closed. @default 30000 */
  readonly idleTimeoutMs?: number;
  /**
   * How old a connection may become. One in use is closed when it is given back and next looked at. Each lives up to a
   * tenth less, so that not all are opened anew at once. `Infinity`: as old as it likes. @default 1800000
   */
  readonly lifetimeMs?: number;
  /** How long a caller waits for a connection. @default 30000 */
  readonly acquireTimeoutMs?: number;
  /** How long opening a connection may take. @default 10000 */
  readonly connectTimeoutMs?: number;
}

/** A connection that was held too long, by the manager's name, for how long, and by whom. */
export interface ConnectionLeak {
  readonly database: string;
  readonly heldMs: number;
  /** The stack of the call that asked for it. */
  readonly stack: string;
}

/** How connections that are not given back are found. */
export interface ConnectionLeakOptions {
  /** Held longer than this is too long, in milliseconds. @default 30000 */
  readonly afterMs?: number;
  /**
   * Of transactions every n-th is watched, and each while a connection is held for too long: one that is neither
   * committed nor rolled back is the usual leak. Of other calls it is a hundredth as many. Watching one takes some
   * microseconds, for the stack. @default 10
   */
  readonly sampleEvery?: number;
  /** Told of each, once; also published on `otel-vitals:db.leak`. @default nothing */
  readonly onLeak?: (leak: ConnectionLeak) => void;
}

/** A query that took `slowQueryMs` or more. */
export interface SlowQuery {
  readonly database: string;
  /** The query, normalised. */
  readonly query: string;
  readonly ms: number;
  /** The route it ran in, where there was one. */
  readonly route: string | undefined;
}

/** Options of {@link DatabaseManager}. All times in milliseconds. */
export interface DatabaseManagerOptions {
  /** Names the database in statistics, metrics and errors. Each should have a name of its own. */
  readonly name: string;
  /** Configuration of knex: `client`, `connection`, `searchPath` and so on. `pool` is taken from `pool` below. */
  readonly knex: Knex.Config;
  readonly pool?: DatabasePoolOptions;
  /**
   * How long a query that only reads may take. Past it the server is told to end it, and its caller gets a
   * QueryTimeoutError. `Infinity`: as long as it likes. @default Infinity
   */
  readonly readTimeoutMs?: number;
  /** As `readTimeoutMs`, for all others. @default Infinity */
  readonly writeTimeoutMs?: number;
  /**
   * How long ending a query that ran out of time may take. Past it its connection is closed. @default 1000
   */
  readonly cancelTimeoutMs?: number;
  /**
   * PostgreSQL only: the longest that the server itself lets a statement run, set when a connection is opened. A net
   * under `readTimeoutMs` and `writeTimeoutMs` for when the process is gone or cannot reach the server. Through
   * PgBouncer it needs `ignore_startup_parameters`. @default the server's
   */
  readonly statementTimeoutMs?: number;
  /** PostgreSQL only: the longest that a statement waits for a lock. @default the server's */
  readonly lockTimeoutMs?: number;
  /** PostgreSQL only: the longest that a transaction may be idle; then the server ends it. @default the server's */
  readonly idleInTransactionTimeoutMs?: number;
  /** A query that takes as long is slow. @default 1000 */
  readonly slowQueryMs?: number;
  /** Queries that are told apart in the statistics. @default 500 */
  readonly maxQueries?: number;
  /** How often a route reads with queries that differ only in values before it is an N+1 pattern. @default 10 */
  readonly nPlusOneAfter?: number;
  /** What health and recommendations look at: the last so many milliseconds. @default 60000 */
  readonly windowMs?: number;
  /** False finds no leaks. @default after 30 s, every 10th transaction */
  readonly leakDetection?: ConnectionLeakOptions | false;
  /** Told of each slow query. @default nothing */
  readonly onSlowQuery?: (slow: SlowQuery) => void;
  /** Milliseconds of a clock that never goes back. @default performance.now */
  readonly clock?: () => number;
}

/** The options with their defaults, checked. */
export interface SettledOptions {
  readonly name: string;
  readonly knex: Knex.Config;
  readonly min: number;
  readonly max: number;
  readonly idleTimeoutMs: number;
  readonly lifetimeMs: number;
  readonly acquireTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly readTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly cancelTimeoutMs: number;
  readonly statementTimeoutMs: number | undefined;
  readonly lockTimeoutMs: number | undefined;
  readonly idleInTransactionTimeoutMs: number | undefined;
  readonly slowQueryMs: number;
  readonly maxQueries: number;
  readonly nPlusOneAfter: number;
  readonly windowMs: number;
  readonly leakDetection: ConnectionLeakOptions | undefined;
  readonly onSlowQuery: ((slow: SlowQuery) => void) | undefined;
  readonly clock: () => number;
}

const orInfinity = (name: string, value: number): number =>
  value === Infinity ? value : delayMs(name, value);
const optionalDelay = (name: string, value: number | undefined): number | undefined =>
  value === undefined ? undefined : delayMs(name, value);

/** @throws TypeError when an option is not as documented */
export function settleOptions(options: DatabaseManagerOptions): SettledOptions {
  const { pool = {}, leakDetection = {}, onSlowQuery } = options;
  const max = positiveInteger('pool.max', pool.max ?? 10);
  const min = nonNegativeInteger('pool.min', pool.min ?? 0);
  if (min > max) throw new TypeError(`Expected pool.min to be at most pool.max, got ${min}`);
  if (options.knex === null || typeof options.knex !== 'object') {
    throw new TypeError(`Expected knex to be a configuration of knex, got ${String(options.knex)}`);
  }
  return {
    name: nonEmptyString('name', options.name),
    knex: options.knex,
    min,
    max,
    idleTimeoutMs: delayMs('pool.idleTimeoutMs', pool.idleTimeoutMs ?? 30_000),
    lifetimeMs: orInfinity('pool.lifetimeMs', pool.lifetimeMs ?? 1_800_000),
    acquireTimeoutMs: delayMs('pool.acquireTimeoutMs', pool.acquireTimeoutMs ?? 30_000),
    connectTimeoutMs: delayMs('pool.connectTimeoutMs', pool.connectTimeoutMs ?? 10_000),
    readTimeoutMs: orInfinity('readTimeoutMs', options.readTimeoutMs ?? Infinity),
    writeTimeoutMs: orInfinity('writeTimeoutMs', options.writeTimeoutMs ?? Infinity),
    cancelTimeoutMs: delayMs('cancelTimeoutMs', options.cancelTimeoutMs ?? 1000),
    statementTimeoutMs: optionalDelay('statementTimeoutMs', options.statementTimeoutMs),
    lockTimeoutMs: optionalDelay('lockTimeoutMs', options.lockTimeoutMs),
    idleInTransactionTimeoutMs: optionalDelay(
      'idleInTransactionTimeoutMs',
      options.idleInTransactionTimeoutMs,
    ),
    slowQueryMs: delayMs('slowQueryMs', options.slowQueryMs ?? 1000),
    maxQueries: positiveInteger('maxQueries', options.maxQueries ?? 500),
    nPlusOneAfter: positiveInteger('nPlusOneAfter', options.nPlusOneAfter ?? 10),
    windowMs: delayMs('windowMs', options.windowMs ?? 60_000),
    leakDetection:
      leakDetection === false
        ? undefined
        : { ...leakDetection, onLeak: listener('leakDetection.onLeak', leakDetection.onLeak) },
    onSlowQuery: onSlowQuery === undefined ? undefined : listener('onSlowQuery', onSlowQuery),
    clock: optionalCallable('clock', options.clock) ?? (() => performance.now()),
  };
}

/** What the books of a database know of the options: none of it leads back to the manager, which they may outlive. */
export type BookOptions = Omit<SettledOptions, 'knex'>;

/** The options for {@link Books}, with callbacks that live for as long as `options` does. */
export function bookOptions({ knex: _, ...options }: SettledOptions): BookOptions {
  const { onSlowQuery, leakDetection } = options;
  const { onLeak, ...leaks } = leakDetection ?? {};
  return {
    ...options,
    onSlowQuery: onSlowQuery && weakly(onSlowQuery),
    leakDetection: leakDetection && { ...leaks, ...(onLeak !== undefined && { onLeak: weakly(onLeak) }) },
  };
}

function weakly<A extends readonly unknown[]>(fn: (...args: A) => void): (...args: A) => void {
  const ref = new WeakRef(fn);
  return (...args) => ref.deref()?.(...args);
}
