import { within } from '../within';
import type { Books } from './books';
import { isExhausted } from './client';
import { DatabaseClosedError, HealthCheckTimeoutError } from './errors';
import { closeNow, type DialectClient } from './knex-types';

/** The answer of a health check. */
export interface HealthCheck {
  readonly healthy: boolean;
  /** How long it took, in milliseconds. */
  readonly ms: number;
  /** Why it is not healthy: a HealthCheckTimeoutError, or what the driver said. */
  readonly error?: unknown;
}

/**
 * Whether the database answers on a connection of the pool, by a deadline. It leaves nothing behind: no caller that
 * waits on in the pool, and no connection that waits for an answer.
 */
export async function checkHealth(
  client: DialectClient,
  database: string,
  timeoutMs: number,
  { ledger, options: { clock } }: Books,
): Promise<HealthCheck> {
  const began = clock();
  try {
    const { pool } = client;
    if (pool === undefined) throw new DatabaseClosedError(database);
    const request = ledger.asked(isExhausted(pool), undefined);
    const asked = pool.acquire();
    const late = (waitedFor: 'connection' | 'answer') => () =>
      new HealthCheckTimeoutError(database, timeoutMs, waitedFor);
    let connection: object;
    try {
      connection = await within(() => asked.promise, timeoutMs, late('connection'));
      ledger.got(request, connection);
    } catch (error) {
      ledger.gotNone(request, error instanceof HealthCheckTimeoutError);
      asked.abort();
      // It may have come at the last moment.
      asked.promise.then(
        got => pool.release(got),
        () => {},
      );
      throw error;
    }
    try {
      const left = Math.max(1, timeoutMs - (clock() - began));
      await within(() => client.query(connection, { sql: 'select 1' }), left, late('answer'));
    } catch (error) {
      // An error of the query's leaves the connection as it was; only one that waits is of no more use.
      if (error instanceof HealthCheckTimeoutError) closeNow(connection, error);
      throw error;
    } finally {
      ledger.gaveBack(connection);
      pool.release(connection);
    }
    return { healthy: true, ms: clock() - began };
  } catch (error) {
    return { healthy: false, ms: clock() - began, error };
  }
}
