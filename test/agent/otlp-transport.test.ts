import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type App, folderWith } from '../helpers/app';
import { selfSigned } from '../helpers/certificate';
import { otlpEnv, startOtlpApp, urlOf } from '../helpers/otlp-app';
import { type OtlpServer, startOtlpServer } from '../helpers/otlp-server';

let server: OtlpServer;
const apps: App[] = [];

before(async () => {
  server = await startOtlpServer();
});
afterEach(async () => {
  for (const app of apps.splice(0)) {
    app.kill('SIGKILL');
    await app.exit;
  }
  await server.reset();
});
after(() => server.close());

function start(script: string, env: Record<string, string | undefined>): App {
  const app = startOtlpApp(script, { ...otlpEnv(server), OTEL_METRICS_EXPORTER: 'otlp', ...env });
  apps.push(app);
  return app;
}

/** Runs the job of the fixture, which makes one span, one count and one log record, to its end. */
async function runJob(env: Record<string, string | undefined>): Promise<string> {
  const { code, stderr } = await start('script.js', env).exit;
  assert.equal(code, 0, stderr);
  return stderr;
}

const pathsOf = (): string[] => server.requests.map(({ url }) => url).sort();

for (const protocol of ['http/protobuf', 'http/json'] as const) {
  for (const compression of ['none', 'gzip'] as const) {
    test(`every signal arrives over ${protocol} with compression ${compression}`, async () => {
      const env = { OTEL_EXPORTER_OTLP_PROTOCOL: protocol, OTEL_EXPORTER_OTLP_COMPRESSION: compression };
      assert.equal(await runJob(env), '');
      assert.deepEqual(pathsOf(), ['/v1/logs', '/v1/metrics', '/v1/traces']);
      const { traces, metrics, logs } = server.received;
      assert.equal(traces[0]!.name, 'job');
      assert.equal(metrics.find(({ name }) => name === 'job.items')!.points[0]!.value, 3);
      assert.equal(logs[0]!.body, 'job done');
      assert.equal(logs[0]!.traceId, traces[0]!.traceId);
      for (const { headers, body } of server.requests) {
        const type = protocol === 'http/json' ? 'application/json' : 'application/x-protobuf';
        assert.equal(headers['content-type'], type);
        assert.equal(headers['content-encoding'], compression === 'gzip' ? 'gzip' : undefined);
        assert.equal(headers['content-length'], String(body.length));
        if (compression === 'gzip') assert.ok(gunzipSync(body).length > body.length);
      }
    });
  }
}

test('the path of the endpoint is kept, and each signal can have an endpoint and headers of its own', async () => {
  const stderr = await runJob({
    OTEL_EXPORTER_OTLP_ENDPOINT: `${server.url}/otlp/`,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${server.url}/exactly/traces?key=1`,
    OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: server.url.replace('//', '//user:p%40ss@').concat('/logs'),
    OTEL_EXPORTER_OTLP_HEADERS: 'x-all=1, x-which=general',
    OTEL_EXPORTER_OTLP_METRICS_HEADERS: 'x-which=metrics%20only',
  });
  assert.equal(stderr, '');
  assert.deepEqual(pathsOf(), ['/exactly/traces?key=1', '/logs', '/otlp/v1/metrics']);
  const headersOf = (signal: string) => server.requests.find(({ url }) => url.includes(signal))!.headers;
  assert.deepEqual([headersOf('traces')['x-all'], headersOf('traces')['x-which']], ['1', 'general']);
  assert.deepEqual([headersOf('metrics')['x-all'], headersOf('metrics')['x-which']], ['1', 'metrics only']);
  assert.equal(headersOf('logs').authorization, `Basic ${Buffer.from('user:p@ss').toString('base64')}`);
  assert.match(String(headersOf('logs')['user-agent']), /^otel-vitals/);
});

test('each signal can have a protocol and a compression of its own', async () => {
  await runJob({
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json',
    OTEL_EXPORTER_OTLP_METRICS_COMPRESSION: 'gzip',
  });
  const found = server.requests.map(({ signal, headers }) => [
    signal,
    headers['content-type'],
    headers['content-encoding'],
  ]);
  assert.deepEqual(found.sort(), [
    ['logs', 'application/x-protobuf', undefined],
    ['metrics', 'application/x-protobuf', 'gzip'],
    ['traces', 'application/json', undefined],
  ]);
});

test('an endpoint of one signal turns on that signal alone', async () => {
  const { code } = await start('script.js', {
    OTEL_EXPORTER_OTLP_ENDPOINT: undefined,
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${server.url}/v1/traces`,
  }).exit;
  assert.equal(code, 0);
  assert.deepEqual(pathsOf(), ['/v1/traces']);
});

test('OTEL_EXPORTER_OTLP_TIMEOUT ends an export that is not answered', async () => {
  await server.setMode('hang');
  const app = start('plain.js', {
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_EXPORTER_OTLP_TIMEOUT: '60000',
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '250',
  });
  await fetch(await urlOf(app));
  await app.printed(/did not get traces: no answer within 250 ms; the application runs on/, 'stderr');
});

test('one connection serves export after export', async () => {
  const app = start('plain.js', { OTEL_METRIC_EXPORT_INTERVAL: '100', OTEL_TRACES_EXPORTER: 'none' });
  await urlOf(app);
  await server.arrived(4);
  assert.equal(server.connections, 1);
});

const { key, cert } = selfSigned();
const other = selfSigned();
const files = folderWith({
  'ca.pem': cert,
  'key.pem': key,
  'other.pem': other.cert,
  'other-key.pem': other.key,
});

test('TLS: a receiver is checked against OTEL_EXPORTER_OTLP_CERTIFICATE, and shown a certificate', async () => {
  const secure = await startOtlpServer({ tls: { key, cert, ca: cert } });
  try {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: secure.url,
      OTEL_EXPORTER_OTLP_CERTIFICATE: files.path('ca.pem'),
      OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: files.path('ca.pem'),
      OTEL_EXPORTER_OTLP_CLIENT_KEY: files.path('key.pem'),
    };
    assert.equal(await runJob(env), '');
    assert.equal(secure.received.traces.length, 1);
    assert.ok(secure.received.metrics.length > 10);
    const wrong = { ...env, OTEL_EXPORTER_OTLP_CERTIFICATE: files.path('other.pem') };
    assert.match(await runJob(wrong), /did not get \w+: .*self-signed certificate/);
    const unknown = {
      ...env,
      OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: files.path('other.pem'),
      OTEL_EXPORTER_OTLP_CLIENT_KEY: files.path('other-key.pem'),
    };
    assert.match(await runJob(unknown), /did not get \w+: /);
    assert.equal(secure.received.traces.length, 1, 'nothing more has come');
  } finally {
    await secure.close();
  }
});

test('a certificate that cannot be read is a warning, and nothing is sent without it', async () => {
  const stderr = await runJob({
    OTEL_EXPORTER_OTLP_ENDPOINT: server.url.replace('http:', 'https:'),
    OTEL_EXPORTER_OTLP_CERTIFICATE: files.path('missing.pem'),
  });
  assert.match(stderr, /warn: tracing did not start: ENOENT.*missing\.pem/);
  assert.match(stderr, /warn: metrics are not sent over OTLP: ENOENT.*missing\.pem/);
  assert.equal(server.connections, 0);
});
