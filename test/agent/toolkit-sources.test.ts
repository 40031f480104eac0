import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { preload, repository, scrape, startApp } from '../helpers/app';

const script = join(repository, 'test/fixtures/apps/use-toolkit/churn.js');

/** The series of a metric by their labels. */
function seriesOf(text: string, name: string): Map<string, number> {
  const lines = text.matchAll(new RegExp(`^${name}(\\{[^}]*\\})? (\\S+)$`, 'gm'));
  return new Map([...lines].map(([, labels = '', value]) => [labels, Number(value)]));
}

const total = (series: Map<string, number>): number => [...series.values()].reduce((a, b) => a + b, 0);

const apps: { kill(): void }[] = [];
after(() => {
  for (const app of apps) app.kill();
});

test('pools and caches that open, close and are dropped by the thousand keep /metrics true and small', async () => {
  const app = startApp(script, {
    nodeArgs: ['--expose-gc', '--require', preload],
    ipc: true,
    env: { VITALS_CARDINALITY_LIMIT: '100' },
    timeoutMs: 120_000,
  });
  apps.push(app);
  const url = await app.metricsUrl();
  const counters = [
    'vitals_pool_acquired_total',
    'vitals_pool_use_time_seconds_count',
    'vitals_cache_operations_total',
  ];
  // A name keeps the series it has once been shown with.
  await scrape(url);
  let before = new Map<string, Map<string, number>>();
  const heap: number[] = [];
  for (let scrapes = 0; scrapes < 6; scrapes++) {
    app.process.send({ rounds: 400 });
    const [told] = (await once(app.process, 'message')) as [
      { acquired: number; gets: number; heapUsed: number },
    ];
    heap.push(told.heapUsed);
    const text = await scrape(url);
    assert.equal(total(seriesOf(text, 'vitals_pool_acquired_total')), told.acquired);
    assert.equal(total(seriesOf(text, 'vitals_cache_operations_total')), told.gets);
    const now = new Map(counters.map(name => [name, seriesOf(text, name)]));
    for (const [name, series] of before) {
      for (const [labels, value] of series) {
        assert.ok(now.get(name)!.get(labels)! >= value, `${name}${labels} fell from ${value}`);
      }
    }
    for (const [name, series] of now) assert.ok(series.size <= 100, `${series.size} series of ${name}`);
    before = now;
  }
  const text = await scrape(url);
  const kept = '{pool_kind="object",pool_name="kept"';
  assert.equal(seriesOf(text, 'vitals_pool_limit').get(`${kept}}`), 3);
  assert.equal(seriesOf(text, 'vitals_pool_size').get(`${kept},pool_state="used"}`), 1);
  assert.equal(seriesOf(text, 'vitals_pool_acquired_total').get(`${kept}}`), 1);
  // The first rounds make the code and the series; after them nothing may stay.
  const grown = heap[5]! - heap[2]!;
  assert.ok(grown < 3_000_000, `${grown} bytes more after 7200 more pools and caches: ${heap.join(' ')}`);
  app.process.send({ stop: true });
  assert.equal((await app.exit).code, 0);
});
