import type { DatabaseManager } from 'otel-vitals/toolkit/database';
import { migrationSource } from './migrations';
import { seed } from './seed';

/** Any number that no other program on the database uses. */
const advisoryLock = 7_064_911;

/** Brings the database up to date and fills an empty shop; several shops may do so at once on one database. */
export async function prepareDatabase(database: DatabaseManager): Promise<void> {
  // Held until the transaction ends, or its connection is lost: no lock survives a shop that died here.
  await database.knex.transaction(async trx => {
    await trx.raw('SELECT pg_advisory_xact_lock(?)', [advisoryLock]);
    await database.knex.migrate.latest({ migrationSource });
    await seed(database);
  });
}
