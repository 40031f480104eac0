import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { preload, repository, runApp, startApp } from '../helpers/app';
import { type RedisServer, startRedis } from '../helpers/redis';
import { samplesFrom } from '../helpers/samples';

let redis: RedisServer;
before(async () => {
  redis = await startRedis();
});
after(() => redis?.close());

test('every tier of every cache is in /metrics by name, with what it did', async t => {
  const app = startApp(join(repository, 'test/fixtures/apps/use-toolkit/cache.js'), {
    nodeArgs: ['--require', preload],
    ipc: true,
    env: { REDIS_URL: redis.url },
    timeoutMs: 120_000,
  });
  t.after(() => app.kill());
  const url = await app.metricsUrl();
  await once(app.process, 'message');
  const samples = await samplesFrom(url);
  const products = { cache_name: 'products' };
  const operations = (cache_tier: string, cache_operation: string, cache_result: string) =>
    samples.value('vitals_cache_operations_total', {
      ...products,
      cache_tier,
      cache_operation,
      cache_result,
    });
  assert.deepEqual(
    ['hit', 'negative', 'miss'].map(result => operations('l1', 'get', result)),
    [1, 1, 2],
  );
  for (const tier of ['l2', 'l3']) {
    // Of each absent key: the lookup, and once more under the lock.
    assert.equal(operations(tier, 'get', 'miss'), 4);
    assert.equal(operations(tier, 'get', 'error'), 0);
    assert.equal(operations(tier, 'set', 'ok'), 4);
    assert.equal(samples.value('vitals_cache_tier_available', { ...products, cache_tier: tier }), 1);
    assert.equal(
      samples.value('vitals_cache_tier_duration_seconds_count', { ...products, cache_tier: tier }),
      4,
    );
  }
  const value = (name: string, labels = {}) => samples.value(name, { ...products, ...labels });
  assert.equal(value('vitals_cache_entries', { cache_tier: 'l1' }), 4);
  assert.equal(value('vitals_cache_entries_limit', { cache_tier: 'l1' }), 10);
  assert.ok(value('vitals_cache_size_bytes', { cache_tier: 'l1' })! > 800);
  assert.equal(value('vitals_cache_size_limit_bytes', { cache_tier: 'l1' }), 10_000);
  assert.equal(value('vitals_cache_loads_total', { cache_load_result: 'ok' }), 1);
  assert.equal(value('vitals_cache_loads_total', { cache_load_result: 'absent' }), 1);
  assert.equal(value('vitals_cache_load_locks_total', { cache_lock_outcome: 'acquired' }), 2);
  assert.equal(value('vitals_cache_writeback_queue_size'), 2);
  assert.equal(value('vitals_cache_writeback_queue_limit'), 7);
  assert.equal(value('vitals_cache_writeback_writes_total', { cache_writeback_outcome: 'written' }), 0);
  assert.equal(value('vitals_cache_invalidations_total', { cache_invalidation_direction: 'sent' }), 3);
  assert.equal(value('vitals_cache_repairs_pending'), 0);
  const plain = { cache_name: 'plain', cache_tier: 'l1', cache_operation: 'get', cache_result: 'miss' };
  assert.equal(samples.value('vitals_cache_operations_total', plain), 1);
  assert.equal(samples.value('vitals_self_warnings_total'), 0);
  app.process.send({ stop: true });
  assert.equal((await app.exit).code, 0);
});

test('the documented example shows what it says: tiers, guards, ways to write, and reads without Redis', async () => {
  const example = join(repository, 'docs/examples/cache-system.cjs');
  const { code, stdout, stderr } = await runApp(example, { nodeArgs: [], timeoutMs: 120_000 });
  assert.equal(code, 0, stderr);
  const figures = new Map(stdout.split('\n').map(line => [line.slice(0, 62).trim(), line.slice(62)]));
  const us = (name: string): number => Number.parseInt(figures.get(name)!, 10);
  const inTurn = ['read from memory', 'read from Redis', 'read from the source'].map(name =>
    us(`${name} (median)`),
  );
  assert.deepEqual(
    [...inTurn].sort((a, b) => a - b),
    inTurn,
    stdout,
  );
  assert.equal(figures.get('warm-up: loaded, present, absent, failed'), '500, 0, 0, 0');
  assert.equal(figures.get('breakdown: 1000 callers, queries'), '1');
  assert.equal(figures.get('penetration: 1000 reads of 100 absent keys, queries'), '1000');
  assert.equal(figures.get('the same, remembered to be absent'), '100');
  // One in a hundred keys gets past the filter, and is asked for ten times.
  assert.ok(Number(figures.get('the same, behind a filter')) <= 100, stdout);
  const written = (way: string): string[] =>
    figures.get(`write-${way}: time of 1000 sets, writes to the source, lost`)!.split(', ');
  assert.deepEqual(written('through').slice(1), ['1000', '0']);
  assert.deepEqual(written('around').slice(1), ['1000', '0']);
  const [, back, lost] = written('back').map(Number);
  assert.ok(back! >= 10 && back! < 1000, stdout);
  assert.equal(lost, 0);
  assert.equal(figures.get('reads that failed without Redis'), '0');
});
