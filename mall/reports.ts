import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Knex } from 'knex';
import { TaskPool } from 'otel-vitals/toolkit/worker-pool';
import { openCursor, type Row } from './database/cursor';

/** From the start of one day to the end of another, in UTC, as `2026-11-30`. */
export interface Days {
  readonly from?: string;
  readonly to?: string;
}

/** Reports of any length, read from a cursor of the database no faster than they are taken. */
export interface Reports {
  readonly places: TaskPool;
  /** What was sold and paid, as CSV: a line for each product of an order. Rejects when too many reports are made. */
  sales(days: Days): Promise<Readable>;
  /** What there is of each product, as a line of JSON each. Rejects as `sales` does. */
  inventory(): Promise<Readable>;
}

/** Characters that are sent at once. */
const pieceLength = 16_384;

const salesColumns = [
  'order_id',
  'paid_at',
  'product_id',
  'sku',
  'name',
  'quantity',
  'unit_price_cents',
  'total_cents',
] as const;

/** Reports from PostgreSQL. Each holds a connection to its end, so only a few are made at a time. */
export function createReports(db: Knex): Reports {
  const places = new TaskPool({
    name: 'reports',
    max: 2,
    maxQueue: 8,
    queueTimeoutMs: 5000,
    // A reader who stops reading does not keep the others waiting for ever.
    runTimeoutMs: 600_000,
  });

  /** Resolves when it is the report's turn; its place is taken until the stream has ended, however it did. */
  const report = (query: Knex.QueryBuilder, write: (rows: AsyncIterable<Row>) => AsyncIterable<string>) =>
    new Promise<Readable>((resolve, reject) => {
      places
        .run(async ({ signal }) => {
          const rows = await openCursor(db, query);
          const text = Readable.from(inPieces(write(rows)), {
            objectMode: false,
            highWaterMark: pieceLength,
          });
          // One that nobody began to read holds its cursor too.
          text.once('close', () => void rows.return().catch(() => {}));
          signal.addEventListener('abort', () => text.destroy());
          resolve(text);
          await finished(text).catch(() => {});
        })
        .catch(reject);
    });

  return {
    places,

    sales({ from, to }) {
      const query = db('orders as o')
        .join('order_items as i', 'i.order_id', 'o.id')
        .join('products as p', 'p.id', 'i.product_id')
        .where('o.status', 'paid')
        .orderBy(['o.created_at', 'o.id', 'i.product_id'])
        .select({
          order_id: 'o.id',
          paid_at: 'o.settled_at',
          product_id: 'i.product_id',
          sku: 'p.sku',
          name: 'p.name',
          quantity: 'i.quantity',
          unit_price_cents: 'i.unit_price_cents',
          total_cents: db.raw('i.quantity * i.unit_price_cents'),
        });
      if (from !== undefined) query.whereRaw("o.created_at >= ?::date AT TIME ZONE 'UTC'", [from]);
      if (to !== undefined) query.whereRaw("o.created_at < (?::date + 1) AT TIME ZONE 'UTC'", [to]);
      return report(query, async function* (rows) {
        yield `${salesColumns.join(',')}\r\n`;
        for await (const row of rows) yield `${salesColumns.map(name => field(row[name])).join(',')}\r\n`;
      });
    },

    inventory() {
      const query = db('inventory as i')
        .join('products as p', 'p.id', 'i.product_id')
        .orderBy('p.id')
        .select({ productId: 'p.id', sku: 'p.sku', name: 'p.name', stock: 'i.stock' });
      return report(query, async function* (rows) {
        for await (const row of rows) yield `${JSON.stringify(row)}\n`;
      });
    },
  };
}

/** Lines together, so that not each is sent by itself. */
async function* inPieces(lines: AsyncIterable<string>): AsyncIterable<string> {
  let piece = '';
  for await (const line of lines) {
    piece += line;
    if (piece.length < pieceLength) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

/** A field as RFC 4180 has it. */
function field(value: unknown): string {
  const text = value instanceof Date ? value.toISOString() : String(value ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
