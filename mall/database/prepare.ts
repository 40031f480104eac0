import type { Knex } from 'knex';
import { migrationSource } from './migrations';
import { seed } from './seed';

/** Any number that no other program on the database uses. */
const advisoryLock = 7_064_911;

/** Brings the database up to date and fills an empty shop; several shops may do so at once on one database. */
export async function prepareDatabase(db: Knex): Promise<void> {
  // Held until the transaction ends, or its connection is lost: no lock survives a shop that died here.
  await db.transaction(async trx => {
    await trx.raw('SELECT pg_advisory_xact_lock(?)', [advisoryLock]);
    await db.migrate.latest({ migrationSource });
    await seed(db);
  });
}
