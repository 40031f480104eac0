import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOpenMetrics } from '../helpers/exposition/openmetrics';
import { parseText } from '../helpers/exposition/text';
import { ExpositionError } from '../helpers/exposition/types';

// The parsers judge what the exporter writes, so they are judged first: by hand-written input, good and bad.

const refuses = (parse: (input: string | Uint8Array) => unknown, input: string | Uint8Array, why: RegExp) =>
  assert.throws(
    () => parse(input),
    (error: unknown) => error instanceof ExpositionError && why.test(error.message),
    String(input),
  );

test("the text parser reads the specification's own example", () => {
  const families = parseText(
    [
      '# HELP http_requests_total The total number of HTTP requests.',
      '# TYPE http_requests_total counter',
      'http_requests_total{method="post",code="200"} 1027 1395066363000',
      'http_requests_total{method="post",code="400"}    3 1395066363000',
      '',
      '# Escaping in label values:',
      'msdos_file_access_time_seconds{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find file:\\n\\"FILE.TXT\\""} 1.458255915e9',
      'metric_without_timestamp_and_labels 12.47',
      'something_weird{problem="division by zero"} +Inf -3982045',
      '# TYPE http_request_duration_seconds histogram',
      'http_request_duration_seconds_bucket{le="0.05"} 24054',
      'http_request_duration_seconds_bucket{le="+Inf"} 144320',
      'http_request_duration_seconds_sum 53423',
      'http_request_duration_seconds_count 144320',
      '# TYPE rpc_duration_seconds summary',
      'rpc_duration_seconds{quantile="0.99"} 76656',
      'rpc_duration_seconds_sum 1.7560473e+07',
      'rpc_duration_seconds_count 2693',
      '',
    ].join('\n'),
  );
  assert.deepEqual(
    [...families.values()].map(({ name, type, samples }) => [name, type, samples.length]),
    [
      ['http_requests_total', 'counter', 2],
      ['msdos_file_access_time_seconds', undefined, 1],
      ['metric_without_timestamp_and_labels', undefined, 1],
      ['something_weird', undefined, 1],
      ['http_request_duration_seconds', 'histogram', 4],
      ['rpc_duration_seconds', 'summary', 3],
    ],
  );
  const [weird] = families.get('something_weird')!.samples;
  assert.equal(weird!.value, Infinity);
  assert.equal(weird!.timestamp, -3982045);
  assert.deepEqual(
    { ...families.get('msdos_file_access_time_seconds')!.samples[0]!.labels },
    { path: 'C:\\DIR\\FILE.TXT', error: 'Cannot find file:\n"FILE.TXT"' },
  );
  assert.equal(families.get('http_requests_total')!.help, 'The total number of HTTP requests.');
});

const histogram = (...lines: string[]): string => ['# TYPE h histogram', ...lines, ''].join('\n');
const bothRefuse: Record<string, [input: string | Uint8Array, why: RegExp]> = {
  'a last line without its end': ['a 1', /no line feed|EOF/],
  'bytes that are not UTF-8': [
    Buffer.from([0x61, 0x7b, 0x6c, 0x3d, 0x22, 0xff, 0x22, 0x7d, 0x20, 0x31, 0x0a]),
    /UTF-8/,
  ],
  'a surrogate half as CESU': [Buffer.from('a{l="\xed\xa0\x80"} 1\n', 'latin1'), /UTF-8/],
  'a name with a dot': ['a.b 1\n', /./],
  'a name that begins with a digit': ['1a 1\n', /name of a metric/],
  'a label with a dot': ['a{b.c="1"} 1\n', /expected "="/],
  'a label with a colon': ['a{b:c="1"} 1\n', /expected "="/],
  'a reserved label': ['a{__name__="b"} 1\n', /reserved/],
  'a label twice': ['a{b="1",b="2"} 1\n', /twice/],
  'a label without quotes': ['a{b=1} 1\n', /expected/],
  'an open label value': ['a{b="1} 1\n', /expected/],
  'an unknown escape': ['a{b="\\t"} 1\n', /no escape/],
  'labels without a comma': ['a{b="1"c="2"} 1\n', /expected , or }/],
  'a value that is no number': ['a one\n', /number/],
  'a value of JavaScript': ['a Infinity_\n', /number/],
  'a hexadecimal value': ['a 0x10\n', /number/],
  'no value': ['a{b="c"}\n', /expected/],
  'the same series twice': ['a{b="1",c="2"} 1\na{c="2",b="1"} 1\n', /twice/],
  'a family in two parts': ['a 1\nb 1\na{c="1"} 1\n', /before/],
  'a second TYPE': ['# TYPE a gauge\n# TYPE a gauge\na 1\n', /second/],
  'TYPE after the samples': ['a 1\n# TYPE a gauge\n', /after samples/],
  'an unknown type': ['# TYPE a sum\na 1\n', /no type/],
  'a histogram without +Inf': [histogram('h_bucket{le="1"} 1', 'h_sum 1', 'h_count 1'), /no \+Inf/],
  'a bucket without le': [histogram('h_bucket 1', 'h_bucket{le="+Inf"} 1'), /le=""/],
  'le that is no number': [histogram('h_bucket{le="one"} 1', 'h_bucket{le="+Inf"} 1'), /le="one"/],
  'buckets out of order': [
    histogram('h_bucket{le="2"} 1', 'h_bucket{le="1"} 1', 'h_bucket{le="+Inf"} 1'),
    /rise/,
  ],
  'bucket counts that fall': [histogram('h_bucket{le="2"} 2', 'h_bucket{le="+Inf"} 1'), /falls/],
  'a count that is not that of +Inf': [
    histogram('h_bucket{le="+Inf"} 2', 'h_sum 1', 'h_count 3'),
    /counts 3/,
  ],
  'a sum without a count': [histogram('h_bucket{le="+Inf"} 2', 'h_sum 1'), /no count/],
  'a sum beside negative buckets': [
    histogram('h_bucket{le="-1"} 0', 'h_bucket{le="+Inf"} 2', 'h_sum 1', 'h_count 2'),
    /negative/,
  ],
  'a negative sum': [histogram('h_bucket{le="+Inf"} 2', 'h_sum -1', 'h_count 2'), /sum of -1/],
  'a bare sample of a histogram': [
    histogram('h_bucket{le="+Inf"} 1', 'h_sum 1', 'h_count 1', 'h 1'),
    /before|no sample/,
  ],
};
for (const [what, [input, why]] of Object.entries(bothRefuse)) {
  test(`both parsers refuse ${what}`, () => {
    refuses(parseText, input, why);
    refuses(parseOpenMetrics, Buffer.concat([Buffer.from(input as string), Buffer.from('# EOF\n')]), why);
  });
}

const textRefuses: Record<string, [input: string, why: RegExp]> = {
  'a float as timestamp': ['a 1 1.5\n', /more after/],
  'an exemplar': ['a 1 # {} 1\n', /more after/],
  'a quote escaped in help': ['# HELP a \\"b\\"\na 1\n', /no escape/],
  "OpenMetrics's unknown type": ['# TYPE a unknown\na 1\n', /no type/],
  'a falling counter': ['# TYPE a counter\na -1\n', /counts -1/],
  'a family of the name of a bucket': [
    '# TYPE h histogram\nh_bucket{le="+Inf"} 1\n# TYPE h_bucket gauge\nh_bucket 1\n',
    /belongs to h/,
  ],
};
for (const [what, [input, why]] of Object.entries(textRefuses)) {
  test(`the text parser refuses ${what}`, () => refuses(parseText, input, why));
}

test("the OpenMetrics parser reads the specification's own examples", () => {
  const families = parseOpenMetrics(
    [
      '# TYPE acme_http_router_request_seconds summary',
      '# UNIT acme_http_router_request_seconds seconds',
      '# HELP acme_http_router_request_seconds Latency though all of ACME\'s HTTP request \\"router\\".',
      'acme_http_router_request_seconds_sum{path="/api/v1",method="GET"} 9036.32',
      'acme_http_router_request_seconds_count{path="/api/v1",method="GET"} 807283.0',
      'acme_http_router_request_seconds_created{path="/api/v1",method="GET"} 1605281325.0',
      '# TYPE foo counter',
      'foo_total 17.0 1520879607.789 # {trace_id="KOO5S4vxi0o"} 0.67 1520879607.789',
      'foo_created 1520430000.123',
      '# TYPE bar histogram',
      'bar_bucket{le="0.0"} 0',
      'bar_bucket{le="1e-05"} 0 # {} 1e-06',
      'bar_bucket{le="+Inf"} 17',
      'bar_count 17',
      'bar_sum 324789.3',
      '# TYPE target info',
      'target_info{env="prod"} 1',
      '# EOF',
      '',
    ].join('\n'),
  );
  const [total] = families.get('foo')!.samples;
  assert.equal(total!.timestamp, 1520879607.789);
  assert.deepEqual(
    { ...total!.exemplar, labels: { ...total!.exemplar!.labels } },
    {
      labels: { trace_id: 'KOO5S4vxi0o' },
      value: 0.67,
      timestamp: 1520879607.789,
    },
  );
  const request = families.get('acme_http_router_request_seconds')!;
  assert.equal(request.unit, 'seconds');
  assert.equal(request.help, 'Latency though all of ACME\'s HTTP request "router".');
});

const exemplar = (text: string): string =>
  `# TYPE h histogram\nh_bucket{le="1.0"} 1${text}\nh_bucket{le="+Inf"} 1\n# EOF\n`;
const openMetricsRefuses: Record<string, [input: string, why: RegExp]> = {
  'no end': ['a 1\n', /no # EOF/],
  'lines after the end': ['# EOF\na 1\n# EOF\n', /before the end/],
  'an empty line': ['a 1\n\n# EOF\n', /name/],
  'a comment': ['# hello\na 1\n# EOF\n', /expected HELP/],
  'two spaces': ['a  1\n# EOF\n', /number/],
  'a tab': ['a\t1\n# EOF\n', /expected/],
  'a space before labels': ['a {b="1"} 1\n# EOF\n', /number/],
  'a comma after the last label': ['a{b="1",} 1\n# EOF\n', /comma/],
  'a quote in help': ['# HELP a say "hi"\na 1\n# EOF\n', /quote/],
  'a unit that is not in the name': ['# TYPE a gauge\n# UNIT a seconds\na 1\n# EOF\n', /unit seconds/],
  'a second UNIT': ['# UNIT a_s s\n# UNIT a_s s\na_s 1\n# EOF\n', /second/],
  'a counter without _total': ['# TYPE a counter\na 1\n# EOF\n', /before|no sample/],
  'a counter that is not a number': ['# TYPE a counter\na_total NaN\n# EOF\n', /counter of NaN/],
  'a TYPE with the suffix of the counter': ['# TYPE a_total counter\na_total 1\n# EOF\n', /no sample|before/],
  'an info that is not 1': ['# TYPE a info\na_info{b="c"} 2\n# EOF\n', /info of 2/],
  'a gauge that a counter could have made': [
    '# TYPE foo counter\nfoo_total 1\n# TYPE foo_created gauge\nfoo_created 1\n# EOF\n',
    /foo_created may be of foo/,
  ],
  'a counter and a gauge of one name': [
    '# TYPE a counter\na_total 1\n# TYPE a gauge\na 1\n# EOF\n',
    /TYPE after samples/,
  ],
  'points that are mixed': [
    `# TYPE h histogram\nh_bucket{le="+Inf",a="1"} 1\nh_bucket{le="+Inf",a="2"} 1\nh_sum{a="1"} 1\nh_count{a="1"} 1\n# EOF\n`,
    /apart/,
  ],
  'a count without a sum': [
    '# TYPE h histogram\nh_bucket{le="+Inf"} 1\nh_count 1\n# EOF\n',
    /count and no sum/,
  ],
  'an exemplar on a gauge': ['# TYPE a gauge\na 1 # {} 1\n# EOF\n', /exemplar here/],
  'an exemplar on a sum': [
    '# TYPE h histogram\nh_bucket{le="+Inf"} 1\nh_sum 1 # {} 1\nh_count 1\n# EOF\n',
    /exemplar here/,
  ],
  'an exemplar without labels': [exemplar(' # 1'), /without labels/],
  'an exemplar above its bucket': [exemplar(' # {} 2'), /exemplar of 2/],
  'an exemplar with long labels': [exemplar(` # {a="${'x'.repeat(128)}"} 1`), /129 characters/],
  'an exemplar without a value': [exemplar(' # {a="b"}'), /expected/],
};
for (const [what, [input, why]] of Object.entries(openMetricsRefuses)) {
  test(`the OpenMetrics parser refuses ${what}`, () => refuses(parseOpenMetrics, input, why));
}

test('the OpenMetrics parser counts characters of an exemplar, not bytes, up to 128', () => {
  parseOpenMetrics(exemplar(` # {a="${'\u{1f600}'.repeat(127)}"} 1`));
});
