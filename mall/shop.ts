import type { DatabaseManager } from 'otel-vitals/toolkit/database';
import type { TaskPool } from 'otel-vitals/toolkit/worker-pool';
import { type Caches, closeCaches, createCaches, sessionMs } from './caches';
import { type Buyer, createCheckout } from './checkout';
import { notFound } from './errors';
import { createOrderEvents, type OrderEvents } from './events';
import type { PaymentClient } from './payment/client';
import { createRecommender, type RecommendationThreads, type Similar } from './recommendations/recommender';
import type { Redis } from './redis';
import { createReports, type Reports } from './reports';
import type { CartItem, Carts } from './repositories/carts';
import { createMemoryCarts, createRedisCarts } from './repositories/carts';
import type { Order, Orders } from './repositories/orders';
import { createOrders } from './repositories/orders';
import type { Category, Page, Product, ProductDetail, ProductQuery, Products } from './repositories/products';
import { createProducts } from './repositories/products';
import { createInventory } from './repositories/stock';
import { createSessions, type Sessions } from './sessions';
import { createSettlement, keepReconciling, type Settlement } from './settlement';
import { createStockLocks, type StockLocks } from './stock-locks';

/** A cart with what a customer wants to know of its items. */
export interface PricedCart {
  readonly id: string;
  readonly items: readonly (CartItem & { readonly name: string; readonly priceCents: number })[];
  readonly totalCents: number;
}

/** What the shop is put together from. */
export interface ShopParts {
  readonly database: DatabaseManager;
  /** Absent: carts, sessions and caches live in this process only. */
  readonly redis?: Redis | undefined;
  /** Hears of what other processes of the shop changed: a second client of the same Redis. */
  readonly subscriber?: Redis | undefined;
  readonly payment: PaymentClient;
  readonly stockWaitMs: number;
  readonly settleAfterMs: number;
  readonly reconcileMs: number;
  /** Told of what went wrong behind the requests. */
  readonly complain: (error: unknown) => void;
}

/** What the shop can do, apart from HTTP, and the parts that do it. */
export interface Shop {
  readonly database: DatabaseManager;
  readonly caches: Caches;
  readonly pools: { readonly recommendations: RecommendationThreads; readonly reports: TaskPool };
  readonly events: OrderEvents;
  readonly stock: StockLocks;
  readonly payment: PaymentClient;
  readonly settlement: Settlement;
  readonly products: Products;
  readonly carts: Carts;
  readonly orders: Orders;
  readonly sessions: Sessions;
  readonly reports: Reports;
  /** A page of products through the cache. */
  list(query: ProductQuery): Promise<Page<Product>>;
  /** A product through the cache. @throws {@link ShopError} 404 */
  product(id: number): Promise<ProductDetail>;
  /** @throws {@link ShopError} 404 */
  recommendations(productId: number, limit: number): Promise<readonly Similar[]>;
  categories(): Promise<readonly Category[]>;
  /** @throws {@link ShopError} 404 */
  inventory(productId: number): Promise<number>;
  /** Says how many pieces of a product there are. @throws {@link ShopError} 404 */
  restock(productId: number, stock: number): Promise<void>;
  cart(id: string): Promise<PricedCart>;
  /** @throws {@link ShopError} as documented at {@link createCheckout} */
  checkout(cartId: string, buyer: Buyer): Promise<{ order: Order; created: boolean }>;
  /** Does beforehand what the first request of its kind would otherwise wait for. */
  warmUp(): Promise<unknown>;
  /** Once no more requests come: writes what waits, and lets go of all but the database, Redis and the gateway. */
  close(): Promise<void>;
}

/** Puts the shop together on its database, its payment gateway and, where there is one, its Redis. */
export function createShop(parts: ShopParts): Shop {
  const { database, redis, payment, complain } = parts;
  const db = database.knex;
  const products = createProducts(db);
  const orders = createOrders(db);
  const inventory = createInventory(db);
  const carts = redis ? createRedisCarts(redis) : createMemoryCarts();
  const caches = createCaches(redis, parts.subscriber);
  const recommender = createRecommender(products, caches.recommendations);
  const reports = createReports(db);
  const events = createOrderEvents(database, complain);
  const stock = createStockLocks(parts.stockWaitMs);
  const stockChanged = async (productIds: readonly number[]): Promise<void> => {
    await Promise.all(productIds.map(id => caches.products.delete(String(id))));
  };
  const { settleAfterMs } = parts;
  const settlement = createSettlement({ orders, payment, events, stockChanged, settleAfterMs, complain });
  const stopReconciling = keepReconciling(settlement, parts.reconcileMs, complain);

  const product = async (id: number): Promise<ProductDetail> => {
    const found = await caches.products.getOrLoad(String(id), () => products.find(id));
    if (found === undefined) throw notFound('product', id);
    return found;
  };

  return {
    database,
    caches,
    pools: { recommendations: recommender.threads, reports: reports.places },
    events,
    stock,
    payment,
    settlement,
    products,
    carts,
    orders,
    sessions: createSessions(caches.sessions, sessionMs),
    reports,
    product,

    list: query => caches.lists.getOrLoad(keyOf(query), () => products.list(query)),
    categories: () => caches.categories.getOrLoad('all', () => products.categories()),

    async recommendations(productId, limit) {
      await product(productId);
      return (await recommender.similarTo(productId)).slice(0, limit);
    },

    async inventory(productId) {
      const pieces = await inventory.find(productId);
      if (pieces === undefined) throw notFound('product', productId);
      return pieces;
    },

    async restock(productId, pieces) {
      const known = await stock.hold([productId], () => inventory.restock(productId, pieces));
      if (!known) throw notFound('product', productId);
      await stockChanged([productId]);
    },

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

    checkout: createCheckout({ carts, orders, stock, payment, settlement, events, stockChanged }),

    warmUp: recommender.warmUp,

    async close() {
      await stopReconciling();
      await Promise.all([events.close(), recommender.threads.close(), reports.places.close()]);
      stock.locks.close();
      await closeCaches(caches);
    },
  };
}

/** The same for the same page, in whatever order it was asked for. */
function keyOf({ page, pageSize, category = '', sort = 'newest', search = '' }: ProductQuery): string {
  return [page, pageSize, category, sort, search].join('|');
}
