import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { type App, folderWith } from '../helpers/app';
import { selfSigned } from '../helpers/certificate';
import { otlpEnv, startOtlpApp, urlOf } from '../helpers/otlp-app';
import { type OtlpGrpcServer, startOtlpGrpcServer } from '../helpers/otlp-grpc-server';

let server: OtlpGrpcServer;
const apps: App[] = [];

before(async () => {
  server = await startOtlpGrpcServer();
});
afterEach(async () => {
  for (const app of apps.splice(0)) {
    app.kill('SIGKILL');
    await app.exit;
  }
  server.mode = 'ok';
  for (const list of [...Object.values(server.received), server.calls]) list.length = 0;
});
after(() => server.close());

function start(script: string, env: Record<string, string> = {}): App {
  const app = startOtlpApp(script, {
    ...otlpEnv(server),
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_METRICS_EXPORTER: 'otlp',
    ...env,
  });
  apps.push(app);
  return app;
}

for (const compression of ['none', 'gzip'] as const) {
  test(`every signal arrives at gRPC's own server with compression ${compression}`, async () => {
    const { code, stderr } = await start('script.js', {
      OTEL_EXPORTER_OTLP_COMPRESSION: compression,
      OTEL_EXPORTER_OTLP_HEADERS: 'X-Key=k1',
    }).exit;
    assert.equal(code, 0);
    assert.equal(stderr, '');
    const { traces, metrics, logs } = server.received;
    assert.equal(traces[0]!.name, 'job');
    assert.equal(metrics.find(({ name }) => name === 'job.items')!.points[0]!.value, 3);
    assert.equal(logs[0]!.body, 'job done');
    assert.deepEqual(server.calls.map(({ signal }) => signal).sort(), ['logs', 'metrics', 'traces']);
    for (const { metadata } of server.calls) assert.deepEqual(metadata.get('x-key'), ['k1']);
  });
}

test('TLS is spoken to an https endpoint and checked against the certificate', async () => {
  const pair = selfSigned();
  const files = folderWith({ 'ca.pem': pair.cert });
  const secure = await startOtlpGrpcServer(pair);
  try {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: secure.url };
    const trusted = { ...env, OTEL_EXPORTER_OTLP_CERTIFICATE: files.path('ca.pem') };
    assert.equal((await start('script.js', trusted).exit).stderr, '');
    assert.equal(secure.received.traces.length, 1);
    assert.match((await start('script.js', env).exit).stderr, /did not get \w+: .*self-signed certificate/);
    assert.equal(secure.received.traces.length, 1);
  } finally {
    secure.close();
  }
});

for (const [how, code, text] of [
  ['refuses the credentials', status.UNAUTHENTICATED, /it answered UNAUTHENTICATED: no, sorry/],
  ['does not know the method', status.UNIMPLEMENTED, /it answered UNIMPLEMENTED: no, sorry/],
] as const) {
  test(`a receiver that ${how} is not asked again, and is one warning`, async () => {
    server.mode = { code, details: 'no, sorry' };
    const { code: exit, stderr, ms } = await start('script.js').exit;
    assert.equal(exit, 0);
    assert.ok(ms < 4000, `${ms} ms`);
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
    assert.match(stderr, text);
    assert.equal(server.calls.length, 3);
  });
}

test('a receiver that is unavailable is asked again', async () => {
  server.mode = { code: status.UNAVAILABLE };
  const app = start('plain.js', { OTEL_METRICS_EXPORTER: 'none' });
  await fetch(await urlOf(app));
  await server.arrived(1);
  server.mode = 'ok';
  await server.until(({ traces }) => traces.length === 1);
  assert.equal(app.stderr(), '');
});

test('a receiver that is exhausted is asked again when it says, and else not', async () => {
  // google.rpc.Status { details: [Any { RetryInfo { retry_delay { seconds: 1 } } }] }
  const type = Buffer.from('type.googleapis.com/google.rpc.RetryInfo');
  const any = Buffer.concat([Buffer.from([10, type.length]), type, Buffer.from([18, 4, 10, 2, 8, 1])]);
  server.mode = { code: status.RESOURCE_EXHAUSTED, bin: Buffer.concat([Buffer.from([26, any.length]), any]) };
  const app = start('plain.js', { OTEL_METRICS_EXPORTER: 'none' });
  const url = await urlOf(app);
  await fetch(url);
  await server.arrived(1);
  server.mode = 'ok';
  await server.until(({ traces }) => traces.length === 1);
  assert.ok(server.calls[1]!.at - server.calls[0]!.at > 950);
  server.mode = { code: status.RESOURCE_EXHAUSTED };
  await fetch(url);
  await app.printed(/it answered RESOURCE_EXHAUSTED/, 'stderr');
  assert.equal(server.calls.length, 3);
});

test('a receiver that hangs holds a script that has ended up to its deadline', async () => {
  server.mode = 'hang';
  const { code, stderr, ms } = await start('script.js', { VITALS_SHUTDOWN_TIMEOUT_MS: '600' }).exit;
  assert.equal(code, 0);
  assert.ok(ms < 600 + 2500, `${ms} ms`);
  assert.match(
    stderr,
    /^otel-vitals warn: OTLP: \S+ did not get \w+: the process ends, and it has not answered\n$/,
  );
});

test('a call that is not answered does not hold a script that has ended', async () => {
  server.mode = 'hang';
  const app = start('script.js', {
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_BSP_SCHEDULE_DELAY: '50',
    VITALS_SHUTDOWN_TIMEOUT_MS: '600',
    LINGER_MS: '500',
  });
  await server.arrived(1);
  const { code, ms } = await app.exit;
  assert.equal(code, 0);
  assert.ok(ms < 500 + 600 + 2500, `${ms} ms`);
});

test('a receiver that does not listen does not hold a script that has ended', async () => {
  const { code, stderr, ms } = await start('script.js', {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
  }).exit;
  assert.equal(code, 0);
  assert.ok(ms < 2500, `${ms} ms`);
  assert.match(
    stderr,
    /^otel-vitals warn: OTLP: http:\/\/127\.0\.0\.1:9 did not get \w+: .*ECONNREFUSED.*\n$/,
  );
});

test('a server that speaks HTTP/1 instead is a warning that tells', async () => {
  const { createServer } = await import('node:http');
  const http = createServer((_request, response) => response.end()).listen(0, '127.0.0.1');
  await new Promise(resolve => http.once('listening', resolve));
  const { port } = http.address() as { port: number };
  const { code, stderr } = await start('script.js', {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
  }).exit;
  http.close();
  assert.equal(code, 0);
  assert.equal(stderr.trim().split('\n').length, 1, stderr);
  assert.match(stderr, /did not get \w+: /);
});
