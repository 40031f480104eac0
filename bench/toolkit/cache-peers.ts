import type { Work } from '../micro';
import { benchKeys, benchValue, freshKey, hot, overKeys } from './cache-works';

const load = async () => benchValue;
const ttl = 3_600_000;

type MemoryWorks = Record<'hit' | 'setAndGet', Work>;
type TieredWorks = Record<'hit' | 'getOrSet' | 'second' | 'load', Work>;

/** bentocache, set up as in its own benchmarks, with as many entries in memory. */
export async function bentocachePeer(url: string) {
  const { BentoCache, bentostore } = await import('bentocache');
  const { memoryDriver } = await import('bentocache/drivers/memory');
  const { redisDriver } = await import('bentocache/drivers/redis');
  const { hostname: host, port } = new URL(url);
  const redis = () => redisDriver({ connection: { host, port: Number(port) } });
  const memory = (maxItems: number) => memoryDriver({ maxItems, serialize: false });
  const bento = new BentoCache({
    default: 'tiered',
    ttl,
    stores: {
      memory: bentostore().useL1Layer(memory(1000)),
      tiered: bentostore().useL1Layer(memory(1000)).useL2Layer(redis()),
      small: bentostore().useL1Layer(memory(1)).useL2Layer(redis()),
    },
  });
  const [alone, tiered, small] = [bento.use('memory'), bento.use('tiered'), bento.use('small')];
  await alone.set({ key: 'hot', value: benchValue });
  await tiered.set({ key: 'hot', value: benchValue });
  for (const key of benchKeys) await small.set({ key, value: benchValue });
  return {
    memory: {
      hit: hot(() => alone.get({ key: 'hot' })),
      setAndGet: hot(async () => {
        const key = freshKey();
        await alone.set({ key, value: 'value' });
        await alone.get({ key });
      }),
    } satisfies MemoryWorks,
    tiered: {
      hit: hot(() => tiered.get({ key: 'hot' })),
      getOrSet: hot(() => tiered.getOrSet({ key: 'hot', factory: load })),
      second: overKeys(key => small.getOrSet({ key, factory: load })),
      load: overKeys(() => small.getOrSet({ key: freshKey(), factory: load })),
    } satisfies TieredWorks,
    close: () => bento.disconnectAll(),
  };
}

/** cacheable, with Redis through Keyv. */
export async function cacheablePeer(url: string) {
  const { Cacheable, CacheableMemory, Keyv } = await import('cacheable');
  const { default: KeyvRedis } = await import('@keyv/redis');
  const primary = (lruSize: number) => new Keyv({ store: new CacheableMemory({ lruSize, useClone: false }) });
  const alone = new Cacheable({ ttl, primary: primary(1000) });
  const [tiered, small] = [1000, 1].map(
    entries => new Cacheable({ ttl, primary: primary(entries), secondary: new KeyvRedis(url) }),
  ) as [InstanceType<typeof Cacheable>, InstanceType<typeof Cacheable>];
  await alone.set('hot', benchValue);
  await tiered.set('hot', benchValue);
  for (const key of benchKeys) await small.set(key, benchValue);
  return {
    memory: {
      hit: hot(() => alone.get('hot')),
      setAndGet: hot(async () => {
        const key = freshKey();
        await alone.set(key, 'value');
        await alone.get(key);
      }),
    } satisfies MemoryWorks,
    tiered: {
      hit: hot(() => tiered.get('hot')),
      getOrSet: hot(() => tiered.getOrSet('hot', load)),
      second: overKeys(key => small.getOrSet(key, load)),
      load: overKeys(() => small.getOrSet(freshKey(), load)),
    } satisfies TieredWorks,
    close: () => Promise.all([alone, tiered, small].map(one => one.disconnect())),
  };
}
