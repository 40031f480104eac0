import { within } from '../within';
import type { Books } from './books';
import { QueryTimeoutError } from './errors';
import { closeNow, type DialectClient, type QueryObject } from './knex-types';
import type { QueryGroup, QueryOutcome } from './query-table';

/** A server that ended a query because it took too long: PostgreSQL, then MySQL. */
const timeoutCodes = new Set(['57014', 'ER_QUERY_TIMEOUT', 'ER_QUERY_INTERRUPTED']);

function outcomeOf(error: unknown): QueryOutcome {
  return timeoutCodes.has(String((error as { code?: unknown } | null)?.code)) ? 'timeout' : 'error';
}

/** Counts the run of a query, and gives what says that it ended; said again it is not heard. */
export function counted(books: Books, sql: string, group: QueryGroup, beganMs: number) {
  const { queries, window, options } = books;
  const route = books.routes.note(group);
  let over = false;
  queries.running++;
  return (outcome: QueryOutcome): void => {
    if (over) return;
    over = true;
    queries.running--;
    const now = options.clock();
    const ms = now - beganMs;
    window.advance(now);
    window.now.queries++;
    if (outcome !== 'ok') window.now.errors++;
    if (outcome === 'timeout') window.now.timeouts++;
    if (!queries.record(sql, group, ms, outcome)) return;
    window.now.slow++;
    options.onSlowQuery?.({ database: options.name, query: group.query, ms, route });
  };
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
  const group = books.queries.groupOf(query.sql);
  const end = counted(books, query.sql, group, beganMs);
  const { name, readTimeoutMs, writeTimeoutMs, cancelTimeoutMs } = books.options;
  const kind = group.isRead ? 'read' : 'write';
  const limit = group.isRead ? readTimeoutMs : writeTimeoutMs;
  if (limit === Infinity && !query.timeout) {
    return sent.then(
      result => {
        end('ok');
        return result;
      },
      error => {
        end(outcomeOf(error));
        throw error;
      },
    );
  }
  return new Promise((resolve, reject) => {
    let over = false;
    const timers: NodeJS.Timeout[] = [];
    if (limit !== Infinity) {
      timers.push(
        setTimeout(() => {
          // Its answer may be here already, and unread because the event loop was blocked.
          setImmediate(async () => {
            if (over) return;
            over = true;
            end('timeout');
            const cancelled = await ended(root, connection, sent, cancelTimeoutMs);
            const error = new QueryTimeoutError(name, kind, limit, group.query, cancelled);
            if (!cancelled) closeNow(connection, error);
            reject(error);
          });
        }, limit),
      );
    }
    // Its caller gives up by knex' own time limit, and this is told nothing of it.
    if (query.timeout) timers.push(setTimeout(end, query.timeout, 'timeout'));
    const settle = (outcome: QueryOutcome, tell: () => void): void => {
      for (const timer of timers) clearTimeout(timer);
      if (over) return;
      over = true;
      end(outcome);
      tell();
    };
    sent.then(
      result => settle('ok', () => resolve(result)),
      error => settle(outcomeOf(error), () => reject(error)),
    );
  });
}

/** Whether the server has ended a query that it was told to end, and in time. */
function ended(
  root: DialectClient,
  connection: object,
  sent: Promise<unknown>,
  timeoutMs: number,
): Promise<boolean> {
  const over = sent.then(
    () => true,
    () => true,
  );
  if (!root.canCancelQuery) return Promise.resolve(false);
  const cancel = async (): Promise<boolean> => {
    await root.cancelQuery(connection);
    return over;
  };
  return within(cancel, timeoutMs, () => undefined).catch(() => false);
}
