import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AggregationTemporality } from '@opentelemetry/sdk-metrics';
import { writeExposition } from '../../../../exporters/prometheus/exposition';
import { createSerializer } from '../../../../exporters/prometheus/serializer';
import { parse, writeBytes, writeText } from '../../../helpers/exposition/write';
import {
  counter,
  exponentialHistogram,
  gauge,
  histogram,
  resourceMetrics,
  upDownCounter,
} from '../../../helpers/metric-data';

const delta = { temporality: AggregationTemporality.DELTA };

/** Text, with the warnings that came of it. */
function written(...args: Parameters<typeof resourceMetrics>) {
  const warnings: string[] = [];
  const serializer = createSerializer({ onWarning: message => warnings.push(message) });
  const text = writeText(resourceMetrics(...args), 'text', serializer);
  return { text, names: [...parse(Buffer.from(text), 'text').keys()], warnings };
}

test('every kind of metric, as text', () => {
  const metrics = resourceMetrics(
    [
      counter('jobs', [[3, { queue: 'mail' }], [0.5]], { description: 'Jobs "done"\nsince \\start' }),
      upDownCounter('open', [[-2]]),
      gauge('temp', [[Number.NaN], [Infinity, { at: 'sun' }]], { unit: 'Cel' }),
      histogram('time', [{ boundaries: [0.1, 1], counts: [1, 0, 2], sum: 7.5, attributes: { a: 'b' } }], {
        unit: 's',
      }),
    ],
    resourceFromAttributes({ 'service.name': 'shop' }),
  );
  assert.equal(
    writeText(metrics),
    [
      '# HELP target_info Target metadata',
      '# TYPE target_info gauge',
      'target_info{service_name="shop"} 1',
      '# TYPE jobs_total counter',
      '# HELP jobs_total Jobs "done"\\nsince \\\\start',
      'jobs_total{queue="mail"} 3',
      'jobs_total 0.5',
      '# TYPE open gauge',
      'open -2',
      '# TYPE temp_celsius gauge',
      'temp_celsius NaN',
      'temp_celsius{at="sun"} +Inf',
      '# TYPE time_seconds histogram',
      'time_seconds_bucket{a="b",le="0.1"} 1',
      'time_seconds_bucket{a="b",le="1.0"} 1',
      'time_seconds_bucket{a="b",le="+Inf"} 3',
      'time_seconds_sum{a="b"} 7.5',
      'time_seconds_count{a="b"} 3',
      '',
    ].join('\n'),
  );
});

test('every kind of metric, as OpenMetrics, with units and exemplars', () => {
  const exemplar = { value: 0.3, timestampMs: 1_700_000_000_123, traceId: 'ab', spanId: 'cd' };
  const metrics = resourceMetrics(
    [
      counter('jobs', [[3]], { unit: 'By', description: 'Jobs "done"' }),
      gauge('plain', [[1]], { description: ' ' }),
      histogram(
        'time',
        [{ boundaries: [0.1, 1], counts: [1, 2, 0], sum: 2, exemplars: [undefined, exemplar, undefined] }],
        {
          unit: 's',
        },
      ),
    ],
    resourceFromAttributes({ 'service.name': 'shop' }),
  );
  assert.equal(
    writeText(metrics, 'openmetrics'),
    [
      '# HELP target Target metadata',
      '# TYPE target info',
      'target_info{service_name="shop"} 1',
      '# TYPE jobs_bytes counter',
      '# UNIT jobs_bytes bytes',
      '# HELP jobs_bytes Jobs \\"done\\"',
      'jobs_bytes_total 3',
      '# TYPE plain gauge',
      'plain 1',
      '# TYPE time_seconds histogram',
      '# UNIT time_seconds seconds',
      'time_seconds_bucket{le="0.1"} 1',
      'time_seconds_bucket{le="1.0"} 3 # {trace_id="ab",span_id="cd"} 0.3 1700000000.123',
      'time_seconds_bucket{le="+Inf"} 3',
      'time_seconds_sum 2',
      'time_seconds_count 3',
      '# EOF',
      '',
    ].join('\n'),
  );
});

test('no metrics at all are an exposition too', () => {
  assert.equal(writeText(resourceMetrics([])), '');
  assert.equal(writeText(resourceMetrics([]), 'openmetrics'), '# EOF\n');
});

test('exemplars that the format does not allow are left out, and their buckets stay', () => {
  const at = { timestampMs: 1000, traceId: 'a', spanId: 'b' };
  const exemplars = [
    { ...at, value: 5 },
    { ...at, value: Number.NaN },
    { ...at, value: 2, traceId: 'x'.repeat(200) },
    { ...at, value: -1, timestampMs: Number.NaN },
  ];
  const metrics = resourceMetrics([
    histogram('h', [{ boundaries: [1, 2, 3], counts: [1, 1, 1, 1], sum: 9, exemplars }]),
  ]);
  const { bytes } = writeBytes(metrics, 'openmetrics');
  const { samples } = parse(bytes, 'openmetrics').get('h')!;
  assert.deepEqual(
    samples.map(({ exemplar }) => exemplar?.value),
    [undefined, undefined, undefined, -1, undefined, undefined],
  );
  assert.equal(samples[3]!.exemplar!.timestamp, undefined);
  assert.doesNotMatch(writeText(metrics), /# \{/);
});

test('what neither format can express is left out with a warning, and only that', () => {
  const { names, warnings } = written([
    counter('delta', [[1]], delta),
    histogram('delta.time', [{ boundaries: [1], counts: [1, 1] }], delta),
    exponentialHistogram('exponential'),
    gauge('...', [[1]]),
    gauge('fine', [[1]]),
  ]);
  assert.deepEqual(names, ['fine']);
  assert.equal(warnings.length, 4);
  for (const word of ['"delta"', '"delta.time"', '"exponential"', '"..."']) {
    assert.ok(
      warnings.some(warning => warning.includes(word)),
      word,
    );
  }
});

test('points that are no counter or histogram are left out, and those beside them stay', () => {
  const metrics = resourceMetrics([
    counter('jobs', [
      [-1, { a: '1' }],
      [Number.NaN, { a: '2' }],
      [2, { a: '3' }],
    ]),
    histogram('h', [
      { boundaries: [2, 1], counts: [1, 1, 1], sum: 1, attributes: { a: 'falling' } },
      { boundaries: [1, Number.NaN], counts: [1, 1, 1], sum: 1, attributes: { a: 'nan' } },
      { boundaries: [1, 2], counts: [1, -1, 1], sum: 1, attributes: { a: 'negative' } },
      { boundaries: [1, 2], counts: [1, 1], sum: 1, attributes: { a: 'short' } },
      { boundaries: [1, 2], counts: [1, 1, 0.5], sum: 1, attributes: { a: 'half' } },
      { boundaries: [1, 2], counts: [], sum: 1, attributes: { a: 'empty' } },
      { boundaries: [1, 2], counts: [1, 1, 1], sum: 4, attributes: { a: 'good' } },
    ]),
  ]);
  const warnings: string[] = [];
  const serializer = createSerializer({ onWarning: message => warnings.push(message) });
  const { bytes, samples } = writeBytes(metrics, 'text', serializer);
  const families = parse(bytes, 'text');
  assert.deepEqual(
    families.get('jobs_total')!.samples.map(({ labels }) => labels['a']),
    ['3'],
  );
  assert.deepEqual(new Set(families.get('h')!.samples.map(({ labels }) => labels['a'])), new Set(['good']));
  assert.equal(samples, 6);
  assert.equal(warnings.length, 2);
  writeBytes(metrics, 'text', serializer);
  assert.equal(warnings.length, 2, 'each is said once');
});

test('a histogram whose sum is no counter shows none', () => {
  const sums = (boundaries: number[], sum: number | undefined) =>
    writeText(resourceMetrics([histogram('h', [{ boundaries, counts: [1, 1], sum }])])).match(
      /_sum .*|_count .*/g,
    );
  assert.deepEqual(sums([1], 3), ['_sum 3', '_count 2']);
  assert.deepEqual(sums([1], -3), ['_count 2']);
  assert.deepEqual(sums([1], Number.NaN), ['_count 2']);
  assert.deepEqual(sums([1], undefined), ['_count 2']);
  assert.deepEqual(sums([-1], 3), ['_count 2']);
});

test('infinity among the boundaries is the last bucket, once', () => {
  const text = writeText(
    resourceMetrics([histogram('h', [{ boundaries: [1, Infinity], counts: [1, 2, 0], sum: 3 }])]),
  );
  assert.deepEqual(text.match(/le="[^"]+"\} \d+/g), ['le="1.0"} 1', 'le="+Inf"} 3']);
});

test('a histogram without boundaries has one bucket', () => {
  const text = writeText(resourceMetrics([histogram('h', [{ boundaries: [], counts: [4], sum: 3 }])]));
  assert.equal(text, '# TYPE h histogram\nh_bucket{le="+Inf"} 4\nh_sum 3\nh_count 4\n');
});

test('metrics of one name from several scopes become one family, the first of equal series shown', () => {
  const { text, warnings } = written({
    one: [
      counter(
        'jobs',
        [
          [1, { a: '1' }],
          [2, { a: '2' }],
        ],
        { description: 'first' },
      ),
    ],
    two: [
      counter(
        'jobs',
        [
          [5, { a: '2' }],
          [6, { a: '3' }],
        ],
        { description: 'second' },
      ),
    ],
  });
  assert.equal(
    text,
    '# TYPE jobs_total counter\n# HELP jobs_total first\njobs_total{a="1"} 1\njobs_total{a="2"} 2\njobs_total{a="3"} 6\n',
  );
  assert.equal(warnings.length, 2, 'of the descriptions and of the equal series');
});

test('scopes tell series apart where they are labels', () => {
  const serializer = createSerializer({ scopeLabels: true });
  const metrics = resourceMetrics({
    one: [counter('jobs', [[1]])],
    'two"': [counter('jobs', [[2, { otel_scope_name: 'x' }]])],
  });
  const { samples } = parse(writeBytes(metrics, 'text', serializer).bytes, 'text').get('jobs_total')!;
  assert.deepEqual(
    samples.map(({ labels, value }) => [{ ...labels }, value]),
    [
      [{ otel_scope_name: 'one', otel_scope_version: '1.0.0' }, 1],
      [{ exported_otel_scope_name: 'x', otel_scope_name: 'two"', otel_scope_version: '1.0.0' }, 2],
    ],
  );
});

const conflicts: Record<string, [metrics: ReturnType<typeof gauge>[], kept: string[]]> = {
  'of another type': [[gauge('a', [[1]]), histogram('a', [{ boundaries: [], counts: [1] }])], ['a']],
  'as a counter, of the name of its family': [[counter('a', [[1]]), gauge('a', [[1]])], ['a_total']],
  'of a counter with its suffix': [[counter('a', [[1]]), gauge('a.total', [[1]])], ['a_total']],
  'of the bucket of a histogram': [
    [histogram('a', [{ boundaries: [], counts: [1] }]), gauge('a.bucket', [[1]])],
    ['a'],
  ],
  'of the count of a histogram': [
    [gauge('a.count', [[1]]), histogram('a', [{ boundaries: [], counts: [1] }])],
    ['a_count'],
  ],
  'of what OpenMetrics could add to a counter': [
    [counter('a', [[1]]), gauge('a.created', [[1]])],
    ['a_total'],
  ],
  'of target_info': [[gauge('target.info', [[1]]), gauge('target', [[1]])], ['target_info']],
};
for (const [what, [metrics, kept]] of Object.entries(conflicts)) {
  test(`of two metrics of one name, ${what}, the first is kept`, () => {
    const { names, warnings } = written(
      metrics,
      resourceFromAttributes(/target/.test(what) ? { a: 'b' } : {}),
    );
    assert.deepEqual(names, kept);
    assert.ok(warnings.length > 0);
  });
}

test('names that only look alike are no conflict', () => {
  const { names, warnings } = written([
    counter('pool', [[1]]),
    counter('pool.created', [[1]]),
    gauge('pool.size', [[1]]),
    histogram('pool.time', [{ boundaries: [], counts: [1], sum: 1 }]),
    counter('pool.time.count', [[1]]),
  ]);
  assert.deepEqual(names, [
    'pool_total',
    'pool_created_total',
    'pool_size',
    'pool_time',
    'pool_time_count_total',
  ]);
  assert.deepEqual(warnings, []);
});

test('a large exposition comes in pieces, lets the event loop run, and loses nothing', async () => {
  const points = Array.from({ length: 20_000 }, (_, i) => [i, { i, text: 'x'.repeat(50) }] as const);
  const metrics = resourceMetrics([gauge('many', points)]);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const { chunks, bytes, samples } = await writeExposition(createSerializer(), metrics, 'text');
  clearInterval(timer);
  const whole = Buffer.concat(chunks);
  assert.equal(whole.length, bytes);
  assert.equal(samples, 20_000);
  assert.ok(chunks.length > 10);
  assert.ok(turns >= 3, `${turns} turns`);
  const values = parse(whole, 'text')
    .get('many')!
    .samples.map(({ value }) => value);
  assert.deepEqual(
    values,
    points.map(([value]) => value),
  );
});

test('lines are whole where one piece of memory ends and the next begins, however long they are', () => {
  const id = '\u{1f600}'.repeat(53);
  // Three bytes for each unit of UTF-16, the most there are.
  const text = (i: number): string => '温'.repeat(i % 97);
  const lowest = -2.2250738585072014e-308;
  const exemplar = { value: lowest, timestampMs: 1_700_000_000_123, traceId: id, spanId: id };
  const metrics = resourceMetrics([
    gauge(
      'g',
      Array.from({ length: 3000 }, (_, i) => [lowest, { i, text: text(i) }] as const),
    ),
    histogram(
      'h',
      Array.from({ length: 1000 }, (_, i) => ({
        boundaries: [1e-300, 2 ** 0.5],
        counts: [2 ** 50 + i, 2 ** 51, 1],
        sum: Number.MAX_VALUE,
        attributes: { i, text: text(i) },
        exemplars: [exemplar, exemplar, exemplar],
      })),
    ),
  ]);
  const families = parse(writeBytes(metrics, 'openmetrics').bytes, 'openmetrics');
  for (const [i, { value, labels }] of families.get('g')!.samples.entries()) {
    assert.deepEqual([value, labels['text'] ?? ''], [lowest, text(i)]);
  }
  const buckets = families.get('h')!.samples.filter(({ name }) => name === 'h_bucket');
  assert.equal(buckets.length, 3000);
  for (const [i, { value, exemplar: read }] of buckets.entries()) {
    assert.equal(value, 2 ** 50 + Math.floor(i / 3) + [0, 2 ** 51, 2 ** 51 + 1][i % 3]!);
    assert.equal(read!.labels['span_id'], id);
  }
});
