import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { createClient as createClient6 } from 'redis';
import { createClient as createClient4 } from 'redis4';
import { createClient as createClient5 } from 'redis5';
import { MemoryTier } from '../../toolkit/cache/memory-tier';
import type { RedisClient } from '../../toolkit/cache/redis-tier';
import { RedisTier } from '../../toolkit/cache/redis-tier';
import type { TierStats } from '../../toolkit/cache/stats';
import { type Fault, type FaultyProxy, startFaultyProxy } from '../helpers/faulty-proxy';
import { type RedisServer, startRedis } from '../helpers/redis';

/** What every tier of a cache does, at once or in its time. */
interface Tier {
  get(
    key: string,
  ): { readonly value: unknown } | undefined | Promise<{ readonly value: unknown } | undefined>;
  set(key: string, value: unknown): void | Promise<void>;
  delete(key: string): void | Promise<void>;
  stats(): TierStats;
}

interface Subject {
  readonly name: string;
  /** A new, empty tier whose entries live for `ttlMs`. */
  make(ttlMs: number): Tier;
  /** Has more time pass than entries live. */
  outlive(ttlMs: number): Promise<void>;
}

type Client = RedisClient & {
  connect(): Promise<unknown>;
  isOpen: boolean;
  on(event: string, f: () => void): unknown;
};
type MakeClient = (url: string) => Client;

const options = (url: string) => ({
  url,
  disableOfflineQueue: true,
  socket: { reconnectStrategy: () => 5 },
});
const clients: readonly [version: string, make: MakeClient][] = [
  ['4', url => createClient4(options(url)) as unknown as Client],
  ['5', url => createClient5(options(url)) as unknown as Client],
  ['6', url => createClient6(options(url)) as unknown as Client],
];

let redis: RedisServer;
let proxy: FaultyProxy;
const direct = new Map<string, Client>();
const broken = new Map<string, Client>();

async function connected(make: MakeClient, url: string): Promise<Client> {
  const client = make(url);
  // Every failure also reaches the caller of the command that met it.
  client.on('error', () => {});
  await client.connect();
  return client;
}

function end(client: Client): void {
  const { destroy, disconnect } = client as { destroy?: () => void; disconnect?: () => Promise<void> };
  if (!client.isOpen) return;
  if (destroy) destroy.call(client);
  else void disconnect?.call(client);
}

before(async () => {
  redis = await startRedis();
  proxy = await startFaultyProxy(redis.port);
  for (const [version, make] of clients) {
    direct.set(version, await connected(make, redis.url));
    broken.set(version, await connected(make, `redis://127.0.0.1:${proxy.port}`));
  }
});
after(async () => {
  for (const client of [...direct.values(), ...broken.values()]) end(client);
  await Promise.all([redis?.close(), proxy?.close()]);
});

/** Whether the client has a connection that works, and not only one that it has not yet seen broken. */
function answers(client: Client): Promise<boolean> {
  return client.get('any').then(
    () => true,
    () => false,
  );
}

let made = 0;
function redisTier(client: Client, ttlMs: number, onError: (error: unknown) => void, timeoutMs = 5000): Tier {
  return new RedisTier<unknown>(`contract-${++made}`, { client, ttlMs, timeoutMs }, onError);
}
const mustNotFail = (error: unknown): never => {
  throw error;
};

let now = 1;
const subjects: Subject[] = [
  {
    name: 'memory',
    make: ttlMs => new MemoryTier<unknown>({ ttlMs }, () => now),
    async outlive(ttlMs) {
      now += ttlMs + 1;
    },
  },
  ...clients.map(([version]) => ({
    name: `Redis through node-redis ${version}`,
    make: (ttlMs: number) => redisTier(direct.get(version)!, ttlMs, mustNotFail),
    outlive: (ttlMs: number) => wait(ttlMs + 20),
  })),
];

for (const { name, make, outlive } of subjects) {
  describe(name, () => {
    test('what was set is got, until it is set again or deleted', async () => {
      const tier = make(60_000);
      assert.equal(await tier.get('a'), undefined);
      await tier.set('a', { id: 1 });
      assert.deepEqual(await tier.get('a'), { value: { id: 1 } });
      await tier.set('a', { id: 2 });
      assert.deepEqual(await tier.get('a'), { value: { id: 2 } });
      await tier.delete('a');
      assert.equal(await tier.get('a'), undefined);
      await tier.delete('a');
    });

    test('any key and any value that JSON has come back as they were, null too', async () => {
      const tier = make(60_000);
      const keys = fc.string({ unit: 'binary' });
      await fc.assert(
        fc.asyncProperty(keys, fc.jsonValue({ maxDepth: 3 }), async (key, value) => {
          await tier.set(key, value);
          const entry = await tier.get(key);
          assert.ok(entry);
          assert.equal(JSON.stringify(entry.value), JSON.stringify(value));
        }),
        {
          numRuns: 200,
          examples: [
            ['', null],
            ['a:b', 0],
            ['\n', ''],
            ['*', false],
            ['é', []],
          ],
        },
      );
    });

    test('a key is itself and no other: neither a pattern nor a beginning of one', async () => {
      const tier = make(60_000);
      await tier.set('abc', 1);
      for (const key of ['ab', 'a*', 'abcd', 'ABC', 'abc ', 'a?c'])
        assert.equal(await tier.get(key), undefined, key);
      await tier.delete('a*');
      assert.deepEqual(await tier.get('abc'), { value: 1 });
    });

    test('two tiers do not see each other', async () => {
      const [one, other] = [make(60_000), make(60_000)];
      await one.set('a', 1);
      assert.equal(await other.get('a'), undefined);
      await other.delete('a');
      assert.deepEqual(await one.get('a'), { value: 1 });
    });

    test('an entry is gone after its time to live, counted from when it was last set', async () => {
      const ttlMs = 200;
      const tier = make(ttlMs);
      await tier.set('a', 1);
      assert.deepEqual(await tier.get('a'), { value: 1 });
      await outlive(ttlMs);
      assert.equal(await tier.get('a'), undefined);
      await tier.set('a', 2);
      assert.deepEqual(await tier.get('a'), { value: 2 });
    });

    test('every call is counted once, under what came of it', async () => {
      const tier = make(60_000);
      await tier.get('a');
      await tier.set('a', 1);
      await tier.set('b', 1);
      await tier.get('a');
      await tier.get('a');
      await tier.delete('a');
      await tier.get('a');
      const { hits, misses, sets, deletes, errors } = tier.stats();
      assert.deepEqual([hits, misses, sets, deletes], [2, 2, 2, 1]);
      assert.deepEqual(errors, { get: 0, set: 0, delete: 0 });
    });
  });
}

const faults: readonly Fault[] = ['none', 'none', 'hang', 'reset', 'lose answers'];
const calls = ['get', 'set', 'delete'] as const;

for (const [version] of clients) {
  test(`Redis through node-redis ${version}, over a network that breaks: no call fails or hangs, nothing is made up, every call is counted`, async () => {
    const timeoutMs = 30;
    const step = fc.record({
      fault: fc.constantFrom(...faults),
      call: fc.constantFrom(...calls),
      key: fc.constantFrom('a', 'b'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async steps => {
        const client = broken.get(version)!;
        let told = 0;
        const tier = redisTier(client, 60_000, () => told++, timeoutMs);
        const made: Record<string, Set<unknown>> = { a: new Set(), b: new Set() };
        let count = 0;
        const counts = { get: 0, set: 0, delete: 0 };
        for (const { fault, call, key } of steps) {
          proxy.set(fault);
          counts[call]++;
          if (call === 'get') {
            const entry = await tier.get(key);
            if (entry) assert.ok(made[key]!.has(entry.value), `${key}: ${entry.value}`);
          } else if (call === 'set') {
            made[key]!.add(++count);
            await tier.set(key, count);
          } else await tier.delete(key);
        }
        const { hits, misses, sets, deletes, errors } = tier.stats();
        assert.deepEqual(
          [hits + misses + errors.get, sets + errors.set, deletes + errors.delete],
          [counts.get, counts.set, counts.delete],
        );
        assert.equal(told, errors.get + errors.set + errors.delete);

        // Mended, it works as if nothing had been.
        proxy.set('none');
        while (!(await answers(client))) await wait(1);
        const mended = redisTier(client, 60_000, mustNotFail);
        await mended.set('a', 'back');
        assert.deepEqual(await mended.get('a'), { value: 'back' });
      }),
      { numRuns: 25 },
    );
  });
}
