import { KnexMissingError } from './errors';
import type { DialectClass, DialectClient } from './knex-types';
import type { SettledOptions } from './options';
import type { SqlDialect } from './sql-tokens';

/** knex as it is called, and its client for a database. */
export interface KnexDialect {
  readonly makeKnex: typeof import('knex').knex;
  readonly Dialect: DialectClass;
  readonly sql: SqlDialect;
}

/**
 * knex, and its client for the database that the configuration names.
 *
 * @throws TypeError, KnexMissingError
 */
export function dialectOf(options: SettledOptions): KnexDialect {
  const { knex: config } = options;
  if (config.client === undefined) throw new TypeError('Expected knex.client to name a client, got none');
  if (config.connectionPool !== undefined) {
    throw new TypeError('Expected knex to have a connection, got a pool: that is made here');
  }
  let makeKnex: KnexDialect['makeKnex'];
  try {
    makeKnex = (require('knex') as typeof import('knex')).knex;
  } catch (cause) {
    throw new KnexMissingError({ cause });
  }
  // Without a connection it loads no driver and makes no pool.
  const { client } = makeKnex({ client: config.client });
  const { driverName, dialect } = client as DialectClient;
  if (driverName !== 'pg') assertNoPostgresOptions(options, String(driverName));
  const sql = /^(postgresql|cockroachdb|redshift|pgnative)$/.test(dialect)
    ? 'postgresql'
    : /^(mysql|mariadb)/.test(dialect)
      ? 'mysql'
      : 'standard';
  return { makeKnex, Dialect: client.constructor as DialectClass, sql };
}

function assertNoPostgresOptions(options: SettledOptions, driver: string): void {
  for (const name of ['statementTimeoutMs', 'lockTimeoutMs', 'idleInTransactionTimeoutMs'] as const) {
    if (options[name] !== undefined) {
      throw new TypeError(`Expected ${name} for the driver pg alone, got it for ${driver}`);
    }
  }
}
