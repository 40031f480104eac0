import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TieredCache } from '../../../toolkit/cache';
import { liveSources } from '../../../toolkit/sources';
import { deferred, FakeRedis } from '../../helpers/fake-redis';

function fakeClock(): { now: () => number; pass: (ms: number) => void } {
  let time = 1;
  return {
    now: () => time,
    pass: ms => {
      time += ms;
    },
  };
}

test('what was set is got from memory without asking Redis', async () => {
  const client = new FakeRedis();
  const cache = new TieredCache<{ id: number }>({
    name: 'products',
    l2: { client, ttlMs: 5000 },
    jitter: 0,
    clock: () => 1,
  });
  await cache.set('1', { id: 1 });
  assert.deepEqual(await cache.get('1'), { id: 1 });
  assert.deepEqual(client.calls, ['set products:1']);
  assert.deepEqual(client.ttls, [5000]);
  assert.deepEqual(client.value('products:1'), { id: 1 });
});

test('an entry that only Redis has is got from there once and from memory after', async () => {
  const client = new FakeRedis();
  client.put('shop/7', 'seven');
  const cache = new TieredCache<string>({ name: 'c', l2: { client, keyPrefix: 'shop/' } });
  assert.equal(await cache.get('7'), 'seven');
  assert.equal(await cache.get('7'), 'seven');
  assert.deepEqual(client.calls, ['get shop/7']);
  const { l1, l2 } = cache.stats();
  assert.deepEqual([l1!.hits, l1!.misses, l2?.hits, l2?.misses], [1, 1, 1, 0]);
});

test('null is a value and undefined cannot be stored', async () => {
  const cache = new TieredCache<null | undefined>({ name: 'c', l2: { client: new FakeRedis() } });
  await cache.set('none', null);
  assert.equal(await cache.get('none'), null);
  assert.equal(cache.stats().l1!.hits, 1);
  await assert.rejects(cache.set('x', undefined), /Expected a value to store under "x", got undefined/);
});

test('an entry is gone after its time to live, and counts as expired', async () => {
  const clock = fakeClock();
  const cache = new TieredCache<number>({ name: 'c', l1: { ttlMs: 100 }, clock: clock.now, jitter: 0 });
  await cache.set('a', 1);
  clock.pass(99);
  assert.equal(await cache.get('a'), 1);
  clock.pass(2);
  assert.equal(await cache.get('a'), undefined);
  assert.deepEqual(cache.stats().l1!.evictions, { capacity: 0, expired: 1 });
});

test('past its bound the least recently used entry goes, and counts as evicted by capacity', async () => {
  const cache = new TieredCache<number>({ name: 'c', l1: { maxEntries: 2 } });
  await cache.set('a', 1);
  await cache.set('b', 2);
  await cache.get('a');
  await cache.set('c', 3);
  assert.deepEqual([await cache.get('a'), await cache.get('b'), await cache.get('c')], [1, undefined, 3]);
  const { entries, limit, evictions } = cache.stats().l1!;
  assert.deepEqual([entries, limit, evictions.capacity], [2, 2, 1]);
});

test('a thousand simultaneous calls for one absent key run the loader once', async () => {
  const client = new FakeRedis();
  const cache = new TieredCache<string>({ name: 'c', l2: { client } });
  let runs = 0;
  const loader = async (key: string) => `${key} ${++runs}`;
  const values = await Promise.all(Array.from({ length: 1000 }, () => cache.getOrLoad('k', loader)));
  assert.deepEqual(new Set(values), new Set(['k 1']));
  assert.deepEqual(client.calls, ['get c:k', 'set c:k']);
  const { loads, stampedeSuppressed, gets } = cache.stats();
  assert.deepEqual([loads.ok, stampedeSuppressed, gets], [1, 999, 1000]);
});

test('a failing loader fails every caller that waited, is not stored, and runs again next time', async () => {
  const cache = new TieredCache<number>({ name: 'c' });
  const fail = async (): Promise<number> => {
    throw new Error('database is down');
  };
  const calls = await Promise.allSettled([cache.getOrLoad('k', fail), cache.getOrLoad('k', fail)]);
  assert.deepEqual(
    calls.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.equal(await cache.getOrLoad('k', () => 5), 5);
  assert.deepEqual(cache.stats().loads, { ok: 1, absent: 0, error: 1 });
});

test('a loader that throws at once rejects and does not throw', async () => {
  const cache = new TieredCache<number>({ name: 'c' });
  const loading = cache.getOrLoad('k', () => {
    throw new RangeError('no');
  });
  await assert.rejects(loading, RangeError);
});

test('what was not found is not stored', async () => {
  const cache = new TieredCache<number | undefined>({ name: 'c', l2: { client: new FakeRedis() } });
  assert.equal(await cache.getOrLoad('k', () => undefined), undefined);
  const { l1, l2 } = cache.stats();
  assert.deepEqual([l1!.sets, l2?.sets, l1!.entries], [0, 0, 0]);
});

for (const write of ['set', 'delete'] as const) {
  test(`a ${write} during a load is not overwritten by what was loaded before it`, async () => {
    const client = new FakeRedis();
    const cache = new TieredCache<string>({ name: 'c', l2: { client } });
    const row = deferred<string>();
    const started = deferred();
    const loading = cache.getOrLoad('k', () => {
      started.resolve();
      return row.promise;
    });
    await started.promise;
    await (write === 'set' ? cache.set('k', 'new') : cache.delete('k'));
    const after = cache.getOrLoad('k', () => 'fresh');
    row.resolve('old');
    assert.equal(await loading, 'old');
    assert.equal(await after, write === 'set' ? 'new' : 'fresh');
    assert.equal(await cache.get('k'), write === 'set' ? 'new' : 'fresh');
    await cache.close();
    assert.equal(client.value('c:k'), write === 'set' ? 'new' : 'fresh');
  });
}

test('a delete while Redis is answering a get keeps the old value out of memory', async () => {
  const client = new FakeRedis();
  client.put('c:k', 'old');
  const cache = new TieredCache<string>({ name: 'c', l2: { client } });
  assert.equal(await cache.get('other'), undefined);
  const answer = deferred();
  client.before = command => (command === 'get' ? answer.promise : undefined);
  const got = cache.get('k');
  const deleted = cache.delete('k');
  answer.resolve();
  await deleted;
  assert.equal(await got, 'old');
  assert.equal(cache.stats().l1!.entries, 0);
});

test('a Redis that fails, is not connected or holds garbage is a miss, counted and reported', async () => {
  const client = new FakeRedis();
  const problems: string[] = [];
  const onError = (error: unknown) =>
    problems.push((error as { code?: string; name: string }).code ?? 'other');
  const cache = new TieredCache<string>({ name: 'c', l2: { client }, onError });
  client.before = () => {
    throw Object.assign(new Error('reset'), { code: 'ECONNRESET' });
  };
  assert.equal(await cache.getOrLoad('a', () => 'loaded'), 'loaded');
  await cache.delete('a');
  client.isReady = false;
  assert.equal(await cache.get('b'), undefined);
  client.isReady = true;
  client.before = () => {};
  client.entries.set('c:d', Buffer.from('{not an entry'));
  assert.equal(await cache.get('d'), undefined);
  assert.deepEqual(problems, [
    'ECONNRESET',
    'ECONNRESET',
    'CACHE_TIER_UNAVAILABLE',
    'CACHE_ENTRY_UNREADABLE',
  ]);
  assert.deepEqual(cache.stats().l2?.errors, { get: 3, set: 0, delete: 1 });
});

test('a Redis that does not answer costs its timeout and no more', async () => {
  const client = new FakeRedis();
  client.before = () => new Promise(() => {});
  const problems: unknown[] = [];
  const cache = new TieredCache<string>({
    name: 'c',
    l2: { client, timeoutMs: 5 },
    onError: error => problems.push(error),
  });
  assert.equal(await cache.getOrLoad('a', () => 'loaded'), 'loaded');
  assert.equal(await cache.get('a'), 'loaded');
  assert.deepEqual(
    problems.map(problem => (problem as Error).message),
    ['Expected l2 of the cache "c" to answer within 5 ms'],
  );
});

test('a value that JSON cannot carry stays in memory and counts as an error of the second tier', async () => {
  const cache = new TieredCache<bigint>({ name: 'c', l2: { client: new FakeRedis() } });
  await cache.set('n', 1n);
  assert.equal(await cache.get('n'), 1n);
  assert.equal(cache.stats().l2?.errors.set, 1);
});

test('a cache is a live source from its creation to its close', async () => {
  const cache = new TieredCache<number>({ name: 'listed' });
  await cache.set('a', 1);
  const [source] = liveSources<ReturnType<typeof cache.stats>>('cache', 1).filter(
    ({ name }) => name === 'listed',
  );
  assert.equal(source?.stats().l1?.entries, 1);
  cache.close();
  assert.ok(!liveSources('cache').some(({ name }) => name === 'listed'));
});

test('wrong options are refused, saying what was expected and what came', () => {
  assert.throws(
    () => new TieredCache({ name: '' }),
    /Expected name to be a string of at least one character/,
  );
  assert.throws(
    () => new TieredCache({ name: 'c', l1: { maxEntries: 0 } }),
    /Expected l1\.maxEntries to be an integer above zero, got 0/,
  );
  assert.throws(
    () => new TieredCache({ name: 'c', l2: { client: new FakeRedis(), ttlMs: 1.5 } }),
    /l2\.ttlMs/,
  );
});

test('counters are conserved over any sequence of calls, with a second tier that fails at times', async () => {
  const step = fc.record({
    call: fc.constantFrom('get', 'getOrLoad', 'set', 'delete'),
    key: fc.constantFrom('a', 'b', 'c', 'd'),
    fails: fc.boolean(),
    together: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async steps => {
      const client = new FakeRedis();
      const cache = new TieredCache<number>({ name: 'c', l1: { maxEntries: 2 }, l2: { client } });
      let failing = false;
      client.before = () => {
        if (failing) throw new Error('down');
      };
      const pending: Promise<unknown>[] = [];
      for (const { call, key, fails, together } of steps) {
        failing = fails;
        if (call === 'get') pending.push(cache.get(key));
        if (call === 'getOrLoad') pending.push(cache.getOrLoad(key, () => 1));
        if (call === 'set') pending.push(cache.set(key, 2));
        if (call === 'delete') pending.push(cache.delete(key));
        if (!together) await Promise.all(pending);
      }
      await Promise.all(pending);
      const { gets, l1, l2, stampedeSuppressed, loads, loadTime, getTime } = cache.stats();
      cache.close();
      assert.ok(l1 && l2);
      assert.equal(gets, steps.filter(({ call }) => call.startsWith('get')).length);
      assert.equal(gets, l1.hits + l1.misses);
      assert.equal(gets, getTime.count);
      assert.equal(l1.misses, l2.hits + l2.misses + l2.errors.get + l2.bypassed.get + stampedeSuppressed);
      assert.equal(loads.ok + loads.error, loadTime.count);
      assert.ok((l1.entries ?? 0) <= 2);
    }),
  );
});
