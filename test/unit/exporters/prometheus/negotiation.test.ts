import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseFormat, wantsGzip } from '../../../../exporters/prometheus/negotiation';

const prometheus2 =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const prometheus3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1';
const nativeHistograms =
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';

const accepts: readonly [accept: string | undefined, format: 'text' | 'openmetrics', why: string][] = [
  [undefined, 'text', 'nothing is asked for'],
  ['', 'text', 'nothing is asked for'],
  ['*/*', 'text', 'curl takes anything'],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'text', 'a browser'],
  [prometheus2, 'openmetrics', 'Prometheus 2'],
  [prometheus3, 'openmetrics', 'Prometheus 3'],
  [nativeHistograms, 'openmetrics', 'Prometheus with native histograms, which there are none of'],
  ['text/plain;version=0.0.4', 'text', 'Prometheus held to the text format'],
  ['application/openmetrics-text', 'openmetrics', 'any version'],
  [
    'APPLICATION/OpenMetrics-Text ; Version="1.0.0" ; Charset=UTF-8',
    'openmetrics',
    'case and quotes do not matter',
  ],
  ['application/openmetrics-text;version=0.0.1', 'text', 'a version there is none of'],
  ['application/openmetrics-text;version=2.0.0,text/plain;q=0.1', 'text', 'a version there is none of'],
  ['application/openmetrics-text;q=0.4,text/plain;q=0.5', 'text', 'the greater weight'],
  ['application/openmetrics-text;q=0.5,text/plain;q=0.4', 'openmetrics', 'the greater weight'],
  ['text/plain,application/openmetrics-text', 'text', 'of equal ones the first'],
  ['application/openmetrics-text,text/plain', 'openmetrics', 'of equal ones the first'],
  ['*/*,application/openmetrics-text', 'openmetrics', 'what is named beats anything'],
  ['application/*,text/plain;q=0.9', 'openmetrics', 'a range of types'],
  ['application/openmetrics-text;q=0,*/*', 'text', 'a weight of zero'],
  ['application/openmetrics-text;q=0.0', 'text', 'a weight of zero, and nothing else'],
  ['text/plain;q=0,application/openmetrics-text;q=0.001', 'openmetrics', 'a weight of zero for the default'],
  [
    'application/openmetrics-text;q=0,application/openmetrics-text;version=1.0.0;q=0.8,text/plain;q=0.5',
    'openmetrics',
    'the most exact range counts',
  ],
  ['application/json', 'text', 'whoever accepts neither gets the default'],
  ['application/openmetrics-text;q=nonsense', 'openmetrics', 'a weight that is no number is none'],
  [';;;,,, ;q=1,=,application', 'text', 'nonsense'],
  [`${'x,'.repeat(100_000)}application/openmetrics-text`, 'text', 'a header without end'],
];
for (const [accept, format, why] of accepts) {
  test(`${format} for ${accept === undefined ? 'no Accept' : JSON.stringify(accept.slice(0, 60))}: ${why}`, () => {
    assert.equal(chooseFormat(accept), format);
  });
}

const encodings: readonly [acceptEncoding: string | undefined, gzip: boolean][] = [
  [undefined, false],
  ['', false],
  ['gzip', true],
  ['GZIP', true],
  ['x-gzip', true],
  ['deflate, gzip;q=1.0, *;q=0.5', true],
  ['gzip, deflate, br, zstd', true],
  ['br, zstd', false],
  ['identity', false],
  ['gzip;q=0', false],
  ['gzip;q=0.000', false],
  ['gzip;q=0, *', false],
  ['*', true],
  ['*;q=0', false],
  ['identity;q=1, gzip;q=0.5', false],
  ['identity;q=0.5, gzip;q=0.5', true],
  ['gzip;q=0.5', true],
  ['gzipped', false],
];
for (const [acceptEncoding, gzip] of encodings) {
  test(`${gzip ? 'gzip' : 'no gzip'} for Accept-Encoding: ${acceptEncoding ?? 'none'}`, () => {
    assert.equal(wantsGzip(acceptEncoding), gzip);
  });
}
