import type { Knex } from 'knex';
import { ShopError } from '../errors';
import type { CartItem } from './carts';

/** What there is of each product. */
export interface Inventory {
  /** Undefined when there is no such product. */
  find(productId: number): Promise<number | undefined>;
  /** Says how many pieces there are; false when there is no such product. */
  restock(productId: number, stock: number): Promise<boolean>;
}

/** The inventory in PostgreSQL. */
export function createInventory(db: Knex): Inventory {
  return {
    async find(productId) {
      const row = await db('inventory').where('product_id', productId).first('stock');
      return row?.stock;
    },
    restock: async (productId, stock) =>
      (await db('inventory').where('product_id', productId).update({ stock })) === 1,
  };
}

/**
 * Locks the rows, checks and takes; returns the prices. Locks are taken by rising id, so that orders never deadlock.
 *
 * @throws {@link ShopError} 409 `out_of_stock`
 */
export async function takeStock(
  trx: Knex.Transaction,
  items: readonly CartItem[],
): Promise<Map<number, number>> {
  const ids = items.map(({ productId }) => productId);
  const rows: { id: number; stock: number; price: number }[] = await trx('inventory as i')
    .join('products as p', 'p.id', 'i.product_id')
    .whereIn('i.product_id', ids)
    .orderBy('i.product_id')
    .forUpdate('i')
    .select({ id: 'p.id', stock: 'i.stock', price: 'p.price_cents' });
  const found = new Map(rows.map(row => [row.id, row]));
  const short = items
    .filter(({ productId, quantity }) => (found.get(productId)?.stock ?? 0) < quantity)
    .map(({ productId, quantity }) => ({
      productId,
      wanted: quantity,
      left: found.get(productId)?.stock ?? 0,
    }));
  if (short.length > 0) {
    throw new ShopError(409, 'out_of_stock', `Not enough on stock of ${short.length} product(s)`, short);
  }
  await trx.raw(
    `UPDATE inventory SET stock = stock - taken.quantity
     FROM unnest(?::int[], ?::int[]) AS taken(product_id, quantity)
     WHERE inventory.product_id = taken.product_id`,
    [ids, items.map(({ quantity }) => quantity)],
  );
  return new Map(rows.map(({ id, price }) => [id, price]));
}

/** Gives the items of an order back, in the order in which orders take them; returns their products. */
export async function giveBackStock(trx: Knex.Transaction, orderId: string): Promise<number[]> {
  const { rows } = await trx.raw<{ rows: { product_id: number }[] }>(
    `WITH items AS (
       SELECT i.product_id, o.quantity FROM inventory i JOIN order_items o USING (product_id)
       WHERE o.order_id = ? ORDER BY i.product_id FOR UPDATE OF i
     )
     UPDATE inventory SET stock = stock + items.quantity FROM items
     WHERE inventory.product_id = items.product_id RETURNING inventory.product_id`,
    [orderId],
  );
  return rows.map(({ product_id: id }) => id);
}
