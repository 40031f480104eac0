import { within } from '../within';
import type { Books } from './books';
import type { Deadlines, Limited } from './deadlines';
import { QueryTimeoutError } from './errors';
import { closeNow, type DialectClient, type QueryObject } from './knex-types';
import type { QueryGroup, QueryOutcome } from './query-table';

/** A server that ended a query because it took too long: PostgreSQL, then MySQL. */
const timeoutCodes = new Set(['57014', 'ER_QUERY_TIMEOUT', 'ER_QUERY_INTERRUPTED']);

function outcomeOf(error: unknown): QueryOutcome {
  return timeoutCodes.has(String((error as { code?: unknown } | null)?.code)) ? 'timeout' : 'error';
}

/** A run of a query, counted once it has ended. Its fields are plain, because there is one for each query. */
export class CountedRun {
  readonly group: QueryGroup;
  readonly route: string | undefined;
  over = false;

  constructor(
    readonly books: Books,
    readonly sql: string,
    readonly beganMs: number,
  ) {
    this.group = books.queries.groupOf(sql);
    this.route = books.routes.note(this.group);
    books.queries.running++;
  }

  /** Says that it ended; said again it is not heard. */
  end(outcome: QueryOutcome): void {
    if (this.over) return;
    this.over = true;
    const { queries, window, options } = this.books;
    queries.running--;
    const now = options.clock();
    const ms = now - this.beganMs;
    window.advance(now);
    window.now.queries++;
    if (outcome !== 'ok') window.now.errors++;
    if (outcome === 'timeout') window.now.timeouts++;
    if (!queries.record(this.sql, this.group, ms, outcome)) return;
    window.now.slow++;
    options.onSlowQuery?.({ database: options.name, query: this.group.query, ms, route: this.route });
  }
}

/**
 * Counts a query that was sent, and ends it when it takes too long: the server is told; where that does not end it in
 * time its connection is closed, so that no connection is given back that is busy.
 *
 * @param root the client that has the pool, not that of a transaction
 */
export function limited(
  books: Books,
  root: DialectClient,
  connection: object,
  query: QueryObject,
  beganMs: number,
  sent: Promise<unknown>,
): Promise<unknown> {
  const run = new LimitedRun(books, query.sql, beganMs, root, connection, sent);
  // Its caller gives up by knex' own time limit, and nothing else is told of it.
  if (query.timeout) run.timer = setTimeout(() => run.end('timeout'), query.timeout);
  const result = sent.then(
    answer => run.settled('ok') ?? answer,
    error => {
      const ending = run.settled(outcomeOf(error));
      if (ending !== undefined) return ending;
      throw error;
    },
  );
  // pg answers a query whose connection is closed under it. Of other drivers that is not known.
  if (!run.deadlines.isOn || root.driverName === 'pg') return result;
  return new Promise((resolve, reject) => {
    run.onLate = reject;
    result.then(resolve, reject);
  });
}

class LimitedRun extends CountedRun implements Limited {
  readonly deadlines: Deadlines;
  earlier: Limited | undefined = undefined;
  later: Limited | undefined = undefined;
  timer: NodeJS.Timeout | undefined = undefined;
  /** Rejects with the error of a query that is late, once its connection is free of it. */
  ending: Promise<never> | undefined = undefined;
  onLate: ((error: unknown) => void) | undefined = undefined;

  constructor(
    books: Books,
    sql: string,
    beganMs: number,
    readonly root: DialectClient,
    readonly connection: object,
    readonly sent: Promise<unknown>,
  ) {
    super(books, sql, beganMs);
    this.deadlines = this.group.isRead ? books.readDeadlines : books.writeDeadlines;
    if (this.deadlines.isOn) this.deadlines.begin(this);
  }

  /** The driver has answered; gives what its caller gets instead where that is too late. */
  settled(outcome: QueryOutcome): Promise<never> | undefined {
    if (this.deadlines.isOn) this.deadlines.end(this);
    if (this.timer !== undefined) clearTimeout(this.timer);
    if (this.ending !== undefined) return this.ending;
    this.end(outcome);
    return undefined;
  }

  late(): void {
    // Its answer may be here already, and unread because the event loop was blocked.
    setImmediate(() => {
      if (this.over) return;
      this.end('timeout');
      this.ending = this.free();
      // Where the driver answers, that is what is given to the caller.
      this.ending.catch(error => this.onLate?.(error));
    });
  }

  /** Frees the connection of the query, and rejects with why. */
  async free(): Promise<never> {
    const { name, readTimeoutMs, writeTimeoutMs } = this.books.options;
    const { isRead, query } = this.group;
    const limitMs = isRead ? readTimeoutMs : writeTimeoutMs;
    const cancelled = await this.cancelled();
    const error = new QueryTimeoutError(name, isRead ? 'read' : 'write', limitMs, query, cancelled);
    if (!cancelled) closeNow(this.connection, error);
    throw error;
  }

  /** Whether the server has ended the query that it was told to end, and in time. */
  cancelled(): Promise<boolean> {
    if (!this.root.canCancelQuery) return Promise.resolve(false);
    const over = this.sent.then(
      () => true,
      () => true,
    );
    const cancel = async (): Promise<boolean> => {
      await this.root.cancelQuery(this.connection);
      return over;
    };
    return within(cancel, this.books.options.cancelTimeoutMs, () => undefined).catch(() => false);
  }
}
