import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AggregationTemporality, InstrumentType } from '@opentelemetry/sdk-metrics';
import fc from 'fast-check';
import { attribute, metric } from '../../instrumentation/catalogue/define';
import type { HistogramPoint } from '../../instrumentation/metrics/exemplar';
import { createProducer } from '../../instrumentation/metrics/producer';
import { MetricRegistry } from '../../instrumentation/metrics/registry';

const route = attribute('http.route', 'route', { bound: 'routes' });
const method = attribute('http.request.method', 'method', { bound: 'methods' });
const requests = metric('test', 'vitals.test.requests', 'counter', '{request}', 'requests', {
  attributes: [method, route],
});
const open = metric('test', 'vitals.test.open', 'updowncounter', '{request}', 'open');
const level = metric('test', 'vitals.test.level', 'gauge', '1', 'level', { attributes: [route] });
const time = metric('test', 'vitals.test.time', 'histogram', 's', 'time', {
  attributes: [route],
  buckets: [0.1, 1, 10],
});

const make = (limit = 2000, onError: (error: unknown) => void = error => assert.fail(String(error))) =>
  new MetricRegistry(limit, onError);
const scope = { name: 'test', version: '1' };

async function collected(registry: MetricRegistry) {
  const { resourceMetrics } = await createProducer(registry, scope).collect();
  return new Map((resourceMetrics.scopeMetrics[0]?.metrics ?? []).map(data => [data.descriptor.name, data]));
}

test('the same attributes give the same series, whatever the order they are written in', () => {
  const counter = make().instrument(requests);
  const cell = counter.with({ 'http.request.method': 'GET', 'http.route': '/a' });
  assert.equal(counter.with({ 'http.route': '/a', 'http.request.method': 'GET' }), cell);
  assert.notEqual(counter.with({ 'http.request.method': 'GET' }), cell);
  assert.deepEqual(cell.attributes, { 'http.request.method': 'GET', 'http.route': '/a' });
  assert.equal(counter.size, 2);
});

test('an attribute that is left out is not on the series', () => {
  const cell = make().instrument(requests).with({ 'http.request.method': 'GET', 'http.route': undefined });
  assert.deepEqual(cell.attributes, { 'http.request.method': 'GET' });
});

test('a histogram puts a value on a bound into the bucket of that bound', () => {
  const cell = make().instrument(time).with({});
  for (const value of [0, 0.1, 0.10001, 1, 10, 11]) cell.record(value);
  assert.deepEqual(cell.counts, [2, 2, 1, 1]);
  assert.equal(cell.count, 6);
  assert.ok(Math.abs(cell.sum - 22.20001) < 1e-9);
});

test('a measurement that is not a number leaves a histogram as it was', () => {
  const cell = make().instrument(time).with({});
  cell.record(0.5);
  cell.record(Number.NaN);
  assert.deepEqual([cell.counts, cell.count, cell.sum], [[0, 1, 0, 0], 1, 0.5]);
});

test('past the cardinality limit measurements go to one overflow series, and the limit counts it', () => {
  const registry = make(10);
  const counter = registry.instrument(requests);
  for (let i = 0; i < 1000; i++) counter.with({ 'http.request.method': 'GET', 'http.route': `/${i}` }).add();
  assert.equal(counter.size, 10);
  const cells = [...counter.cells()];
  const overflow = cells.filter(cell => cell.attributes['otel.metric.overflow'] === true);
  assert.equal(overflow.length, 1);
  assert.equal(overflow[0]!.value, 991);
  assert.equal(registry.overflowed, 991);
  assert.equal(
    cells.reduce((sum, cell) => sum + cell.value, 0),
    1000,
  );
});

test('a metric without attributes has its series at any limit', () => {
  const registry = make(1);
  registry.instrument(open).with({}).add(3);
  assert.deepEqual(
    [...registry.instrument(open).cells()].map(cell => cell.value),
    [3],
  );
});

test('a series that was removed is gone, makes room for another, and starts anew', () => {
  const counter = make(3).instrument(requests);
  const first = counter.with({ 'http.route': '/a' });
  counter.with({ 'http.route': '/b' });
  first.add(5);
  counter.remove(first);
  assert.equal(counter.size, 1);
  counter.with({ 'http.route': '/c' }).add();
  assert.equal(counter.overflowed, 0);
  counter.remove(first);
  assert.equal(counter.size, 2);
});

test('a gauge is absent until it is set and while it is unset', async () => {
  const registry = make();
  const cell = registry.instrument(level).with({ 'http.route': '/' });
  assert.equal((await collected(registry)).size, 0);
  cell.set(0);
  assert.equal((await collected(registry)).get('vitals.test.level')?.dataPoints[0]?.value, 0);
  cell.set(undefined);
  assert.equal((await collected(registry)).size, 0);
});

test('readers run at every collection until they are ended, and one that throws stops no other', async () => {
  const errors: unknown[] = [];
  const registry = make(10, error => errors.push(error));
  const cell = registry.instrument(open).with({});
  const broken = new Error('broken');
  registry.onCollect(() => {
    throw broken;
  });
  const end = registry.onCollect(() => cell.add());
  await collected(registry);
  await collected(registry);
  end();
  await collected(registry);
  assert.equal(cell.value, 2);
  assert.deepEqual(errors, [broken, broken, broken]);
});

test('a collection is not changed by what is measured after it', async () => {
  const registry = make();
  const cell = registry.instrument(time).with({});
  cell.record(0.05, { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), timestampMs: 1 });
  const point = (await collected(registry)).get('vitals.test.time')!.dataPoints[0] as HistogramPoint;
  cell.record(0.06, { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16), timestampMs: 2 });
  assert.deepEqual(point.value.buckets.counts, [1, 0, 0, 0]);
  assert.equal(point.exemplars?.[0]?.value, 0.05);
});

test('a series keeps one attributes object, by which exporters cache', async () => {
  const registry = make();
  registry.instrument(level).with({ 'http.route': '/' }).set(1);
  const first = (await collected(registry)).get('vitals.test.level')!.dataPoints[0]!.attributes;
  const second = (await collected(registry)).get('vitals.test.level')!.dataPoints[0]!.attributes;
  assert.equal(first, second);
});

test('a delta reader gets each measurement once, and a cumulative one beside it gets totals', async () => {
  const delta = (type: InstrumentType) =>
    type === InstrumentType.COUNTER || type === InstrumentType.HISTOGRAM
      ? AggregationTemporality.DELTA
      : AggregationTemporality.CUMULATIVE;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(fc.integer({ min: 0, max: 100 })), { maxLength: 8 }), async rounds => {
      const registry = make();
      const counter = registry.instrument(requests).with({});
      const histogram = registry.instrument(time).with({});
      const byDelta = createProducer(registry, scope, delta);
      let [sum, count] = [0, 0];
      for (const round of rounds) {
        for (const amount of round) {
          counter.add(amount);
          histogram.record(amount);
        }
        const metrics = (await byDelta.collect()).resourceMetrics.scopeMetrics[0]!.metrics;
        for (const data of metrics) {
          assert.equal(data.aggregationTemporality, AggregationTemporality.DELTA);
          const { value } = data.dataPoints[0] as { value: number | { count: number } };
          if (typeof value === 'number') sum += value;
          else count += value.count;
        }
        assert.equal(
          (await collected(registry)).get('vitals.test.requests')!.dataPoints[0]!.value,
          counter.value,
        );
      }
      assert.equal(
        sum,
        rounds.flat().reduce((total, amount) => total + amount, 0),
      );
      assert.equal(count, rounds.flat().length);
    }),
    { numRuns: 50 },
  );
});
