import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TieredCache } from '../../../toolkit/cache';
import { InvalidationLog, logItems } from '../../../toolkit/cache/invalidation/log';
import { BloomFilter } from '../../../toolkit/cache/loading/bloom-filter';
import { CountingSource } from '../../helpers/caches';
import { deferred, FakeRedis } from '../../helpers/fake-redis';
import { until } from '../../helpers/until';

test('a Bloom filter has every key that was added, and of others as many as it was told to', () => {
  for (const rate of [0.1, 0.01, 0.001]) {
    const filter = new BloomFilter(20_000, rate);
    for (let i = 0; i < 20_000; i++) filter.add(`product:${i}`);
    for (let i = 0; i < 20_000; i++) assert.ok(filter.mayHave(`product:${i}`));
    let wrong = 0;
    for (let i = 20_000; i < 120_000; i++) if (filter.mayHave(`product:${i}`)) wrong++;
    assert.ok(wrong / 100_000 < rate * 1.5, `${wrong} of 100000 at ${rate}`);
    assert.ok(wrong / 100_000 > rate / 3, `${wrong} of 100000 at ${rate}: more bits than are needed`);
  }
});

test('behind a filter, absent keys cost nothing, and keys that come are found', async () => {
  const source = new CountingSource();
  source.values.set('a', 1);
  const cache = new TieredCache<number>({
    name: 'c',
    source,
    filter: { keys: () => source.values.keys(), expectedKeys: 100, falsePositiveRate: 1e-6 },
  });
  await until(async () => {
    await cache.get('none');
    return cache.stats().filtered > 0;
  });
  source.calls.length = 0;
  for (let i = 0; i < 10; i++) assert.equal(await cache.get(`none ${i}`), undefined);
  assert.deepEqual(source.calls, []);
  assert.equal(await cache.get('a'), 1);
  await cache.set('b', 2);
  assert.equal(await cache.get('b'), 2);
  source.values.set('c', 3);
  await cache.invalidate('c');
  assert.equal(await cache.get('c'), 3);
  await cache.close();
});

test('a filter that cannot be filled excludes nothing', async () => {
  const source = new CountingSource();
  source.values.set('a', 1);
  const problems: unknown[] = [];
  const cache = new TieredCache<number>({
    name: 'c',
    source,
    filter: {
      expectedKeys: 10,
      async *keys() {
        yield 'b';
        throw new Error('no keys');
      },
    },
    onError: error => problems.push(error),
  });
  await until(() => problems.length === 1);
  assert.equal(await cache.get('a'), 1);
  await cache.close();
});

test('a warm-up loads what is in no tier, tells how far it is, and goes on past keys that fail', async () => {
  const source = new CountingSource();
  for (let i = 0; i < 8; i++) source.values.set(`${i}`, i);
  source.before = (_call, key) => {
    if (key === '3') throw new Error('bad key');
  };
  const problems: unknown[] = [];
  const cache = new TieredCache<number>({ name: 'c', source, onError: error => problems.push(error) });
  await cache.get('1');
  const told: number[] = [];
  const keys = [...source.values.keys(), 'none'];
  const result = await cache.warmUp(keys, { concurrency: 3, onProgress: ({ done }) => told.push(done) });
  assert.deepEqual(result, { done: 9, total: 9, present: 1, loaded: 6, absent: 1, failed: 1 });
  assert.deepEqual(told, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.match(String(problems[0]), /bad key/);
  await assert.rejects(
    async () => new TieredCache({ name: 'c' }).warmUp([]),
    /Expected loader to be a function/,
  );
});

test('a warm-up that is aborted begins with no further key', async () => {
  const cache = new TieredCache<number>({ name: 'c' });
  const controller = new AbortController();
  let ended = false;
  function* endless(): Iterable<string> {
    try {
      for (let i = 0; ; i++) yield String(i);
    } finally {
      ended = true;
    }
  }
  const { done, total } = await cache.warmUp(endless(), {
    loader: () => 1,
    concurrency: 2,
    signal: controller.signal,
    onProgress: ({ done }) => {
      if (done === 10) controller.abort();
    },
  });
  assert.ok(done >= 10 && done <= 12, String(done));
  assert.deepEqual([total, ended], [undefined, true]);
});

test('an entry is loaded again before its time, the likelier the nearer, and its readers do not wait', async () => {
  let now = 1;
  let chance = 0;
  let loads = 0;
  const cache = new TieredCache<number>({
    name: 'c',
    l1: { ttlMs: 1000 },
    jitter: 0,
    earlyRefresh: 1,
    clock: () => now,
    random: () => chance,
  });
  const load = async (): Promise<number> => {
    now += 10;
    return ++loads;
  };
  assert.equal(await cache.getOrLoad('k', load), 1);
  // Loading takes 10 ms, so that 100 ms before its time only e^-10 of the reads load it again.
  now = 901;
  chance = 1 - Math.exp(-9.9);
  assert.equal(await cache.getOrLoad('k', load), 1);
  assert.equal(cache.stats().refreshes.early, 0);
  chance = 1 - Math.exp(-10.1);
  assert.equal(await cache.getOrLoad('k', load), 1);
  assert.equal(cache.stats().refreshes.early, 1);
  await until(async () => (await cache.get('k')) === 2);
  await cache.close();
});

test('what is read most is loaded before its time, and what is read little is left to expire', async () => {
  const source = new CountingSource();
  for (let i = 0; i < 10; i++) source.values.set(`${i}`, i);
  const cache = new TieredCache<number>({
    name: 'c',
    l1: { ttlMs: 1000 },
    jitter: 0,
    source,
    prefetch: { ratio: 0.2, everyMs: 50 },
  });
  for (let i = 0; i < 10; i++) await cache.get(`${i}`);
  for (let reads = 0; reads < 5; reads++) for (const key of ['1', '2']) await cache.get(key);
  await cache.get('3');
  await cache.get('3');
  source.calls.length = 0;
  await until(() => cache.stats().refreshes.prefetch >= 2);
  await until(() => source.calls.length >= 2);
  // Once they are fresh, and not read again, it is the turn of what was read less.
  assert.deepEqual(source.calls.slice(0, 2).sort(), ['load 1', 'load 2']);
  await cache.close();
});

test('what is stale is served while it is loaded again, once for all who ask, and an error of that goes to onError', async () => {
  let now = 1;
  const source = new CountingSource();
  source.values.set('k', 1);
  const problems: unknown[] = [];
  const cache = new TieredCache<number>({
    name: 'c',
    l1: { ttlMs: 100 },
    jitter: 0,
    staleMs: 50,
    source,
    clock: () => now,
    onError: error => problems.push(error),
  });
  await cache.get('k');
  now += 120;
  source.before = () => {
    throw new Error('down');
  };
  assert.deepEqual(await Promise.all([cache.get('k'), cache.get('k')]), [1, 1]);
  await until(() => problems.length === 1);
  assert.equal(cache.stats().refreshes.stale, 1);
  // Past that time it is served no more, whatever the source does.
  now += 31;
  await assert.rejects(cache.get('k'), /down/);
  source.before = () => {};
  assert.equal(await cache.get('k'), 1);
  await cache.close();
});

test('times to live are shortened at random and never prolonged', async () => {
  const client = new FakeRedis();
  let chance = 0;
  const cache = new TieredCache<number>({
    name: 'c',
    l2: { client, ttlMs: 1000 },
    jitter: 0.3,
    random: () => chance,
    clock: () => 1,
  });
  for (chance of [0, 0.5, 0.999]) await cache.set('k', 1);
  assert.deepEqual(client.ttls, [1000, 850, 701]);
});

test('a value read before an invalidation is outdated whenever and wherever it turns up, and one read after is not', async () => {
  const client = new FakeRedis();
  const row = deferred<string>();
  const cache = new TieredCache<string>({ name: 'c', l2: { client } });
  const loading = cache.getOrLoad('user:1', () => row.promise, { tags: ['users'] });
  await until(() => client.calls.length > 0);
  await cache.invalidateTag('users');
  row.resolve('old');
  assert.equal(await loading, 'old');
  assert.equal(await cache.get('user:1'), undefined);
  assert.equal(await cache.getOrLoad('user:1', () => 'new', { tags: ['users'] }), 'new');
  assert.equal(await cache.get('user:1'), 'new');
  await cache.close();
  const other = new TieredCache<string>({ name: 'c', l2: { client } });
  assert.equal(await other.get('user:1'), 'new');
});

test('a log that has forgotten what came between lets an entry go rather than judge it', () => {
  const log = new InvalidationLog();
  const position = { ms: 5, seq: 0 };
  const entry = {
    value: 1,
    version: '',
    freshUntil: 1,
    until: 1,
    loadMs: 0,
    tags: undefined,
    position,
    mark: 0,
    reads: 0,
  };
  assert.equal(log.outdates('key', { ...entry }), false);
  log.add('tag', 'other', { ms: 6, seq: 0 });
  assert.equal(log.outdates('key', { ...entry }), false);
  assert.equal(log.outdatesShared('key', undefined, position), false);
  for (let i = 0; i < logItems; i++) log.add('tag', 'other', { ms: 7, seq: i });
  assert.equal(log.outdates('key', { ...entry }), true);
  assert.equal(log.outdatesShared('key', undefined, position), true);
  assert.equal(log.outdatesShared('key', undefined, { ms: 7, seq: 0 }), false);
});

test('options that make no sense together are refused', () => {
  const name = 'c';
  const source = { load: () => 1 };
  const client = new FakeRedis();
  const refused = (options: object, message: RegExp): void => {
    assert.throws(() => new TieredCache({ name, ...options }), { name: 'TypeError', message });
  };
  refused({ l1: false }, /Expected at least one of l1, l2 and l3, got none/);
  refused({ loadLock: true }, /Expected a shared tier where there is the option loadLock, got none/);
  refused({ invalidation: {} }, /Expected a shared tier where there is the option invalidation/);
  refused({ prefetch: { ratio: 0.1 } }, /Expected a source where there is the option prefetch/);
  refused({ l1: false, l2: { client }, source, prefetch: { ratio: 0.1 } }, /Expected a memory tier/);
  refused({ jitter: 2 }, /Expected jitter to be a number from 0 to 1, got 2/);
  refused({ staleMs: -1 }, /Expected staleMs to be a number of zero or more, got -1/);
  refused({ l1: { policy: 'fifo' } }, /Expected l1\.policy to be lru or lfu, got fifo/);
  refused({ l2: { client: {} } }, /Expected l2\.client to be a client of node-redis/);
  refused({ serializer: 'xml' }, /Expected serializer to be json, msgpack or an object, got xml/);
  refused(
    { compression: { algorithm: 'zip' } },
    /Expected compression\.algorithm to be gzip or brotli, got zip/,
  );
  refused({ filter: { keys: () => [], expectedKeys: 1, falsePositiveRate: 1 } }, /falsePositiveRate/);
});

test('tags that cannot be written are refused', async () => {
  const cache = new TieredCache<number>({ name: 'c' });
  await assert.rejects(
    cache.set('k', 1, { tags: [''] }),
    /Expected a tag to be a string of at least one character/,
  );
  await assert.rejects(cache.set('k', 1, { tags: ['a\0b'] }), /without zero bytes/);
  await assert.rejects(cache.set('k', 1, { tags: ['x'.repeat(70_000)] }), /at most 65535 bytes, got 70000/);
});

test('memory is swept of what has expired, without being asked', async () => {
  const cache = new TieredCache<number>({ name: 'c', l1: { ttlMs: 5, sweepMs: 5 } });
  for (let i = 0; i < 3; i++) await cache.set(`${i}`, i);
  await until(() => cache.stats().l1?.entries === 0);
  assert.equal(cache.stats().l1?.evictions.expired, 3);
  await cache.close();
});
