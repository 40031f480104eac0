import type { Knex } from 'knex';

/** A row as the database gives it. */
export type Row = Readonly<Record<string, unknown>>;

/** How many rows are read at once. */
export const rowsAtOnce = 500;

/**
 * Opens a cursor on a query: its rows as they were at this moment, read as they are taken. It holds a connection until
 * the last one, or until whoever takes them ends.
 *
 * It is not `stream()` of knex 3, which gives its connection back when the last row was read, and once more when it was
 * taken: by then it may be another's, who is in the middle of a transaction.
 */
export async function openCursor(db: Knex, query: Knex.QueryBuilder): Promise<AsyncGenerator<Row, void>> {
  const trx = await db.transaction(undefined, { isolationLevel: 'repeatable read', readOnly: true });
  try {
    const { sql, bindings } = query.toSQL();
    await trx.raw(`DECLARE report NO SCROLL CURSOR FOR ${sql}`, bindings as never);
  } catch (error) {
    await trx.rollback();
    throw error;
  }
  const rows = fetchAll(trx);
  // A generator that was never begun would skip its end.
  await rows.next();
  return rows as AsyncGenerator<Row, void>;
}

async function* fetchAll(trx: Knex.Transaction): AsyncGenerator<Row | undefined, void> {
  try {
    yield undefined;
    for (;;) {
      const { rows } = await trx.raw<{ rows: Row[] }>(`FETCH ${rowsAtOnce} FROM report`);
      yield* rows;
      if (rows.length < rowsAtOnce) return;
    }
  } finally {
    await trx.rollback();
  }
}
