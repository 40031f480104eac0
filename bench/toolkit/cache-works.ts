import { createClient } from 'redis';
import type { Work } from '../micro';
import { built } from './built';

const { TieredCache } = built.cache;

/** Keys that are asked for in turn where the memory tier is to miss. */
export const benchKeys = Array.from({ length: 1000 }, (_, i) => `key ${i}`);
export const benchValue = { id: 4711, name: 'A thing that is sold', price: 12.5, tags: ['a', 'b', 'c'] };
const load = async () => benchValue;
/** Callers at a time, as a server has them. */
export const cacheCallers = 20;

/** Runs `call` for `n` keys in turn, `cacheCallers` at a time. */
export function overKeys(call: (key: string) => Promise<unknown>): Work {
  return async n => {
    let next = 0;
    const caller = async (): Promise<void> => {
      while (next < n) await call(benchKeys[next++ % benchKeys.length]!);
    };
    await Promise.all(Array.from({ length: cacheCallers }, caller));
  };
}

/** The same hot key again and again. */
export function hot(call: () => Promise<unknown>): Work {
  return async n => {
    for (let i = 0; i < n; i++) await call();
  };
}

let fresh = 0;
/** A key that nobody has asked for yet. */
export const freshKey = (): string => `fresh ${++fresh}`;

/** What the memory tier does, alone. */
export async function memoryCacheWorks() {
  const cache = new TieredCache<unknown>({ name: 'bench', l1: { ttlMs: 3_600_000 } });
  await cache.set('hot', benchValue);
  return {
    hit: hot(() => cache.get('hot')),
    setAndGet: hot(async () => {
      const key = freshKey();
      await cache.set(key, 'value');
      await cache.get(key);
    }),
  } satisfies Record<string, Work>;
}

/** What the tiers do together; ends by `close`. */
export async function tieredCacheWorks(url: string) {
  const client = createClient({ url });
  client.on('error', () => {});
  await client.connect();
  const l2 = { client, ttlMs: 3_600_000, timeoutMs: 10_000 };
  const cache = new TieredCache<unknown>({ name: 'bench', l1: { ttlMs: 3_600_000 }, l2 });
  const small = new TieredCache<unknown>({ name: 'bench', l1: { maxEntries: 1, ttlMs: 3_600_000 }, l2 });
  const empty = new TieredCache<unknown>({ name: 'empty', l1: { maxEntries: 1 }, l2 });
  await cache.set('hot', benchValue);
  for (const key of benchKeys) await cache.set(key, benchValue);
  return {
    works: {
      hit: hot(() => cache.get('hot')),
      getOrSet: hot(() => cache.getOrLoad('hot', load)),
      second: overKeys(key => small.getOrLoad(key, load)),
      load: overKeys(() => empty.getOrLoad(freshKey(), load)),
    } satisfies Record<string, Work>,
    async close() {
      await Promise.all([cache, small, empty].map(one => one.close()));
      client.destroy();
    },
  };
}
