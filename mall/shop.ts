import type { Knex } from 'knex';
import { TieredCache } from 'otel-vitals/toolkit/cache';
import { notFound, ShopError } from './errors';
import type { Redis } from './redis';
import type { CartItem, Carts } from './repositories/carts';
import { createMemoryCarts, createRedisCarts } from './repositories/carts';
import type { Order, Orders } from './repositories/orders';
import { createOrders } from './repositories/orders';
import type { Category, ProductDetail, Products } from './repositories/products';
import { createProducts } from './repositories/products';

/** A cart with what a customer wants to know of its items. */
export interface PricedCart {
  readonly id: string;
  readonly items: readonly (CartItem & { readonly name: string; readonly priceCents: number })[];
  readonly totalCents: number;
}

/** What the shop can do, apart from HTTP. */
export interface Shop {
  readonly products: Products;
  readonly carts: Carts;
  readonly orders: Orders;
  /** A product through the cache. @throws {@link ShopError} 404 */
  product(id: number): Promise<ProductDetail>;
  categories(): Promise<readonly Category[]>;
  cart(id: string): Promise<PricedCart>;
  /** @throws {@link ShopError} 404, 409 `cart_empty`, 409 `out_of_stock` */
  checkout(cartId: string, email: string): Promise<{ order: Order; created: boolean }>;
  close(): void;
}

/** Puts the shop together on its database and, where there is one, its Redis. */
export function createShop(db: Knex, redis: Redis | undefined): Shop {
  const products = createProducts(db);
  const orders = createOrders(db);
  const carts = redis ? createRedisCarts(redis) : createMemoryCarts();
  const l2 = redis && { client: redis, ttlMs: 60_000, timeoutMs: 100 };
  // A shorter life in memory than in Redis: other processes' checkouts reach this process that late at most.
  const productCache = new TieredCache<ProductDetail | undefined>({
    name: 'products',
    l1: { maxEntries: 500, ttlMs: 5000 },
    ...(l2 && { l2 }),
  });
  const categoryCache = new TieredCache<readonly Category[]>({
    name: 'categories',
    l1: { maxEntries: 1, ttlMs: 30_000 },
  });

  const product = async (id: number): Promise<ProductDetail> => {
    const found = await productCache.getOrLoad(String(id), () => products.find(id));
    if (found === undefined) throw notFound('product', id);
    return found;
  };

  return {
    products,
    carts,
    orders,
    product,
    categories: () => categoryCache.getOrLoad('all', () => products.categories()),

    async cart(id) {
      const items = await carts.items(id);
      if (items === undefined) throw notFound('cart', id);
      const priced = await Promise.all(
        items.map(async item => {
          const { name, priceCents } = await product(item.productId);
          return { ...item, name, priceCents };
        }),
      );
      return {
        id,
        items: priced,
        totalCents: priced.reduce((sum, item) => sum + item.quantity * item.priceCents, 0),
      };
    },

    async checkout(cartId, email) {
      const items = await carts.items(cartId);
      if (items === undefined) {
        // The answer to an earlier checkout may have been lost on its way.
        const order = await orders.findByCart(cartId);
        if (order === undefined) throw notFound('cart', cartId);
        return { order, created: false };
      }
      if (items.length === 0)
        throw new ShopError(409, 'cart_empty', `Expected items in cart ${cartId}, got none`);
      const placed = await orders.place(cartId, email, items);
      // The order stands whatever happens here: a cart left over gives this order again.
      await Promise.allSettled([
        carts.delete(cartId),
        ...items.map(({ productId }) => productCache.delete(String(productId))),
      ]);
      return placed;
    },

    close() {
      productCache.close();
      categoryCache.close();
    },
  };
}
