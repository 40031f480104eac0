import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { createCluster as createCluster4 } from 'redis4';
import type { RedisClient, TieredCache, TieredCacheOptions } from '../../toolkit/cache';
import { Caches, type Client, CountingSource, connect, endClient } from '../helpers/caches';
import { type RedisServer, startRedis } from '../helpers/redis';
import { connectCluster, type RedisClusterServers, startRedisCluster } from '../helpers/redis-cluster';
import { until } from '../helpers/until';

let redis: RedisServer;
let cluster: RedisClusterServers;
const clients: { isOpen: boolean }[] = [];
const l2: Partial<Record<'4' | '5' | '6', Client>> = {};
const l3: Partial<Record<'4' | '6', RedisClient>> = {};
/** To the Redis, and to a node of the cluster, which hears of what is published at any. */
let subscribers: Readonly<Record<'l2' | 'l3', Client>>;
const caches = new Caches();

before(async () => {
  [redis, cluster] = await Promise.all([startRedis(), startRedisCluster()]);
  for (const version of ['4', '5', '6'] as const) {
    l2[version] = await connect(redis.url, version);
    clients.push(l2[version]);
  }
  subscribers = { l2: await connect(redis.url), l3: await connect(cluster.masters[1]!.url) };
  const six = await connectCluster(cluster);
  const four = createCluster4({ rootNodes: [...cluster.rootNodes] });
  four.on('error', () => {});
  await four.connect();
  l3[6] = six;
  l3[4] = four;
  clients.push(subscribers.l2, subscribers.l3, six, {
    isOpen: true,
    destroy: () => void four.disconnect(),
  } as never);
});
afterEach(() => caches.close());
after(async () => {
  for (const client of clients) endClient(client);
  await Promise.all([redis?.close(), cluster?.close()]);
});

/** Tiers that a cache may have. */
interface Composition {
  readonly name: string;
  readonly l1: boolean;
  readonly l2?: '4' | '5' | '6';
  readonly l3?: '4' | '6';
}
const compositions: readonly Composition[] = [
  { name: 'memory', l1: true },
  { name: 'Redis through node-redis 4', l1: false, l2: '4' },
  { name: 'Redis through node-redis 5', l1: false, l2: '5' },
  { name: 'Redis through node-redis 6', l1: false, l2: '6' },
  { name: 'Redis Cluster through node-redis 4', l1: false, l3: '4' },
  { name: 'Redis Cluster through node-redis 6', l1: false, l3: '6' },
  { name: 'memory and Redis', l1: true, l2: '6' },
  { name: 'memory and Redis Cluster', l1: true, l3: '6' },
  { name: 'Redis and Redis Cluster', l1: false, l2: '6', l3: '6' },
  { name: 'memory, Redis and Redis Cluster', l1: true, l2: '6', l3: '6' },
];

const mustNotFail = (error: unknown): never => {
  throw error;
};
let made = 0;
const newName = (): string => `contract-${process.pid}-${++made}`;

function make<V>(
  { l1: hasL1, l2: two, l3: three }: Composition,
  options: Partial<TieredCacheOptions<V>> & { ttlMs?: number } = {},
): TieredCache<V> {
  const { ttlMs = 60_000, name = newName(), ...rest } = options;
  return caches.make<V>({
    name,
    jitter: 0,
    l1: hasL1 ? { ttlMs } : false,
    ...(two && { l2: { client: l2[two]!, ttlMs, timeoutMs: 10_000, keyPrefix: `${name}:2:` } }),
    ...(three && { l3: { client: l3[three]!, ttlMs, timeoutMs: 10_000, keyPrefix: `${name}:3:` } }),
    onError: mustNotFail,
    ...rest,
  });
}

for (const composition of compositions) {
  const isShared = composition.l2 !== undefined || composition.l3 !== undefined;

  describe(composition.name, () => {
    test('what was set is got, until it is set again or deleted', async () => {
      const cache = make<object>(composition);
      assert.equal(await cache.get('a'), undefined);
      await cache.set('a', { id: 1 });
      assert.deepEqual(await cache.get('a'), { id: 1 });
      await cache.set('a', { id: 2 });
      assert.deepEqual(await cache.get('a'), { id: 2 });
      await cache.delete('a');
      assert.equal(await cache.get('a'), undefined);
      await cache.delete('a');
      await cache.set('a', { id: 3 });
      assert.deepEqual(await cache.get('a'), { id: 3 });
    });

    test('any key and any value that JSON has come back as they were, null too', async () => {
      const cache = make<unknown>(composition, { compression: { minBytes: 20 } });
      const keys = fc.string({ unit: 'binary' });
      await fc.assert(
        fc.asyncProperty(keys, fc.jsonValue({ maxDepth: 3 }), async (key, value) => {
          await cache.set(key, value);
          assert.equal(JSON.stringify(await cache.get(key)), JSON.stringify(value));
        }),
        {
          numRuns: 60,
          examples: [
            ['', null],
            ['a:b', 0],
            ['\n', ''],
            ['*', false],
            ['é', []],
            ['{a', 'a'.repeat(100)],
          ],
        },
      );
    });

    test('a key is itself and no other: neither a pattern nor a beginning of one', async () => {
      const cache = make<number>(composition);
      await cache.set('abc', 1);
      for (const key of ['ab', 'a*', 'abcd', 'ABC', 'abc ', 'a?c']) {
        assert.equal(await cache.get(key), undefined, key);
      }
      await cache.delete('a*');
      assert.equal(await cache.get('abc'), 1);
    });

    test('two caches do not see each other', async () => {
      const [one, other] = [make<number>(composition), make<number>(composition)];
      await one.set('a', 1);
      assert.equal(await other.get('a'), undefined);
      await other.delete('a');
      await other.invalidatePrefix('');
      assert.equal(await one.get('a'), 1);
    });

    test('an entry is gone after its time to live, counted from when it was last set', async () => {
      const ttlMs = 200;
      const cache = make<number>(composition, { ttlMs });
      await cache.set('a', 1);
      await cache.set('short', 1, { ttlMs: 1 });
      await wait(ttlMs + 30);
      assert.equal(await cache.get('a'), undefined);
      await cache.set('a', 2);
      assert.equal(await cache.get('a'), 2);
    });

    test('what is absent is loaded once for all who ask, and then is there', async () => {
      const cache = make<number>(composition);
      let loads = 0;
      const load = async (): Promise<number> => {
        await wait(5);
        return ++loads;
      };
      const values = await Promise.all(Array.from({ length: 50 }, () => cache.getOrLoad('k', load)));
      assert.deepEqual(new Set(values), new Set([1]));
      await until(async () => (await cache.get('k')) === 1);
      assert.equal(await cache.getOrLoad('k', load), 1);
      assert.equal(loads, 1);
    });

    test('what the source does not have is asked for once in a while', async () => {
      const source = new CountingSource();
      const cache = make<number>(composition, { source, negativeTtlMs: 30_000 });
      assert.equal(await cache.get('none'), undefined);
      await until(async () => {
        await cache.get('none');
        const { l1, l2, l3 } = cache.stats();
        return [l1, l2, l3].some(tier => tier !== undefined && tier.negative > 0);
      });
      const asked = source.calls.length;
      for (let i = 0; i < 5; i++) assert.equal(await cache.get('none'), undefined);
      assert.equal(source.calls.length, asked);
      await cache.set('none', 1);
      assert.equal(await cache.get('none'), 1);
    });

    test('an entry past its time is served while a newer one is loaded, and no longer than it may', async () => {
      const source = new CountingSource();
      source.values.set('k', 1);
      const cache = make<number>(composition, { source, ttlMs: 100, staleMs: 30_000 });
      assert.equal(await cache.get('k'), 1);
      source.values.set('k', 2);
      await wait(120);
      assert.equal(await cache.get('k'), 1);
      await until(async () => (await cache.get('k')) === 2);
      assert.ok(cache.stats().refreshes.stale >= 1);
    });

    test('a tag invalidates what was stored with it, and a prefix what begins with it', async () => {
      const cache = make<number>(composition);
      await cache.set('a:1', 1, { tags: ['red', 'round'] });
      await cache.set('a:2', 2, { tags: ['blue'] });
      await cache.getOrLoad('b:1', () => 3, { tags: value => [value === 3 ? 'red' : 'blue'] });
      await cache.set('b:2', 4);
      await cache.invalidateTag('red');
      const all = async () => Promise.all(['a:1', 'a:2', 'b:1', 'b:2'].map(key => cache.get(key)));
      assert.deepEqual(await all(), [undefined, 2, undefined, 4]);
      await cache.set('a:1', 5, { tags: ['red'] });
      assert.deepEqual(await all(), [5, 2, undefined, 4]);
      await cache.invalidatePrefix('a:');
      assert.deepEqual(await all(), [undefined, undefined, undefined, 4]);
      await cache.invalidatePrefix('');
      assert.deepEqual(await all(), [undefined, undefined, undefined, undefined]);
    });

    test('writing through, a set is in the source first, and one that the source refuses is nowhere', async () => {
      const source = new CountingSource();
      const cache = make<number>(composition, { source });
      await cache.set('a', 1);
      assert.equal(source.values.get('a'), 1);
      source.before = call => {
        if (call === 'write') throw new Error('refused');
      };
      await assert.rejects(cache.set('a', 2), /refused/);
      assert.equal(await cache.get('a'), 1);
      await cache.delete('a');
      assert.equal(await cache.get('a'), undefined);
      assert.deepEqual(source.calls, ['write a', 'write a', 'load a', 'remove a', 'load a']);
    });

    test('writing around, a set is in the source, and in the tiers once it is read', async () => {
      const source = new CountingSource();
      const cache = make<number>(composition, { source, writeMode: 'around' });
      await cache.set('a', 1);
      assert.equal(await cache.get('a'), 1);
      await cache.set('a', 2);
      assert.equal(await cache.get('a'), 2);
      assert.deepEqual(source.calls, ['write a', 'load a', 'write a', 'load a']);
    });

    test('writing back, a set is got at once and in the source later, in the order of setting', async () => {
      const source = new CountingSource();
      const cache = make<number>(composition, {
        source,
        writeMode: 'back',
        // Longer than the test: `flush` and `close` have it written.
        writeBack: { delayMs: 60_000, retryMs: 1 },
        onError: () => {},
      });
      let failures = 2;
      source.before = call => {
        if (call === 'write' && failures-- > 0) throw new Error('not now');
      };
      await cache.set('a', 1);
      await cache.set('a', 2);
      await cache.set('b', 7);
      assert.equal(await cache.get('a'), 2);
      assert.equal(source.values.size, 0);
      await cache.flush();
      assert.deepEqual([...source.values].sort(), [
        ['a', 2],
        ['b', 7],
      ]);
      await cache.delete('a');
      assert.equal(await cache.get('a'), undefined);
      await cache.set('c', 1);
      assert.deepEqual((await cache.close()).unwritten, []);
      assert.deepEqual([...source.values.keys()].sort(), ['b', 'c']);
      const { accepted, written, superseded, lost, pending } = cache.stats().writeBack!;
      assert.deepEqual([accepted, written, superseded, lost, pending], [5, 4, 1, 0, 0]);
    });

    test('every call is counted once, under what came of it', async () => {
      const cache = make<number>(composition);
      await cache.get('a');
      await cache.set('a', 1);
      await cache.set('b', 1);
      await cache.get('a');
      await cache.get('a');
      await cache.delete('a');
      await cache.get('a');
      const { gets, hits, l1, l2, l3, getTime } = cache.stats();
      assert.deepEqual([gets, hits, getTime.count], [4, 2, 4]);
      const outer = [l3, l2, l1].find(tier => tier !== undefined)!;
      assert.deepEqual([outer.sets, outer.deletes], [2, 1]);
      const inner = [l1, l2, l3].find(tier => tier !== undefined)!;
      assert.deepEqual([inner.hits, inner.misses], [2, 2]);
      for (const tier of [l1, l2, l3]) {
        if (tier) assert.deepEqual(tier.errors, { get: 0, set: 0, delete: 0 });
      }
    });

    if (!isShared) return;

    test('another process sees what was written as soon as it is told, and then never what was before', async () => {
      const name = newName();
      const invalidation = { subscriber: subscribers[composition.l3 ? 'l3' : 'l2'], channel: name };
      const one = make<number>(composition, { name, invalidation });
      const other = make<number>(composition, { name, invalidation });
      await one.set('k', 1, { tags: ['t'] });
      assert.equal(await other.get('k'), 1);
      await one.set('k', 2);
      await until(async () => (await other.get('k')) === 2);
      for (let i = 0; i < 20; i++) assert.equal(await other.get('k'), 2);
      await other.delete('k');
      await until(async () => (await one.get('k')) === undefined);
      await one.set('k', 3, { tags: ['t'] });
      await until(async () => (await other.get('k')) === 3);
      await one.invalidateTag('t');
      await until(async () => (await other.get('k')) === undefined);
      await one.set('key', 4);
      await until(async () => (await other.get('key')) === 4);
      await other.invalidatePrefix('k');
      await until(async () => (await one.get('key')) === undefined);
    });

    test('a process that was slow to load does not bring back what was deleted meanwhile', async () => {
      const name = newName();
      const [slow, other] = [make<string>(composition, { name }), make<string>(composition, { name })];
      let finish!: (value: string) => void;
      const started = new Promise<void>(started => {
        void slow.getOrLoad('k', () => {
          started();
          return new Promise<string>(resolve => {
            finish = resolve;
          });
        });
      });
      await started;
      await other.delete('k');
      finish('old');
      await slow.close();
      assert.equal(await other.get('k'), undefined);
      assert.equal(await make<string>(composition, { name }).get('k'), undefined);
    });
  });
}
