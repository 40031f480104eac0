import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attributes } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AggregationTemporality, type MetricData, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import fc from 'fast-check';
import type { Format } from '../../../../exporters/prometheus/formats';
import { wellFormed } from '../../../../exporters/prometheus/labels';
import { createSerializer } from '../../../../exporters/prometheus/serializer';
import { parse, samplesOf, writeBytes } from '../../../helpers/exposition/write';
import {
  counter,
  exponentialHistogram,
  gauge,
  histogram,
  resourceMetrics,
  upDownCounter,
} from '../../../helpers/metric-data';

const formats: readonly Format[] = ['text', 'openmetrics'];

const text = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  fc.constantFrom(
    '',
    ' ',
    '\\',
    '"',
    '\n',
    '\\n',
    '\\"',
    '\ud800',
    '\udc00x',
    '}',
    '{',
    '# EOF',
    '\r\n',
    '\u2028',
    '\0',
    'x"} 1\n# EOF\n',
  ),
  fc.constant('long '.repeat(400)),
  fc.constant('\u{1f600}'.repeat(300)),
);
/** Few and alike, so that they meet. */
const name = fc.oneof(
  fc.constantFrom(
    'a',
    'a.b',
    'a_b',
    'a.total',
    'a.bucket',
    'a.sum',
    'a.count',
    'a.created',
    'a.info',
    'target',
    'target.info',
    'a_seconds',
  ),
  text,
);
const key = fc.oneof(
  fc.constantFrom('a', 'a.b', 'a_b', 'a-b', 'le', 'exported.le', '__name__', 'quantile', '1', ''),
  text,
);
const unit = fc.oneof(fc.constantFrom('', 's', 'By', '1', 'By/s', '{thing}', 'seconds', '%'), text);
const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(0, -0, -1, Number.NaN, Infinity, -Infinity, 5e-324, Number.MAX_VALUE, 2 ** 53, 1e21),
);
const value = fc.oneof(
  text,
  number,
  fc.boolean(),
  fc.array(text, { maxLength: 3 }),
  fc.constant(undefined),
  fc.constant(null),
);
const attributes = fc.dictionary(key, value, { maxKeys: 5 }) as fc.Arbitrary<Attributes>;
const points = fc.array(fc.tuple(number, attributes), { maxLength: 6 });
const described = fc.record({
  unit,
  description: text,
  temporality: fc.constantFrom(
    AggregationTemporality.CUMULATIVE,
    AggregationTemporality.CUMULATIVE,
    AggregationTemporality.DELTA,
  ),
});
const exemplar = fc.option(fc.record({ value: number, timestampMs: number, traceId: text, spanId: text }), {
  nil: undefined,
});
const boundaries = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .uniqueArray(fc.double({ noNaN: true }), { maxLength: 6 })
      .map(list => list.sort((a, b) => a - b)),
  },
  fc.array(number, { maxLength: 5 }),
);
const histogramPoint = boundaries.chain(own =>
  fc.record({
    boundaries: fc.constant(own),
    counts: fc.oneof(
      {
        weight: 4,
        arbitrary: fc.array(fc.nat(1000), { minLength: own.length + 1, maxLength: own.length + 1 }),
      },
      fc.array(number, { maxLength: 7 }),
    ),
    sum: fc.option(number, { nil: undefined }),
    attributes,
    exemplars: fc.array(exemplar, { minLength: own.length + 1, maxLength: own.length + 1 }),
  }),
);
const metric: fc.Arbitrary<MetricData> = fc.oneof(
  fc.tuple(name, points, described).map(args => counter(...args)),
  fc.tuple(name, points, described).map(args => upDownCounter(...args)),
  fc.tuple(name, points, described).map(args => gauge(...args)),
  fc.tuple(name, fc.array(histogramPoint, { maxLength: 4 }), described).map(args => histogram(...args)),
  name.map(exponentialHistogram),
);
const hostile: fc.Arbitrary<ResourceMetrics> = fc
  .tuple(fc.dictionary(text, fc.array(metric, { maxLength: 5 }), { maxKeys: 3 }), attributes)
  .map(([scopes, resource]) => resourceMetrics(scopes, resourceFromAttributes(resource)));

/** The same metrics in new objects. */
const copy = (metrics: ResourceMetrics): ResourceMetrics => ({
  ...metrics,
  scopeMetrics: metrics.scopeMetrics.map(({ scope, metrics: own }) => ({
    scope: { ...scope },
    metrics: own.map(
      data =>
        ({
          ...data,
          dataPoints: data.dataPoints.map(point => ({ ...point, attributes: { ...point.attributes } })),
        }) as MetricData,
    ),
  })),
});

for (const format of formats) {
  for (const scopeLabels of [false, true]) {
    test(`whatever comes, ${format} ${scopeLabels ? 'with scopes ' : ''}is an exposition by the strict rules, and the same again`, () => {
      fc.assert(
        fc.property(hostile, metrics => {
          const serializer = createSerializer({ scopeLabels });
          const first = writeBytes(metrics, format, serializer);
          const families = parse(first.bytes, format);
          assert.equal(samplesOf(families).length, first.samples);
          assert.deepEqual(writeBytes(metrics, format, serializer), first, 'from what it remembers');
          assert.deepEqual(writeBytes(copy(metrics), format, serializer), first, 'of equal attributes');
        }),
        { numRuns: 120 },
      );
    });
  }
}

test('both formats hold the same samples', () => {
  fc.assert(
    fc.property(hostile, metrics => {
      const [plain, open] = formats.map(format =>
        samplesOf(parse(writeBytes(metrics, format).bytes, format)).map(
          ({ name: own, labels, value: number }) => [own, { ...labels }, number],
        ),
      );
      assert.deepEqual(open, plain);
    }),
    { numRuns: 120 },
  );
});

/** Equal to both formats: zero has no sign. */
const same = (a: number | undefined, b: number | undefined): boolean =>
  Object.is(a, b) || (a === 0 && b === 0);
/** What a label keeps of a text. */
const kept = (labels: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(labels)
      .filter(([, own]) => own !== '')
      .map(([k, own]) => [k, wellFormed(own)]),
  );

test('what is read back of counters and gauges is what was put in', () => {
  const plainKey = fc.constantFrom('alpha', 'beta', 'gamma');
  const own = fc.array(fc.tuple(number, fc.dictionary(plainKey, text)), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(
      fc.constantFrom<'counter' | 'gauge'>('counter', 'gauge'),
      own,
      text,
      (kind, put, description) => {
        const make = kind === 'counter' ? counter : gauge;
        const expected = new Map<string, number>();
        for (const [number, labels] of put) {
          const series = JSON.stringify(Object.entries(kept(labels)).sort());
          if (!expected.has(series)) expected.set(series, number);
        }
        for (const format of formats) {
          const { bytes } = writeBytes(resourceMetrics([make('x', put, { description })]), format);
          const families = parse(bytes, format);
          const family = families.get(kind === 'counter' && format === 'text' ? 'x_total' : 'x')!;
          assert.equal(family.type, kind);
          const help = description.trim() === '' ? '' : wellFormed(description);
          assert.equal(family.help ?? '', format === 'text' ? help.replace(/^[ \t]+|[ \t]+$/g, '') : help);
          const read = new Map(
            family.samples.map(s => [JSON.stringify(Object.entries(s.labels).sort()), s.value]),
          );
          for (const [series, number] of expected) {
            // A counter that falls or is no number is none.
            if (kind === 'counter' && !(number >= 0)) assert.ok(!read.has(series));
            else assert.ok(same(read.get(series), number), `${series} ${number} ${read.get(series)}`);
          }
          assert.ok([...read.keys()].every(series => expected.has(series)));
        }
      },
    ),
    { numRuns: 120 },
  );
});

test('what is read back of a histogram is what was put in, exemplars included', () => {
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 });
  const point = fc
    .uniqueArray(finite, { maxLength: 8, selector: bound => (bound === 0 ? 0 : bound) })
    .map(list => list.sort((a, b) => a - b))
    .chain(own => {
      const length = { minLength: own.length + 1, maxLength: own.length + 1 };
      const id = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 1, maxLength: 32 });
      return fc.record({
        boundaries: fc.constant(own),
        counts: fc.array(fc.nat(1e9), length),
        sum: finite,
        attributes: fc.dictionary(fc.constantFrom('alpha', 'beta'), text),
        exemplars: fc.array(
          fc.option(fc.record({ value: finite, timestampMs: fc.nat(2e12), traceId: id, spanId: id }), {
            nil: undefined,
          }),
          length,
        ),
      });
    });
  fc.assert(
    fc.property(point, put => {
      for (const format of formats) {
        const { bytes } = writeBytes(resourceMetrics([histogram('x', [put])]), format);
        const { samples } = parse(bytes, format).get('x')!;
        const buckets = samples.filter(({ name: own }) => own === 'x_bucket');
        assert.deepEqual(
          buckets.map(({ labels }) => (labels['le'] === '+Inf' ? Infinity : Number(labels['le']))),
          [...put.boundaries.map(bound => bound + 0), Infinity],
        );
        let total = 0;
        assert.deepEqual(
          buckets.map(({ value: own }) => own),
          put.counts.map(count => (total += count)),
        );
        assert.ok(same(samples.find(({ name: own }) => own === 'x_sum')?.value, put.sum));
        assert.equal(samples.find(({ name: own }) => own === 'x_count')?.value, total);
        for (const [i, { exemplar: read, labels }] of buckets.entries()) {
          const { le, ...rest } = labels;
          assert.deepEqual(rest, kept(put.attributes));
          const own = put.exemplars[i];
          if (format === 'text' || own === undefined || own.value > (put.boundaries[i] ?? Infinity)) {
            assert.equal(read, undefined);
            continue;
          }
          assert.ok(same(read!.value, own.value));
          assert.deepEqual({ ...read!.labels }, { trace_id: own.traceId, span_id: own.spanId });
          assert.ok(Math.abs(read!.timestamp! - own.timestampMs / 1000) < 0.001);
        }
      }
    }),
    { numRuns: 120 },
  );
});

test('what is remembered of earlier scrapes never shows: series come, go, move and are renamed', () => {
  const sets: Attributes[] = Array.from({ length: 12 }, (_, i) => ({ route: `/r${i % 9}`, n: i }));
  const step = fc.record({
    order: fc.shuffledSubarray(sets),
    fresh: fc.boolean(),
    name: fc.constantFrom('x', 'y'),
    kind: fc.constantFrom('counter', 'gauge', 'histogram'),
    format: fc.constantFrom(...formats),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), steps => {
      const serializer = createSerializer();
      for (const { order, fresh, name: own, kind, format } of steps) {
        const used = order.map(set => (fresh ? { ...set } : set));
        const make = kind === 'counter' ? counter : gauge;
        const metrics = resourceMetrics([
          kind === 'histogram'
            ? histogram(
                own,
                used.map((set, i) => ({ boundaries: [1], counts: [i, 1], sum: i, attributes: set })),
              )
            : make(
                own,
                used.map((set, i) => [i, set] as const),
              ),
          gauge(
            'steady',
            sets.map((set, i) => [i, set] as const),
          ),
        ]);
        assert.deepEqual(
          writeBytes(metrics, format, serializer),
          writeBytes(metrics, format, createSerializer()),
        );
      }
    }),
    { numRuns: 120 },
  );
});

test('scrapes that are written at the same time do not mix', () => {
  const scrape = fc.tuple(hostile, fc.constantFrom(...formats));
  fc.assert(
    fc.property(
      fc.array(scrape, { minLength: 2, maxLength: 4 }),
      fc.infiniteStream(fc.nat(3)),
      (scrapes, turns) => {
        const serializer = createSerializer();
        const expected = scrapes.map(([metrics, format]) => writeBytes(metrics, format).bytes.toString());
        const running = scrapes.map(([metrics, format]) => ({
          writing: serializer.chunks(metrics, format),
          out: [] as Buffer[],
          done: false,
        }));
        while (running.some(({ done }) => !done)) {
          const one = running[turns.next().value! % running.length]!;
          const next = one.done ? running.find(({ done }) => !done)! : one;
          const step = next.writing.next();
          if (step.done === true) next.done = true;
          else if (step.value !== undefined) next.out.push(step.value);
        }
        assert.deepEqual(
          running.map(({ out }) => Buffer.concat(out).toString()),
          expected,
        );
      },
    ),
    { numRuns: 120 },
  );
});
