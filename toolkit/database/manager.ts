import type { Knex } from 'knex';
import { delayMs, nonEmptyString } from '../options';
import { registerSource } from '../sources';
import { within } from '../within';
import { Books } from './books';
import { type ClientState, managedClient } from './client';
import { dialectOf } from './dialect';
import { DatabaseClosedError, ExplainRefusedError } from './errors';
import type { DatabaseHealth } from './health';
import { checkHealth, type HealthCheck } from './health-check';
import { type InsertManyOptions, type InsertManyResult, insertMany } from './insert-many';
import { closeNow, type DialectClient } from './knex-types';
import { Leaks } from './leaks';
import { type MiddlewareOptions, type RouteRequest, type RouteResponse, routeMiddleware } from './middleware';
import { bookOptions, type DatabaseManagerOptions, settleOptions } from './options';
import { explain, type QueryPlan } from './plan';
import { PreparedStatement } from './prepared';
import type { QueryStats } from './query-table';
import type { Recommendation } from './recommendations';
import type { SqlDialect } from './sql-tokens';
import { type DatabaseStats, databaseSource } from './stats';

/** Options of {@link DatabaseManager.close}. */
export interface CloseDatabaseOptions {
  /** How long connections in use are waited for; then they are closed under their users. @default 10000 */
  readonly timeoutMs?: number;
}

/** Options of {@link DatabaseManager.plan}. */
export interface PlanOptions {
  /** Values for the placeholders. @default none: PostgreSQL then plans for any */
  readonly bindings?: readonly unknown[];
  /** @default 5000 */
  readonly timeoutMs?: number;
}

/** How long closing takes after connections were closed under their users. */
const lastMs = 1000;

/**
 * A database behind knex, with the books of its pool and of its queries kept, time limits that hold, and advice.
 *
 * {@link knex} is a knex like any other; all that is asked through it is counted.
 */
export class DatabaseManager {
  readonly name: string;
  /** For queries. It must be closed by {@link close}, not by its own `destroy()`. */
  readonly knex: Knex;
  readonly dialect: SqlDialect;
  readonly #client: DialectClient;
  readonly #books: Books;
  readonly #state: ClientState;
  readonly #unregister: () => void;
  #closing: Promise<{ readonly forced: number }> | undefined;
  #checking: Promise<HealthCheck> | undefined;

  /**
   * Opens no connection yet.
   *
   * @throws TypeError when an option is not as documented, KnexMissingError
   */
  constructor(given: DatabaseManagerOptions) {
    const options = settleOptions(given);
    const { makeKnex, Dialect, sql } = dialectOf(options);
    this.dialect = sql;
    this.name = options.name;
    const kept = bookOptions(options);
    const books = new Books(kept, new Leaks(kept), sql);
    this.#books = books;
    this.#state = { closed: false, options };
    this.knex = makeKnex({
      ...options.knex,
      client: managedClient(Dialect, books, this.#state) as unknown as typeof Knex.Client,
      acquireConnectionTimeout: Math.ceil(options.acquireTimeoutMs),
      pool: {
        ...options.knex.pool,
        min: options.min,
        max: options.max,
        idleTimeoutMillis: Math.ceil(options.idleTimeoutMs),
        acquireTimeoutMillis: Math.ceil(options.acquireTimeoutMs),
        createTimeoutMillis: Math.ceil(options.connectTimeoutMs) + 1000,
        reapIntervalMillis: Math.ceil(Math.min(1000, options.idleTimeoutMs / 2)),
      },
    });
    this.#client = this.knex.client as DialectClient;
    this.#unregister = registerSource(
      { ...databaseSource, name: this.name, stats: () => books.stats() },
      this,
    );
  }

  /** Counters and sizes, as documented at {@link DatabaseStats}. */
  stats(): DatabaseStats {
    return this.#books.stats();
  }

  /** The queries that took most of the time, most first. */
  queries(most?: number): QueryStats[] {
    return this.#books.queries.top(most);
  }

  /** Those of which a run took `slowQueryMs` or more, by their time. */
  slowQueries(most?: number): QueryStats[] {
    return this.#books.queries.slowest(most);
  }

  /** How well it does lately, and why not better. */
  health(): DatabaseHealth {
    return this.#books.stats().health;
  }

  /** What to do about what was observed; empty where there is nothing. */
  recommendations(): Recommendation[] {
    return [...this.#books.stats().recommendations];
  }

  /**
   * Whether the database answers, within a deadline. Never rejects. Those who ask while a check is under way share it.
   *
   * @param timeoutMs the deadline. @default 5000
   */
  healthCheck({ timeoutMs = 5000 }: { readonly timeoutMs?: number } = {}): Promise<HealthCheck> {
    const deadline = delayMs('timeoutMs', timeoutMs);
    this.#checking ??= this.#state.closed
      ? Promise.resolve({ healthy: false, ms: 0, error: new DatabaseClosedError(this.name) })
      : checkHealth(this.#client, this.name, deadline, this.#books);
    return this.#checking.finally(() => {
      this.#checking = undefined;
    });
  }

  /**
   * How the server would run a query; it is not run. Indexes that seem to be missing come up in
   * {@link recommendations} from then on.
   *
   * @param query one of {@link slowQueries}, by its normalised text, or any text
   * @throws ExplainRefusedError
   */
  async plan(query: string, { bindings = [], timeoutMs = 5000 }: PlanOptions = {}): Promise<QueryPlan> {
    nonEmptyString('query', query);
    const group = this.#books.queries.table.find(query);
    if (group !== undefined && group.sample === undefined && query.includes('?') && bindings.length === 0) {
      throw new ExplainRefusedError(this.name, 'it was not slow, so its text was not kept: give its values');
    }
    const request = {
      sql: group?.sample ?? query,
      bindings,
      timeoutMs: Math.ceil(delayMs('timeoutMs', timeoutMs)),
    };
    const plan = await explain(this.knex, this.name, this.dialect, request);
    this.#books.foundMissing(plan.missingIndexes);
    return plan;
  }

  /** Runs `fn` as one run of a route: what it asks, and what it starts asks, is looked at for N+1 patterns. */
  route<R>(route: string, fn: () => PromiseLike<R>): Promise<R>;
  route<R>(route: string, fn: () => R): R;
  route<R>(route: string, fn: () => R): R | Promise<Awaited<R>> {
    return this.#books.routes.run(nonEmptyString('route', route), fn);
  }

  /** Makes each request one run of its route, in express and whatever else takes such functions. */
  middleware<Q extends RouteRequest = RouteRequest>({
    route,
  }: MiddlewareOptions<Q> = {}): (request: Q, response: RouteResponse, next: () => void) => void {
    return routeMiddleware(this.#books.routes, route);
  }

  /**
   * A prepared statement; of PostgreSQL only.
   *
   * @param sql with `?` for each value
   */
  prepare<Row extends object = Record<string, unknown>>(sql: string): PreparedStatement<Row> {
    if (this.#client.driverName !== 'pg') {
      throw new TypeError(`Expected the driver pg to prepare a statement, got ${this.#client.driverName}`);
    }
    return new PreparedStatement<Row>(this.knex, sql);
  }

  /** Inserts rows with few statements: see {@link InsertManyOptions}. */
  insertMany(
    table: string,
    rows: Iterable<Readonly<Record<string, unknown>>> | AsyncIterable<Readonly<Record<string, unknown>>>,
    options?: InsertManyOptions,
  ): Promise<InsertManyResult> {
    return insertMany(this.knex, table, rows, options);
  }

  /**
   * Closes the pool: fails those who wait, waits for connections in use and closes all. Never rejects. Calling it
   * again gives the same promise.
   *
   * @returns how many connections were closed while in use, because time was up
   */
  close({ timeoutMs = 10_000 }: CloseDatabaseOptions = {}): Promise<{ readonly forced: number }> {
    this.#closing ??= this.#close(delayMs('timeoutMs', timeoutMs));
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<{ readonly forced: number }> {
    const { ledger } = this.#books;
    this.#state.closed = true;
    const reason = new DatabaseClosedError(this.name);
    const { pool } = this.#client;
    let forced = 0;
    if (pool !== undefined) {
      const ended = this.knex.destroy();
      // tarn would let those wait who can get nothing any more.
      for (const waiting of pool.pendingAcquires ?? []) waiting.reject(reason);
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<'late'>(resolve => {
        timer = setTimeout(resolve, timeoutMs, 'late');
      });
      if ((await Promise.race([ended.catch(() => {}), late])) === 'late') {
        for (const { resource } of [...pool.used]) {
          forced++;
          closeNow(resource, reason);
          pool.release(resource);
        }
        // A connection that is being opened has a time limit of its own.
        await within(
          () => ended,
          lastMs,
          () => reason,
        ).catch(() => {});
      }
      clearTimeout(timer);
    }
    ledger.close();
    this.#unregister();
    return { forced };
  }
}
