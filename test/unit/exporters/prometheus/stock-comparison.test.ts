import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import fc from 'fast-check';
import { createPrometheusReader } from '../../../../exporters/prometheus/reader';
import { parseText } from '../../../helpers/exposition/text';
import { labelKey, type ParsedFamily } from '../../../helpers/exposition/types';
import { samplesOf, writeBytes } from '../../../helpers/exposition/write';

const stock = new PrometheusSerializer('', false, undefined, false, true);

/** Types of families and values of series, with boundaries as numbers: stock spells those as JavaScript does. */
function contents(families: ReadonlyMap<string, ParsedFamily>) {
  const series = samplesOf(families).map(({ name, labels, value }) => {
    const { le, ...rest } = labels;
    const own = le === undefined ? rest : { ...rest, le: String(Number(le.replace('+Inf', 'Infinity'))) };
    return [name + labelKey(own), value + 0] as const;
  });
  return {
    types: Object.fromEntries([...families].map(([name, { type }]) => [name, type]).sort()),
    series: new Map(series.sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

const assertSame = (metrics: ResourceMetrics): void =>
  assert.deepEqual(
    contents(parseText(writeBytes(metrics, 'text').bytes)),
    contents(parseText(stock.serialize(metrics))),
  );

// Where the two agree: names without units, labels that are not empty and do not collide, values that fit their kind.
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 });
const value = fc.oneof(
  text,
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.array(text, { minLength: 1, maxLength: 2 }),
);
const attributes = fc.dictionary(fc.constantFrom('http.route', 'method', 'status_code', 'peer-name'), value);
const measurement = fc.record({
  attributes,
  amount: fc.oneof(fc.nat(), fc.double({ noNaN: true, min: 0, max: 1e12 })),
});
const measurements = fc.array(measurement, { minLength: 1, maxLength: 12 });

test('what the SDK collects comes out as the stock serializer writes it, wherever both should agree', async () => {
  await fc.assert(
    fc.asyncProperty(
      measurements,
      measurements,
      measurements,
      measurements,
      async (counts, levels, times, observed) => {
        const reader = createPrometheusReader({ metricProducers: [], cardinalityLimit: 2000 });
        const provider = new MeterProvider({ readers: [reader] });
        const meter = provider.getMeter('shop', '1.0.0');
        const counter = meter.createCounter('orders.placed', { description: 'Orders\nand "more" \\' });
        const upDown = meter.createUpDownCounter('orders-open');
        const gauge = meter.createGauge('stock_size');
        const histogram = meter.createHistogram('checkout.time', {
          advice: { explicitBucketBoundaries: [0, 0.5, 1, 1e6] },
        });
        meter.createObservableGauge('tank.level').addCallback(result => {
          for (const { attributes: own, amount } of observed) result.observe(-amount, own);
        });
        meter.createObservableCounter('ticks_total').addCallback(result => {
          for (const { attributes: own, amount } of observed) result.observe(amount, own);
        });
        for (const { attributes: own, amount } of counts) counter.add(amount, own);
        for (const { attributes: own, amount } of levels) upDown.add(-amount, own);
        for (const { attributes: own, amount } of levels) gauge.record(amount - 100, own);
        for (const { attributes: own, amount } of times) histogram.record(amount, own);
        const { resourceMetrics, errors } = await reader.collect();
        assert.deepEqual(errors, []);
        assertSame(resourceMetrics);
        await provider.shutdown();
      },
    ),
    { numRuns: 60 },
  );
});
