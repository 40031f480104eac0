import type { Knex } from 'knex';
import knex from 'knex';

/** Query builder on a small pool of PostgreSQL connections. */
export function connectDatabase(url: string, poolMax: number): Knex {
  return knex({
    client: 'pg',
    connection: { connectionString: url, application_name: 'mall', statement_timeout: 10_000 },
    pool: { min: Math.min(2, poolMax), max: poolMax },
    // A request that waits longer for a connection is better told to come back than kept.
    acquireConnectionTimeout: 5000,
  });
}
