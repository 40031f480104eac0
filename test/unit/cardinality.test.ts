import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DataPoint, MeterProvider } from '@opentelemetry/sdk-metrics';
import { createPrometheusReader } from '../../exporters/prometheus/reader';
import { attribute, metric } from '../../instrumentation/catalogue/define';
import { createProducer } from '../../instrumentation/metrics/producer';
import { MetricRegistry } from '../../instrumentation/metrics/registry';
import { boundSdkSeries } from '../../instrumentation/metrics/sdk-cardinality';
import { parse, samplesOf, writeBytes } from '../helpers/exposition/write';

const limit = 100;

/** Two readers, as with Prometheus beside OTLP; and what the first one collects of a metric. */
function sdk() {
  const make = () => createPrometheusReader({ metricProducers: [], cardinalityLimit: limit });
  const readers = [make(), make()] as const;
  const meter = new MeterProvider({ readers: [...readers] }).getMeter('app');
  const pointsOf = async (name: string, reader = readers[0]): Promise<DataPoint<unknown>[]> => {
    const { resourceMetrics } = await reader.collect();
    const found = resourceMetrics.scopeMetrics[0]?.metrics.find(({ descriptor }) => descriptor.name === name);
    return [...(found?.dataPoints ?? [])] as DataPoint<unknown>[];
  };
  return { meter, readers, pointsOf };
}
const isOverflow = ({ attributes }: DataPoint<unknown>): boolean =>
  attributes['otel.metric.overflow'] === true;

test('the SDK by itself holds its limit between two scrapes only: once this fails, it needs no help of ours', async () => {
  const { meter, pointsOf } = sdk();
  const counter = meter.createCounter('c');
  for (let i = 0; i < 1000; i++) {
    counter.add(1, { i });
    if (i % 50 === 49) await pointsOf('c');
  }
  assert.equal((await pointsOf('c')).length, 1000);
});

test('with our help the SDK holds its limit over all scrapes, and no measurement is lost', async () => {
  boundSdkSeries(limit);
  const { meter, readers, pointsOf } = sdk();
  const counter = meter.createCounter('c');
  const histogram = meter.createHistogram('h', { advice: { explicitBucketBoundaries: [500] } });
  const gauge = meter.createGauge('g');
  for (let i = 0; i < 1000; i++) {
    counter.add(2, { i });
    counter.add(1, { i: 0 });
    histogram.record(i, { i });
    gauge.record(i, { i });
    // Sometimes many new ones at once, which the SDK sends to the overflow series by itself.
    if (i % (i < 500 ? 30 : 400) === 0) await pointsOf('c');
  }
  for (const reader of [readers[1], readers[0], readers[1]]) {
    const counts = (await pointsOf('c', reader)) as DataPoint<number>[];
    assert.equal(counts.length, limit);
    assert.equal(counts.filter(isOverflow).length, 1);
    assert.equal(counts.find(({ attributes }) => attributes['i'] === 0)!.value, 1002, 'known series go on');
    assert.equal(
      counts.reduce((sum, { value }) => sum + value, 0),
      3000,
    );

    const times = (await pointsOf('h', reader)) as DataPoint<{
      count: number;
      sum: number;
      buckets: { counts: number[] };
    }>[];
    assert.equal(times.length, limit);
    assert.equal(
      times.reduce((sum, { value }) => sum + value.count, 0),
      1000,
    );
    assert.equal(
      times.reduce((sum, { value }) => sum + value.sum, 0),
      (999 * 1000) / 2,
    );
    assert.deepEqual(
      [0, 1].map(bucket => times.reduce((sum, { value }) => sum + value.buckets.counts[bucket]!, 0)),
      [501, 499],
    );

    const levels = (await pointsOf('g', reader)) as DataPoint<number>[];
    assert.equal(levels.length, limit);
    assert.equal(levels.find(isOverflow)!.value, 999, 'the last one');
  }
});

test('observable instruments are held to the limit too', async () => {
  boundSdkSeries(limit);
  const { meter, pointsOf } = sdk();
  let next = 0;
  meter.createObservableGauge('g').addCallback(result => {
    for (const end = next + 60; next < end; next++) result.observe(next, { next });
  });
  for (let i = 0; i < 20; i++) await pointsOf('g');
  const points = await pointsOf('g');
  assert.equal(points.length, limit);
  assert.equal(points.filter(isOverflow).length, 1);
});

test('a million values of a label cost our registry the limit, and no measurement is lost', async () => {
  const bomb = metric('test', 'vitals.test.bomb', 'counter', '{value}', 'bomb', {
    attributes: [attribute('a', 'a', { bound: 'none' }), attribute('b', 'b', { bound: 'none' })],
  });
  const registry = new MetricRegistry(2000, error => assert.fail(String(error)));
  const producer = createProducer(registry, { name: 'test', version: '1' });
  const counter = registry.instrument(bomb);
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 1_000_000; i++) {
    counter.with({ a: `value ${i}`, b: i % 3 }).add();
    if (i % 100_000 === 0) await producer.collect();
  }
  assert.ok(process.memoryUsage().heapUsed - before < 64 * 2 ** 20);
  assert.equal(registry.series, 2000);
  assert.equal(registry.overflowed, 1_000_000 - 1999);
  const { bytes } = writeBytes((await producer.collect()).resourceMetrics, 'text');
  const samples = samplesOf(parse(bytes, 'text'));
  assert.equal(samples.length, 2000);
  assert.equal(
    samples.reduce((sum, { value }) => sum + value, 0),
    1_000_000,
  );
  assert.equal(
    samples.find(({ labels }) => labels['otel_metric_overflow'] === 'true')!.value,
    1_000_000 - 1999,
  );
});
