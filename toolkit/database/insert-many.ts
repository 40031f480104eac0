import type { Knex } from 'knex';
import { positiveInteger } from '../options';

/** Options of inserting many rows. */
export interface InsertManyOptions {
  /** Most rows of one statement; fewer where their values would be too many for one. @default 1000 */
  readonly batchRows?: number;
  /** In this transaction. @default one of its own, so that all rows are inserted or none */
  readonly transaction?: Knex.Transaction;
  /** Rows that are there already are left as they are. @default an error */
  readonly onConflict?: 'ignore';
}

/** What inserting many rows did. */
export interface InsertManyResult {
  /** Rows that were inserted; without those that were ignored. */
  readonly inserted: number;
  /** Statements that it took. */
  readonly batches: number;
}

type Row = Readonly<Record<string, unknown>>;

/** Placeholders of one statement are counted in 16 bits, by PostgreSQL as by MySQL. */
const mostBindings = 65_535;

/**
 * Inserts rows with few statements of many rows each, from whatever gives rows: a list, a generator, a stream. Of those
 * that are still to come it holds one batch at a time.
 */
export async function insertMany(
  knex: Knex,
  table: string,
  rows: Iterable<Row> | AsyncIterable<Row>,
  options: InsertManyOptions = {},
): Promise<InsertManyResult> {
  const batchRows = positiveInteger('batchRows', options.batchRows ?? 1000);
  const into = async (trx: Knex): Promise<InsertManyResult> => {
    let inserted = 0;
    let batches = 0;
    let batch: Row[] = [];
    let columns = new Set<string>();
    const send = async (): Promise<void> => {
      if (batch.length === 0) return;
      inserted += await insert(trx, table, batch, columns, options.onConflict === 'ignore');
      batches++;
      batch = [];
      columns = new Set();
    };
    for await (const row of rows) {
      const keys = Object.keys(row);
      if (keys.length > mostBindings) {
        throw new RangeError(`Expected at most ${mostBindings} columns, got ${keys.length}`);
      }
      const width = new Set([...columns, ...keys]).size;
      if (batch.length >= batchRows || (batch.length + 1) * width > mostBindings) await send();
      for (const key of keys) columns.add(key);
      batch.push(row);
    }
    await send();
    return { inserted, batches };
  };
  return options.transaction === undefined ? knex.transaction(into) : into(options.transaction);
}

/** Inserts one batch; a column that a row lacks gets its default. */
async function insert(
  knex: Knex,
  table: string,
  batch: readonly Row[],
  columns: ReadonlySet<string>,
  ignore: boolean,
): Promise<number> {
  const builder = knex(table).insert([...batch] as never);
  const answer: unknown = await (ignore ? builder.onConflict().ignore() : builder);
  const { rowCount } = answer as { rowCount?: number | null };
  if (typeof rowCount === 'number') return rowCount;
  return ignore || columns.size === 0 ? 0 : batch.length;
}
