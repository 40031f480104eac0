import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type LostWrite, TieredCache, type WriteBackOptions } from '../../../toolkit/cache';
import { CountingSource } from '../../helpers/caches';
import { deferred, FakeRedis } from '../../helpers/fake-redis';
import { until } from '../../helpers/until';

function writingBack(source: CountingSource, writeBack: WriteBackOptions<number> = {}, client?: FakeRedis) {
  return new TieredCache<number>({
    name: 'c',
    source,
    writeMode: 'back',
    writeBack: { delayMs: 60_000, retryMs: 1, maxRetryMs: 1, ...writeBack },
    ...(client && { l2: { client } }),
  });
}

test('whatever is set, deleted and refused, what was acknowledged is written in order, and of each key the last stays', async () => {
  const key = fc.constantFrom('a', 'b', 'c');
  const step = fc.record({
    do: fc.constantFrom('set', 'set', 'set', 'delete', 'get', 'flush', 'pause'),
    key,
    fails: fc.boolean(),
    together: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async steps => {
      const source = new CountingSource();
      const seen = new Map<string, number[]>();
      let failing = false;
      source.before = () => {
        if (failing) throw new Error('refused');
      };
      const write = source.write;
      const cache = writingBack(
        Object.assign(Object.create(source) as CountingSource, {
          load: source.load,
          remove: source.remove,
          async write(key: string, value: number) {
            await write(key, value);
            seen.set(key, [...(seen.get(key) ?? []), value]);
          },
        }),
        { delayMs: 1, concurrency: 2 },
      );
      const last = new Map<string, number | undefined>();
      let value = 0;
      const pending: Promise<unknown>[] = [];
      for (const { do: call, key, fails, together } of steps) {
        failing = fails;
        if (call === 'set') {
          last.set(key, ++value);
          pending.push(cache.set(key, value));
        } else if (call === 'delete') {
          last.set(key, undefined);
          pending.push(cache.delete(key));
        } else if (call === 'pause') await new Promise(resolve => setTimeout(resolve, 2));
        else if (call === 'flush') {
          failing = false;
          pending.push(cache.flush());
        } else if (last.has(key)) {
          // A flush lasts for as long as the source refuses.
          failing = false;
          await Promise.all(pending);
          failing = fails;
          // A load may be refused, and nothing that waits has to be loaded.
          const got = await cache.get(key).catch(() => last.get(key));
          assert.equal(got, last.get(key));
        }
        if (together) continue;
        failing = false;
        await Promise.all(pending.splice(0));
      }
      failing = false;
      await Promise.all(pending);
      assert.deepEqual((await cache.close()).unwritten, []);
      for (const [key, value] of last) assert.equal(source.values.get(key), value, key);
      for (const values of seen.values()) {
        assert.deepEqual(
          values,
          [...values].sort((a, b) => a - b),
        );
      }
      const { accepted, written, superseded, lost, pending: left } = cache.stats().writeBack!;
      assert.equal(accepted, steps.filter(({ do: call }) => call === 'set' || call === 'delete').length);
      assert.equal(accepted, written + superseded);
      assert.deepEqual([lost, left], [0, 0]);
    }),
    { numRuns: 60 },
  );
});

test('two writes of one key are never under way at a time', async () => {
  const source = new CountingSource();
  const first = deferred();
  let running = 0;
  let most = 0;
  source.before = async () => {
    most = Math.max(most, ++running);
    await first.promise;
    running--;
  };
  const cache = writingBack(source, { delayMs: 1, concurrency: 4 });
  await cache.set('k', 1);
  await until(() => running === 1);
  await cache.set('k', 2);
  await new Promise(resolve => setTimeout(resolve, 10));
  first.resolve();
  await cache.flush();
  assert.equal(most, 1);
  assert.equal(source.values.get('k'), 2);
  await cache.close();
});

test('who finds the queue full waits for room, in the order of asking, and is refused when there is none in time', async () => {
  const source = new CountingSource();
  const gate = deferred();
  source.before = call => (call === 'write' ? gate.promise : undefined);
  const cache = writingBack(source, { maxPending: 1, acceptTimeoutMs: 30, delayMs: 1 });
  await cache.set('a', 1);
  await assert.rejects(cache.set('b', 2), { code: 'CACHE_BACKLOG', limit: 1, timeoutMs: 30 });
  assert.equal(await cache.get('b'), undefined);
  const accepted: string[] = [];
  const sets = ['c', 'd'].map(key => cache.set(key, 3).then(() => accepted.push(key)));
  // The same key takes no more room.
  await cache.set('a', 4);
  gate.resolve();
  await Promise.all(sets);
  await cache.close();
  assert.deepEqual(accepted, ['c', 'd']);
  assert.deepEqual(Object.fromEntries(source.values), { a: 4, c: 3, d: 3 });
});

test('what is not written by the end of close is named, and nothing is accepted after', async () => {
  const source = new CountingSource();
  source.before = call => (call === 'write' ? new Promise(() => {}) : undefined);
  const cache = writingBack(source);
  await cache.set('a', 1);
  await cache.delete('b');
  const closing = cache.close({ timeoutMs: 20 });
  await assert.rejects(cache.set('c', 1), { code: 'CACHE_CLOSED' });
  assert.deepEqual((await closing).unwritten, [{ key: 'a', value: 1 }]);
  assert.deepEqual([...source.calls].sort(), ['remove b', 'write a']);
  const { accepted, written, lost, pending } = cache.stats().writeBack!;
  assert.deepEqual([accepted, written, lost, pending], [2, 1, 1, 0]);
});

test('a write that is given up after its attempts is told of, with what it failed with', async () => {
  const source = new CountingSource();
  source.before = () => {
    throw new Error('never');
  };
  const lost: LostWrite<number>[] = [];
  const cache = writingBack(source, { attempts: 3, onLost: write => lost.push(write) });
  await cache.set('a', 1);
  await cache.flush();
  assert.deepEqual(
    lost.map(({ key, value, attempts, error }) => [key, value, attempts, String(error)]),
    [['a', 1, 3, 'Error: never']],
  );
  const { retries, lost: count } = cache.stats().writeBack!;
  assert.deepEqual([retries, count], [2, 1]);
  await cache.close();
});

test('a value that waits is read here whatever the tiers say, and what others loaded meanwhile goes once it is written', async () => {
  const source = new CountingSource();
  source.values.set('k', 1);
  const client = new FakeRedis();
  const cache = writingBack(source, {}, client);
  await cache.set('k', 2);
  // Redis has lost it, and another process has loaded the value of before.
  client.put('c:k', 1);
  await cache.invalidate('other');
  assert.equal(await cache.get('k'), 2);
  assert.equal(cache.stats().dirtyHits, 1);
  await cache.flush();
  assert.equal(client.value('c:k'), undefined);
  assert.equal(source.values.get('k'), 2);
  await cache.close();
});

test('what the source refuses is in no tier, whatever the tiers had', async () => {
  const source = new CountingSource();
  const client = new FakeRedis();
  for (const writeMode of ['through', 'around'] as const) {
    const cache = new TieredCache<number>({ name: writeMode, source, writeMode, l2: { client } });
    source.values.set('k', 1);
    assert.equal(await cache.get('k'), 1);
    source.before = call => {
      if (call !== 'load') throw new Error('refused');
    };
    await assert.rejects(cache.set('k', 2), /refused/);
    assert.equal(client.value(`${writeMode}:k`), undefined);
    assert.equal(await cache.get('k'), 1);
    await assert.rejects(cache.delete('k'), /refused/);
    source.before = () => {};
    await cache.close();
  }
});

test('a load that was begun while a write was under way is not stored over it', async () => {
  const source = new CountingSource();
  source.values.set('k', 1);
  const writing = deferred();
  source.before = call => (call === 'write' ? writing.promise : undefined);
  const cache = new TieredCache<number>({ name: 'c', source, l2: { client: new FakeRedis() } });
  const set = cache.set('k', 2);
  assert.equal(await cache.get('k'), 1);
  writing.resolve();
  await set;
  assert.equal(await cache.get('k'), 2);
  await cache.close();
});

test('a write mode without a source that writes is refused', () => {
  const load = (): undefined => undefined;
  for (const writeMode of ['back', 'around'] as const) {
    assert.throws(
      () => new TieredCache({ name: 'c', writeMode, source: { load } }),
      new TypeError(`Expected source.write to be a function where writeMode is ${writeMode}, got none`),
    );
  }
  assert.throws(
    () => new TieredCache({ name: 'c', writeMode: 'behind' as never }),
    /Expected writeMode to be through/,
  );
});
