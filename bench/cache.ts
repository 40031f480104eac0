import { LRUCache } from 'lru-cache';
import { startRedis } from '../mall/demo/servers/redis';
import { LfuStore } from '../toolkit/cache/memory/lfu-store';
import { measure, type Work } from './micro';
import { bentocachePeer, cacheablePeer } from './toolkit/cache-peers';
import { cacheCallers, memoryCacheWorks, tieredCacheWorks } from './toolkit/cache-works';
import { preloadedRows } from './toolkit/preloaded';
import type { BenchResult } from './types';

const memoryNames = {
  hit: 'TieredCache, hit in memory',
  setAndGet: 'TieredCache, set and get of new keys in memory',
} as const;
const tieredNames = {
  hit: ['TieredCache with Redis, hit in memory', 1],
  getOrSet: ['TieredCache with Redis, getOrLoad of a hot key', 1.2],
  second: [`TieredCache with Redis, getOrLoad of what only Redis has, ${cacheCallers} callers`, 1.2],
  load: [`TieredCache with Redis, getOrLoad of what has to be loaded, ${cacheCallers} callers`, 1.2],
} as const;

/** The cache beside bentocache and cacheable, over a Redis of its own, and its LFU store beside lru-cache. */
export async function run(): Promise<BenchResult[]> {
  const redis = await startRedis();
  const bento = await bentocachePeer(redis.url);
  const cacheable = await cacheablePeer(redis.url);
  const memory = await memoryCacheWorks();
  const tiered = await tieredCacheWorks(redis.url);
  const rows: BenchResult[] = [];
  for (const kind of ['hit', 'setAndGet'] as const) {
    const times = await measure(
      { ours: memory[kind], bentocache: bento.memory[kind], cacheable: cacheable.memory[kind] },
      20,
    );
    rows.push(fastest(memoryNames[kind], times, 1));
  }
  for (const kind of ['hit', 'getOrSet', 'second', 'load'] as const) {
    const [name, goal] = tieredNames[kind];
    const times = await measure(
      { ours: tiered.works[kind], bentocache: bento.tiered[kind], cacheable: cacheable.tiered[kind] },
      12,
    );
    rows.push(fastest(name, times, goal));
  }
  const { ours, peer } = await measure(storeWorks(), 40);
  rows.push(row('LFU store, hits, misses and evictions', ours, peer, 'lru-cache', 0.7));
  await Promise.all([bento.close(), cacheable.close(), tiered.close()]);
  await redis.close();
  return [...rows, ...(await preloadedRows('caches', memoryNames))];
}

/** Reads of which some are far more common, each miss stored: 1,000 of 4,000 keys are held. */
function storeWorks(): Record<'ours' | 'peer', Work> {
  const keys = Array.from({ length: 4000 }, (_, i) => `key ${i}`);
  const order = Array.from({ length: 1 << 16 }, () => keys[Math.floor(Math.random() ** 3 * keys.length)]!);
  const mask = order.length - 1;
  const value = {};
  const lfu = new LfuStore<object>({ maxEntries: 1000, maxBytes: Infinity }, () => {});
  const lru = new LRUCache<string, object>({ max: 1000 });
  return {
    ours(n) {
      for (let i = 0; i < n; i++) {
        const key = order[i & mask]!;
        if (lfu.get(key) === undefined) lfu.set(key, value, 0);
      }
    },
    peer(n) {
      for (let i = 0; i < n; i++) {
        const key = order[i & mask]!;
        if (lru.get(key) === undefined) lru.set(key, value);
      }
    },
  };
}

function fastest(name: string, times: Readonly<Record<string, number>>, goal: number): BenchResult {
  const { ours, ...others } = times;
  const [peerName, time] = Object.entries(others).sort(([, a], [, b]) => a - b)[0]!;
  return row(name, ours!, time, `${peerName}, the faster of two`, goal);
}

function row(name: string, ours: number, peer: number, peerName: string, goal: number): BenchResult {
  const ratio = peer / ours;
  return {
    name,
    ours,
    peer,
    peerName,
    unit: 'ns',
    ratio,
    goal: `>= ${goal} times as fast`,
    met: ratio >= goal,
  };
}
