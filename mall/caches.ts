import { type RedisSubscriber, TieredCache } from 'otel-vitals/toolkit/cache';
import type { Similar } from './recommendations/recommender';
import type { Redis } from './redis';
import type { Category, Page, Product, ProductDetail } from './repositories/products';
import type { Session } from './sessions';

/** What the shop keeps at hand. */
export interface Caches {
  readonly products: TieredCache<ProductDetail>;
  /** Pages of lists and searches. */
  readonly lists: TieredCache<Page<Product>>;
  readonly categories: TieredCache<readonly Category[]>;
  readonly recommendations: TieredCache<readonly Similar[]>;
  /** Sessions live nowhere else. */
  readonly sessions: TieredCache<Session>;
}

/** How long a session lasts. */
export const sessionMs = 30 * 60_000;

/**
 * Caches in memory and, where there is one, in Redis.
 *
 * @param subscriber hears of what other processes of the shop changed
 */
export function createCaches(redis: Redis | undefined, subscriber: Redis | undefined): Caches {
  const l2 = (ttlMs: number) => redis && { l2: { client: redis, ttlMs, timeoutMs: 100 } };
  const invalidation = subscriber && {
    invalidation: { subscriber: subscriber as unknown as RedisSubscriber },
  };
  return {
    // Without Redis other processes are not heard of, and their checkouts are seen that late at most.
    products: new TieredCache<ProductDetail>({
      name: 'products',
      l1: { maxEntries: 2000, ttlMs: invalidation ? 30_000 : 5000 },
      ...l2(60_000),
      ...invalidation,
      // Ids that nobody sells are asked for too, by crawlers and worse.
      negativeTtlMs: 5000,
    }),
    // A list shows no stock: it may be old for a moment, and is served while a newer one is read.
    lists: new TieredCache<Page<Product>>({
      name: 'lists',
      l1: { maxEntries: 500, ttlMs: 10_000 },
      ...l2(30_000),
      staleMs: 10_000,
    }),
    categories: new TieredCache<readonly Category[]>({
      name: 'categories',
      l1: { maxEntries: 1, ttlMs: 30_000 },
    }),
    recommendations: new TieredCache<readonly Similar[]>({
      name: 'recommendations',
      l1: { maxEntries: 1000, ttlMs: 300_000 },
      ...l2(1_800_000),
    }),
    sessions: new TieredCache<Session>({
      name: 'sessions',
      // Alone, memory keeps them for their whole life.
      l1: { maxEntries: 10_000, ttlMs: redis ? 60_000 : sessionMs },
      ...l2(sessionMs),
      ...invalidation,
      jitter: 0,
    }),
  };
}

/** Leaves the statistics, and Redis, which is closed after this. */
export async function closeCaches(caches: Caches): Promise<void> {
  await Promise.all(Object.values(caches).map((cache: TieredCache<unknown>) => cache.close()));
}
