import { DatabaseManager } from 'otel-vitals/toolkit/database';

/** The shop's PostgreSQL: a small pool, and no query that outlives the patience of who asked. */
export function connectDatabase(url: string, poolMax: number, leakAfterMs = 30_000): DatabaseManager {
  return new DatabaseManager({
    name: 'shop',
    knex: { client: 'pg', connection: { connectionString: url, application_name: 'mall' } },
    pool: {
      min: Math.min(2, poolMax),
      max: poolMax,
      // A request that waits longer for a connection is better told to come back than kept.
      acquireTimeoutMs: 5000,
    },
    readTimeoutMs: 5000,
    writeTimeoutMs: 10_000,
    statementTimeoutMs: 15_000,
    slowQueryMs: 500,
    leakDetection: { afterMs: leakAfterMs },
  });
}
