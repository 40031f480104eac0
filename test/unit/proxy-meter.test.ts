import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Observable } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { createProxyProvider } from '../../instrumentation/proxy-meter';

function realProvider() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  return {
    provider,
    /** Values (of histograms the counts) by name, of a new collection. */
    async values(): Promise<Record<string, unknown[]>> {
      exporter.reset();
      await reader.forceFlush();
      const metrics = exporter
        .getMetrics()
        .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(s => s.metrics));
      return Object.fromEntries(
        metrics.map(({ descriptor, dataPoints }) => [
          descriptor.name,
          dataPoints.map(({ value }) => (typeof value === 'object' ? value.count : value)),
        ]),
      );
    },
    stop: () => provider.shutdown(),
  };
}

test('measurements of every kind of instrument before the start count after it', async () => {
  const proxy = createProxyProvider();
  const meter = proxy.getMeter('shop', '1.0.0');
  meter.createCounter('counter').add(2);
  meter.createUpDownCounter('updown').add(-3);
  meter.createHistogram('histogram').record(4);
  meter.createGauge('gauge').record(5);
  meter.createObservableCounter('total').addCallback(result => result.observe(6));
  meter.createObservableUpDownCounter('level').addCallback(result => result.observe(7));
  meter.createObservableGauge('reading').addCallback(result => result.observe(8));
  const real = realProvider();
  proxy.connect(real.provider);
  assert.deepEqual(await real.values(), {
    counter: [2],
    updown: [-3],
    histogram: [1],
    gauge: [5],
    total: [6],
    level: [7],
    reading: [8],
  });
  await real.stop();
});

test('the instruments of before go on working after the start, and later meters are the real ones', async () => {
  const proxy = createProxyProvider();
  const meter = proxy.getMeter('shop');
  const counter = meter.createCounter('counter');
  counter.add(1);
  const real = realProvider();
  proxy.connect(real.provider);
  counter.add(2);
  meter.createCounter('later').add(3);
  proxy.getMeter('other').createCounter('newest').add(4);
  assert.deepEqual(await real.values(), { counter: [3], later: [3], newest: [4] });
  await real.stop();
});

test('callbacks that were taken back before the start stay away, and can be taken back after it', async () => {
  const proxy = createProxyProvider();
  const meter = proxy.getMeter('shop');
  const gauge = meter.createObservableGauge('gauge');
  const gone = (result: { observe(value: number): void }) => result.observe(1);
  gauge.addCallback(gone);
  gauge.removeCallback(gone);
  const both = [gauge, meter.createObservableGauge('second')] as const;
  let calls = 0;
  const batch = (result: { observe(of: Observable, value: number): void }) => {
    calls++;
    result.observe(both[0], 10);
    result.observe(both[1], 20);
  };
  meter.addBatchObservableCallback(batch, [...both]);
  const real = realProvider();
  proxy.connect(real.provider);
  assert.deepEqual(await real.values(), { gauge: [10], second: [20] });
  meter.removeBatchObservableCallback(batch, [...both]);
  await real.values();
  assert.equal(calls, 1);
  await real.stop();
});

test('a start that never comes costs bounded memory: measurements past 10,000 are lost', async () => {
  const proxy = createProxyProvider();
  const counter = proxy.getMeter('shop').createCounter('counter');
  for (let i = 0; i < 12_000; i++) counter.add(1);
  const real = realProvider();
  proxy.connect(real.provider);
  counter.add(1);
  assert.deepEqual(await real.values(), { counter: [10_001] });
  await real.stop();
});
