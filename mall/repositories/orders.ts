import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import type { CartItem } from './carts';
import type { Page } from './products';
import { giveBackStock, takeStock } from './stock';

/** An order waits for its payment, and then is either paid or cancelled, for good. */
export type OrderStatus = 'pending' | 'paid' | 'cancelled';

/** What was bought. */
export interface Order {
  readonly id: string;
  readonly email: string;
  readonly status: OrderStatus;
  readonly totalCents: number;
  readonly createdAt: string;
  readonly items: readonly OrderItem[];
}

/** Some pieces of one product, at the price of then. */
export interface OrderItem {
  readonly productId: number;
  readonly quantity: number;
  readonly unitPriceCents: number;
}

/** Orders, and the stock that they take. */
export interface Orders {
  find(id: string): Promise<Order | undefined>;
  /** The order that a cart became and that was not cancelled. */
  findByCart(cartId: string): Promise<Order | undefined>;
  /** Those of a customer, newest first. */
  list(email: string, page: number, pageSize: number): Promise<Page<Order>>;
  /**
   * Turns a cart into a pending order and takes its items off the stock, both or neither. A cart that is an order
   * already gives that order.
   *
   * @throws {@link ShopError} 409 `out_of_stock` with what is left of each product that does not suffice
   */
  place(
    cartId: string,
    email: string,
    items: readonly CartItem[],
  ): Promise<{ order: Order; created: boolean }>;
  /**
   * Makes a pending order paid, or cancels it and gives its items back to the stock.
   *
   * @returns the products that it gave back and when it was settled; undefined where the order was settled before
   */
  settle(id: string, status: 'paid' | 'cancelled'): Promise<Settled | undefined>;
  /** Orders that have been pending for longer than so many milliseconds, oldest first. */
  stuck(olderThanMs: number, most: number): Promise<readonly string[]>;
}

/** A change of state. */
export interface Settled {
  readonly productIds: readonly number[];
  readonly at: Date;
}

interface OrderRow {
  readonly id: string;
  readonly email: string;
  readonly status: OrderStatus;
  readonly total_cents: number;
  readonly created_at: Date;
}

const itemColumns = { productId: 'product_id', quantity: 'quantity', unitPriceCents: 'unit_price_cents' };

/** Orders in PostgreSQL. */
export function createOrders(db: Knex): Orders {
  const find = async (where: object, from: Knex = db): Promise<Order | undefined> => {
    const row: OrderRow | undefined = await from('orders').where(where).first();
    if (row === undefined) return undefined;
    return toOrder(
      row,
      await from('order_items').where('order_id', row.id).orderBy('product_id').select(itemColumns),
    );
  };
  const findByCart = async (cartId: string, from: Knex = db): Promise<Order | undefined> => {
    const row = await from('orders').where({ cart_id: cartId }).whereNot('status', 'cancelled').first('id');
    return row && find({ id: row.id }, from);
  };

  /** Undefined where the order that the cart had become was cancelled just now: then the cart is free. */
  const tryPlace = (cartId: string, email: string, items: readonly CartItem[]) =>
    db.transaction(async trx => {
      const id = randomUUID();
      // First, so that two checkouts of one cart wait for each other here, before either takes any stock.
      const claimed: OrderRow[] = await trx('orders')
        .insert({ id, cart_id: cartId, email, total_cents: 0 })
        .onConflict(trx.raw("(cart_id) WHERE status <> 'cancelled'") as never)
        .ignore()
        .returning('*');
      if (claimed.length === 0) {
        const order = await findByCart(cartId, trx);
        return order && order.status !== 'cancelled' ? { order, created: false } : undefined;
      }
      const prices = await takeStock(trx, items);
      const bought = items.map(({ productId, quantity }) => ({
        productId,
        quantity,
        unitPriceCents: prices.get(productId)!,
      }));
      await trx('order_items').insert(
        bought.map(({ productId, quantity, unitPriceCents }) => ({
          order_id: id,
          product_id: productId,
          quantity,
          unit_price_cents: unitPriceCents,
        })),
      );
      const total = bought.reduce((sum, item) => sum + item.quantity * item.unitPriceCents, 0);
      await trx('orders').where({ id }).update({ total_cents: total });
      return { order: toOrder({ ...claimed[0]!, total_cents: total }, bought), created: true };
    });

  return {
    find: id => find({ id }),
    findByCart: cartId => findByCart(cartId),

    async list(email, page, pageSize) {
      const matching = db('orders').where({ email });
      const [rows, count] = await Promise.all([
        matching
          .clone()
          .orderBy('created_at', 'desc')
          .orderBy('id')
          .limit(pageSize)
          .offset((page - 1) * pageSize),
        matching.clone().count({ total: '*' }).first(),
      ]);
      const items: (OrderItem & { orderId: string })[] = await db('order_items')
        .whereIn(
          'order_id',
          rows.map(({ id }) => id),
        )
        .orderBy('product_id')
        .select({ orderId: 'order_id', ...itemColumns });
      const itemsOf = new Map<string, OrderItem[]>(rows.map(({ id }) => [id, []]));
      for (const item of items) itemsOf.get(item.orderId)!.push(item);
      return {
        items: rows.map((row: OrderRow) => toOrder(row, itemsOf.get(row.id) ?? [])),
        page,
        pageSize,
        total: Number(count?.['total'] ?? 0),
      };
    },

    async place(cartId, email, items) {
      for (;;) {
        const placed = await tryPlace(cartId, email, items);
        if (placed !== undefined) return placed;
      }
    },

    settle: (id, status) =>
      db.transaction(async trx => {
        const [settled] = await trx('orders')
          .where({ id, status: 'pending' })
          .update({ status, settled_at: trx.fn.now() })
          .returning('settled_at');
        if (settled === undefined) return undefined;
        const productIds = status === 'cancelled' ? await giveBackStock(trx, id) : [];
        return { productIds, at: settled.settled_at };
      }),

    async stuck(olderThanMs, most) {
      const rows: { id: string }[] = await db('orders')
        .where('status', 'pending')
        .whereRaw("created_at < now() - ? * interval '1 ms'", [olderThanMs])
        .orderBy('created_at')
        .limit(most)
        .select('id');
      return rows.map(({ id }) => id);
    },
  };
}

function toOrder(row: OrderRow, items: readonly OrderItem[]): Order {
  const { id, email, status, total_cents: totalCents, created_at: createdAt } = row;
  return {
    id,
    email,
    status,
    totalCents,
    createdAt: createdAt.toISOString(),
    items: items.map(({ productId, quantity, unitPriceCents }) => ({ productId, quantity, unitPriceCents })),
  };
}
