import { AggregationTemporality, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { attribute, metric } from '../instrumentation/catalogue/define';
import { MetricRegistry } from '../instrumentation/metrics/registry';
import { measure } from './micro';
import type { BenchResult } from './types';

/** Reads nothing: what is measured is the cost of a measurement. */
class IdleReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

const bound = { bound: 'the benchmark' };
const attributes = [
  attribute('http.request.method', 'Request method', bound),
  attribute('http.response.status_code', 'Status code of the response', bound),
  attribute('http.route', "The framework's route pattern", bound),
] as const;
const buckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** One measurement with three attributes: a cell that the code keeps, a cell that it looks up, and OpenTelemetry's. */
export async function run(): Promise<BenchResult[]> {
  const registry = new MetricRegistry(2000, error => {
    throw error;
  });
  const requests = registry.instrument(
    metric('bench', 'vitals.bench.requests', 'counter', '{request}', 'Requests', { attributes }),
  );
  const durations = registry.instrument(
    metric('bench', 'vitals.bench.duration', 'histogram', 's', 'Durations', { attributes, buckets }),
  );
  const meter = new MeterProvider({
    readers: [new IdleReader({ aggregationTemporalitySelector: () => AggregationTemporality.CUMULATIVE })],
  }).getMeter('bench');
  const counter = meter.createCounter('bench.requests');
  const histogram = meter.createHistogram('bench.duration', {
    advice: { explicitBucketBoundaries: buckets },
  });

  // Ten series that take turns, and values over all buckets.
  const series = Array.from({ length: 10 }, (_, i) => ({
    'http.request.method': i % 2 === 0 ? 'GET' : 'POST',
    'http.response.status_code': 200 + (i % 3),
    'http.route': `/items/${i}`,
  }));
  const counterCells = series.map(one => requests.with(one));
  const histogramCells = series.map(one => durations.with(one));
  const value = (i: number): number => (i % 1000) / 500;
  const each = (work: (i: number) => void) => (n: number) => {
    for (let i = 0; i < n; i++) work(i);
  };
  const ns = await measure({
    add: each(i => counterCells[i % 10]!.add()),
    record: each(i => histogramCells[i % 10]!.record(value(i))),
    withAdd: each(i => requests.with(series[i % 10]!).add()),
    withRecord: each(i => durations.with(series[i % 10]!).record(value(i))),
    otelAdd: each(i => counter.add(1, series[i % 10]!)),
    otelRecord: each(i => histogram.record(value(i), series[i % 10]!)),
  });
  const row = (name: string, ours: number, peer: number, peerName: string, goal: number): BenchResult => ({
    name,
    ours,
    peer,
    peerName,
    unit: 'ns',
    ratio: ours / peer,
    goal: `<= ${goal}`,
    met: ours / peer <= goal,
  });
  return [
    row('counter, cell kept', ns.add, ns.otelAdd, 'sdk-metrics counter.add', 0.05),
    row('counter, cell looked up', ns.withAdd, ns.otelAdd, 'sdk-metrics counter.add', 0.2),
    row('histogram, cell kept', ns.record, ns.otelRecord, 'sdk-metrics histogram.record', 0.05),
    row('histogram, cell looked up', ns.withRecord, ns.otelRecord, 'sdk-metrics histogram.record', 0.2),
  ];
}
