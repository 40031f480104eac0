import assert from 'node:assert/strict';
import { test } from 'node:test';
import { httpServerMetrics } from '../../../instrumentation/catalogue';
import { anyExtremes } from '../../../instrumentation/metrics/quantile';
import { MetricRegistry } from '../../../instrumentation/metrics/registry';

const route = (name: string) => ({ 'http.request.method': 'GET', 'http.route': name }) as const;

test('each watcher has the extremes since it last asked, of series that come later too', () => {
  const durations = new MetricRegistry(100, assert.ifError).instrument(httpServerMetrics.duration);
  const early = durations.with(route('/early'));
  early.record(9);
  assert.deepEqual(early.takeExtremes(0), anyExtremes);
  const [a, b] = [durations.watchExtremes(), durations.watchExtremes()];
  const late = durations.with(route('/late'));
  for (const cell of [early, late]) for (const value of [0.3, 0.1, 2]) cell.record(value);
  assert.deepEqual(early.takeExtremes(a), { min: 0.1, max: 2 });
  late.record(5);
  assert.deepEqual(late.takeExtremes(a), { min: 0.1, max: 5 });
  late.record(3);
  assert.deepEqual(
    [late.takeExtremes(a), late.takeExtremes(b)],
    [
      { min: 3, max: 3 },
      { min: 0.1, max: 5 },
    ],
  );
  assert.deepEqual(early.takeExtremes(b), { min: 0.1, max: 2 });
});

test('of what was counted elsewhere the extremes are not known', () => {
  const durations = new MetricRegistry(100, assert.ifError).instrument(httpServerMetrics.duration);
  const watcher = durations.watchExtremes();
  const cell = durations.with(route('/'));
  cell.record(3);
  cell.addCounts(
    cell.counts.map((_, i) => (i === 2 ? 1 : 0)),
    0.02,
  );
  assert.deepEqual(cell.takeExtremes(watcher), anyExtremes);
  cell.set(cell.counts, 3);
  assert.deepEqual(cell.takeExtremes(watcher), anyExtremes);
});
