import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createReadings, percentile99 } from '../../../instrumentation/autoprofile/readings';
import { gcMetrics, heapMetrics, httpServerMetrics } from '../../../instrumentation/catalogue';
import { heapFill } from '../../../instrumentation/meters/heap-use';
import { MetricRegistry } from '../../../instrumentation/metrics/registry';

test('the 99th percentile lies within its bucket, by the rank', () => {
  const bounds = [0.1, 0.2, 0.4];
  assert.equal(percentile99(bounds, [99, 1, 0, 0]), 100);
  assert.equal(percentile99(bounds, [0, 100, 0, 0]), 199);
  assert.equal(percentile99(bounds, [50, 0, 50, 0]), 396);
  assert.equal(percentile99(bounds, [50, 0, 0, 50]), 400);
});

test('few requests have no percentile', () => {
  assert.equal(percentile99([0.1], [19, 0]), undefined);
  assert.equal(percentile99([], []), undefined);
});

test('levels are those since the last reading, off what the meters have', () => {
  const registry = new MetricRegistry(100, assert.ifError);
  const readings = createReadings(registry, ['gc', 'heap', 'response', 'resources']);
  const request = registry
    .instrument(httpServerMetrics.duration)
    .with({ 'http.request.method': 'GET', 'url.scheme': 'http' });
  const major = registry.instrument(gcMetrics.duration).with({ 'v8js.gc.type': 'major' });
  const before = readings.take();
  assert.equal(before.heapIsLive, false);
  assert.ok(before.heap! > 1 && before.heap! < 4000, String(before.heap));
  for (let i = 0; i < 100; i++) request.record(2.4);
  registry
    .instrument(heapMetrics.live)
    .with({})
    .set(100 * 2 ** 20);
  major.record(0.001);
  registry
    .instrument(gcMetrics.duration)
    .with({ 'v8js.gc.type': 'major', 'vitals.gc.forced': 'true' })
    .record(1000);
  const levels = readings.take();
  assert.deepEqual([levels.heap, levels.heapIsLive], [100, true]);
  assert.equal(levels.response, 2400);
  assert.ok(levels.gc! > 0 && levels.gc! < 1e5, String(levels.gc));
  assert.equal(levels.resources, process.getActiveResourcesInfo().length);
  assert.ok(levels.cpu! >= 0);
  assert.equal(levels.delay, undefined);
  const next = readings.take();
  assert.deepEqual([next.gc, next.response, next.heap], [0, undefined, 100]);
  readings.stop();
});

test('the fill of the heap is what is alive of the old generation, or all of it while nobody knows', () => {
  const { bytes, limit, share } = heapFill(undefined);
  assert.ok(bytes > 1e6 && bytes < 4e9, String(bytes));
  assert.ok(limit > bytes && limit < 64e9, String(limit));
  assert.equal(share, bytes / limit);
  assert.deepEqual(heapFill(4096), { bytes: 4096, limit, share: 4096 / limit });
  // No more can be alive than there is.
  assert.ok(heapFill(1e12).bytes < 4e9);
});
