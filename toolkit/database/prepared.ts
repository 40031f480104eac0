import { createHash } from 'node:crypto';
import type { Knex } from 'knex';
import { nonEmptyString } from '../options';

/** Where a prepared statement runs. */
export interface RunPreparedOptions {
  /** In this transaction, instead of on any connection. */
  readonly transaction?: Knex.Transaction;
}

/**
 * A statement that each connection hands to the server once and from then on runs by its name: the server parses it
 * once per connection, and after some runs plans it once.
 *
 * It stays prepared for as long as the connection is open; so a statement is made once, at the top of a module, and
 * not for each call. Through PgBouncer in transaction mode it needs `max_prepared_statements`.
 */
export class PreparedStatement<Row extends object = Record<string, unknown>> {
  /** The name it has on the server, made of its text. */
  readonly name: string;
  readonly sql: string;
  readonly #knex: Knex;

  /** @param sql with `?` for each value, and `\\?` for a question mark */
  constructor(knex: Knex, sql: string) {
    this.sql = nonEmptyString('sql', sql);
    this.name = `vitals_${createHash('sha256').update(sql).digest('hex').slice(0, 16)}`;
    this.#knex = knex;
  }

  /** Runs it and gives its rows; of a statement without rows an empty list. */
  async rows(bindings: readonly unknown[] = [], options?: RunPreparedOptions): Promise<Row[]> {
    return ((await this.#run(bindings, options)) as { rows: Row[] }).rows;
  }

  /** Runs it and gives its first row. */
  async first(bindings: readonly unknown[] = [], options?: RunPreparedOptions): Promise<Row | undefined> {
    return (await this.rows(bindings, options))[0];
  }

  /** Runs it and gives how many rows it changed. */
  async run(bindings: readonly unknown[] = [], options?: RunPreparedOptions): Promise<number> {
    return ((await this.#run(bindings, options)) as { rowCount: number | null }).rowCount ?? 0;
  }

  #run(bindings: readonly unknown[], options: RunPreparedOptions | undefined): PromiseLike<unknown> {
    const raw = (options?.transaction ?? this.#knex).raw(this.sql, [...bindings] as never);
    return raw.options({ name: this.name });
  }
}
