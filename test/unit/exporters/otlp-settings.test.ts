import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { retryDelayMs } from '../../../exporters/otlp/grpc-retry-info';
import { headersOf, otlpSettings, type Signal } from '../../../exporters/otlp/settings';
import { temporalityOf } from '../../../exporters/otlp/temporality';
import { loadConfig } from '../../../instrumentation/config/load';

const settingsOf = (env: Record<string, string>, signal: Signal = 'traces') =>
  otlpSettings(loadConfig(env).config, signal);

for (const [endpoint, url] of [
  [undefined, 'http://localhost:4318/v1/traces'],
  ['http://collector:4318', 'http://collector:4318/v1/traces'],
  ['http://collector:4318/', 'http://collector:4318/v1/traces'],
  ['https://gateway/otlp/', 'https://gateway/otlp/v1/traces'],
  ['https://gateway/otlp?tenant=7', 'https://gateway/otlp/v1/traces?tenant=7'],
] as const) {
  test(`traces for the endpoint ${endpoint ?? 'by default'} go to ${url}`, () => {
    const env = endpoint === undefined ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint };
    assert.equal(settingsOf(env).url.href, url);
  });
}

test('the default endpoint of gRPC is another one, and has no path', () => {
  const { url, protocol } = settingsOf({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' });
  assert.equal(protocol, 'grpc');
  assert.equal(url.href, 'http://localhost:4317/');
});

test('what is set for a signal wins over what is set for all', () => {
  const env = {
    OTEL_EXPORTER_OTLP_TIMEOUT: '5000',
    OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: '700',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    OTEL_EXPORTER_OTLP_METRICS_COMPRESSION: 'none',
    OTEL_EXPORTER_OTLP_CERTIFICATE: '/all.pem',
    OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE: '/metrics.pem',
  };
  const pick = (signal: Signal) => {
    const { timeoutMs, gzip, certificate } = settingsOf(env, signal);
    return [timeoutMs, gzip, certificate];
  };
  assert.deepEqual(pick('metrics'), [700, false, '/metrics.pem']);
  assert.deepEqual(pick('logs'), [5000, true, '/all.pem']);
});

test('credentials of the URL become a header, and a configured one goes before', () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://me:p%3Aw@collector' };
  assert.deepEqual(headersOf(settingsOf(env)), {
    authorization: `Basic ${Buffer.from('me:p:w').toString('base64')}`,
  });
  const both = settingsOf({ ...env, OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20x' });
  assert.deepEqual(headersOf(both), { authorization: 'Bearer x' });
});

test('each preference reports as changes what the specification says', () => {
  const types = [
    ...['COUNTER', 'OBSERVABLE_COUNTER', 'HISTOGRAM'],
    ...['UP_DOWN_COUNTER', 'OBSERVABLE_UP_DOWN_COUNTER', 'OBSERVABLE_GAUGE', 'GAUGE'],
  ];
  const deltas = (preference: 'cumulative' | 'delta' | 'lowmemory') =>
    types.filter(type => (temporalityOf(preference)(type as never) as number) === 0);
  assert.deepEqual(deltas('cumulative'), []);
  assert.deepEqual(deltas('delta'), ['COUNTER', 'OBSERVABLE_COUNTER', 'HISTOGRAM']);
  assert.deepEqual(deltas('lowmemory'), ['COUNTER', 'HISTOGRAM']);
});

/** A field of a protobuf message that has a length. */
const field = (number: number, value: Buffer): Buffer =>
  Buffer.concat([Buffer.from([(number << 3) | 2, value.length]), value]);
const any = (type: string, value: Buffer): Buffer =>
  Buffer.concat([field(1, Buffer.from(`type.googleapis.com/${type}`)), field(2, value)]);
const retryInfo = (...duration: number[]): Buffer =>
  any('google.rpc.RetryInfo', field(1, Buffer.from(duration)));

test('the delay of a RetryInfo is found among the details of a gRPC status', () => {
  const head = Buffer.concat([Buffer.from([8, 8]), field(2, Buffer.from('too much'))]);
  const other = field(3, any('google.rpc.DebugInfo', Buffer.from([10, 1, 65])));
  assert.equal(retryDelayMs(Buffer.concat([head, other, field(3, retryInfo(8, 2))])), 2000);
  // 500,000,000 nanoseconds.
  assert.equal(retryDelayMs(field(3, retryInfo(8, 1, 16, 0x80, 0xca, 0xb5, 0xee, 0x01))), 1500);
  assert.equal(retryDelayMs(field(3, any('google.rpc.RetryInfo', Buffer.alloc(0)))), 0);
  assert.equal(retryDelayMs(Buffer.concat([head, other])), undefined);
});

test('details that are no protobuf say nothing, whatever they are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), bytes => {
      const delay = retryDelayMs(bytes);
      assert.ok(delay === undefined || typeof delay === 'number');
    }),
  );
  const whole = field(3, retryInfo(8, 2));
  for (let cut = 1; cut < whole.length; cut++) assert.equal(retryDelayMs(whole.subarray(0, cut)), undefined);
});
