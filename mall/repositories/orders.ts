import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { ShopError } from '../errors';
import type { CartItem } from './carts';

/** What was bought. */
export interface Order {
  readonly id: string;
  readonly email: string;
  readonly totalCents: number;
  readonly createdAt: string;
  readonly items: readonly {
    readonly productId: number;
    readonly quantity: number;
    readonly unitPriceCents: number;
  }[];
}

/** Orders, and the stock that they take. */
export interface Orders {
  find(id: string): Promise<Order | undefined>;
  findByCart(cartId: string): Promise<Order | undefined>;
  /**
   * Turns a cart into an order and takes its items off the stock, both or neither. A cart that is an order already
   * gives that order.
   *
   * @throws {@link ShopError} 409 `out_of_stock` with what is left of each product that does not suffice
   */
  place(
    cartId: string,
    email: string,
    items: readonly CartItem[],
  ): Promise<{ order: Order; created: boolean }>;
}

/** Orders in PostgreSQL. */
export function createOrders(db: Knex): Orders {
  const find = async (where: object, from: Knex = db): Promise<Order | undefined> => {
    const row = await from('orders').where(where).first();
    if (row === undefined) return undefined;
    const items = await from('order_items')
      .where('order_id', row.id)
      .orderBy('product_id')
      .select({ productId: 'product_id', quantity: 'quantity', unitPriceCents: 'unit_price_cents' });
    const { id, email, total_cents: totalCents, created_at: createdAt } = row;
    return { id, email, totalCents, createdAt: createdAt.toISOString(), items };
  };

  return {
    find: id => find({ id }),
    findByCart: cartId => find({ cart_id: cartId }),
    place: (cartId, email, items) =>
      db.transaction(async trx => {
        const id = randomUUID();
        // First, so that two checkouts of one cart wait for each other here, before either takes any stock.
        const claimed = await trx('orders')
          .insert({ id, cart_id: cartId, email, total_cents: 0 })
          .onConflict('cart_id')
          .ignore()
          .returning('id');
        if (claimed.length === 0) return { order: (await find({ cart_id: cartId }, trx))!, created: false };
        const prices = await takeFromStock(trx, items);
        const rows = items.map(({ productId, quantity }) => ({
          order_id: id,
          product_id: productId,
          quantity,
          unit_price_cents: prices.get(productId)!,
        }));
        await trx('order_items').insert(rows);
        const total = rows.reduce((sum, row) => sum + row.quantity * row.unit_price_cents, 0);
        await trx('orders').where({ id }).update({ total_cents: total });
        return { order: (await find({ id }, trx))!, created: true };
      }),
  };
}

/** Locks the rows, checks and takes; returns the prices. Locks are taken by rising id, so that orders never deadlock. */
async function takeFromStock(
  trx: Knex.Transaction,
  items: readonly CartItem[],
): Promise<Map<number, number>> {
  const ids = items.map(({ productId }) => productId);
  const rows: { id: number; name: string; stock: number; price: number }[] = await trx('inventory as i')
    .join('products as p', 'p.id', 'i.product_id')
    .whereIn('i.product_id', ids)
    .orderBy('i.product_id')
    .forUpdate('i')
    .select({ id: 'p.id', name: 'p.name', stock: 'i.stock', price: 'p.price_cents' });
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
