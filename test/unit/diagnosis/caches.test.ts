import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchCaches } from '../../../instrumentation/diagnosis/caches';
import { type FindingCode, findingDefinitions } from '../../../instrumentation/diagnosis/codes';
import type { Evidence } from '../../../instrumentation/diagnosis/findings';
import { createLog } from '../../../instrumentation/log';
import { TieredCache } from '../../../toolkit/cache';
import { FakeRedis } from '../../helpers/fake-redis';

type Report = [code: FindingCode, subject: string, evidence: Evidence];

function setUp() {
  const reports: Report[] = [];
  const log = createLog('warn', line => assert.fail(line));
  const { look } = watchCaches({ report: (...report: Report) => void reports.push(report) } as never, log);
  return {
    /** What one look reports. */
    look(): Report[] {
      reports.length = 0;
      look();
      return [...reports];
    },
  };
}

test('many lookups of which few are answered are a finding, and few lookups or many answers are none', async t => {
  const { look } = setUp();
  const [busy, quiet, good] = ['busy', 'quiet', 'good'].map(name => new TieredCache<number>({ name }));
  t.after(() => Promise.all([busy, quiet, good].map(cache => cache!.close())));
  await good!.set('k', 1);
  assert.deepEqual(look(), []);
  for (let i = 0; i < 1000; i++) {
    await busy!.get(`${i}`);
    await good!.get(i % 2 ? 'k' : 'other');
    if (i < 999) await quiet!.get(`${i}`);
  }
  assert.deepEqual(look(), [['cache_low_hit_ratio', 'busy', { gets: 1000, hit_ratio: 0, loads: 0 }]]);
  assert.deepEqual(look(), []);
});

test('callers who crowd before one load are a finding, and callers with a load each are none', async t => {
  const { look } = setUp();
  const cache = new TieredCache<number>({ name: 'hot' });
  t.after(() => cache.close());
  assert.deepEqual(look(), []);
  await Promise.all(Array.from({ length: 101 }, () => cache.getOrLoad('k', async () => 1)));
  assert.deepEqual(look(), [['cache_stampede', 'hot', { waited: 100, loads: 1 }]]);
  await Promise.all(Array.from({ length: 200 }, (_, i) => cache.getOrLoad(`${i % 100}`, async () => 1)));
  assert.deepEqual(look(), []);
});

test('a tier whose breaker is open is a finding by its name, until it is closed', async t => {
  const { look } = setUp();
  const client = new FakeRedis();
  let now = 1;
  const cache = new TieredCache<number>({
    name: 'products',
    l2: { client, breaker: { failures: 2, openMs: 10 } },
    clock: () => now,
  });
  t.after(() => cache.close());
  await cache.get('k');
  assert.deepEqual(look(), []);
  client.before = () => {
    throw new Error('down');
  };
  for (let i = 0; i < 3; i++) await cache.get('k');
  assert.deepEqual(look(), [['cache_tier_down', 'products l2', { opened: 1, errors: 2, bypassed: 1 }]]);
  client.before = () => {};
  now += 20;
  await cache.get('k');
  assert.deepEqual(look(), []);
});

test('writes that wait with the queue nearly full, or are given up, are a finding', async t => {
  const { look } = setUp();
  let down = true;
  const write = async (): Promise<void> => {
    if (down) throw new Error('down');
  };
  const cache = new TieredCache<number>({
    name: 'carts',
    source: { load: () => undefined, write },
    writeMode: 'back',
    writeBack: { maxPending: 5, delayMs: 60_000, retryMs: 1, maxRetryMs: 1 },
  });
  t.after(() => cache.close());
  for (let i = 0; i < 3; i++) await cache.set(`${i}`, i);
  assert.deepEqual(look(), []);
  await cache.set('3', 3);
  assert.deepEqual(look(), [
    ['cache_backlog', 'carts', { pending: 4, limit: 5, waiting: 0, retries: 0, lost: 0 }],
  ]);
  down = false;
  await cache.flush();
  assert.deepEqual(look(), []);
});

test('what one look may see by chance is said only when it lasts', () => {
  for (const [code, { raiseAfter }] of Object.entries(findingDefinitions)) {
    if (code.startsWith('cache_')) assert.ok(raiseAfter >= 3, code);
  }
});
