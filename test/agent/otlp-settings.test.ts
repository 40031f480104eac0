import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { type App, folderWith, runApp, startApp } from '../helpers/app';
import { otlpEnv, startOtlpApp, urlOf } from '../helpers/otlp-app';
import { type OtlpServer, type ReceivedSpan, startOtlpServer } from '../helpers/otlp-server';
import { samplesFrom } from '../helpers/samples';

let server: OtlpServer;
/** A server that is called, and what it was called with. */
let callee: Server;
const called: IncomingHttpHeaders[] = [];
const apps: App[] = [];

before(async () => {
  server = await startOtlpServer();
  callee = createServer((request, response) => {
    called.push(request.headers);
    response.end();
  });
  await new Promise<void>(resolve => callee.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  for (const app of apps.splice(0)) {
    app.kill('SIGTERM');
    await app.exit;
  }
  called.length = 0;
  await server.reset();
});
after(async () => {
  callee.close();
  await server.close();
});

async function start(script: string, env: Record<string, string> = {}): Promise<string> {
  const app = startOtlpApp(script, { ...otlpEnv(server), ...env });
  apps.push(app);
  return urlOf(app);
}

/** Ends the applications, after which all they had to say has arrived; the kinds and scopes of their spans. */
async function spansAtEnd(): Promise<ReceivedSpan[]> {
  for (const app of apps.splice(0)) {
    app.kill('SIGTERM');
    await app.exit;
  }
  return server.received.traces;
}

const calleeUrl = (): string => `http://127.0.0.1:${(callee.address() as AddressInfo).port}/`;
const traceId = '0af7651916cd43dd8448eb211c80319c';
const parent = (flags: string): string => `00-${traceId}-b7ad6b7169203331-${flags}`;

for (const [sampler, env, header, count] of [
  ['the default', {}, undefined, 1],
  ['always_off', { OTEL_TRACES_SAMPLER: 'always_off' }, parent('01'), 0],
  ['always_on', { OTEL_TRACES_SAMPLER: 'always_on' }, parent('00'), 1],
  ['parentbased_always_on under a parent that was not sampled', {}, parent('00'), 0],
  [
    'parentbased_always_off under one that was',
    { OTEL_TRACES_SAMPLER: 'parentbased_always_off' },
    parent('01'),
    1,
  ],
  ['parentbased_always_off', { OTEL_TRACES_SAMPLER: 'parentbased_always_off' }, undefined, 0],
  [
    'traceidratio of 0',
    { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' },
    parent('01'),
    0,
  ],
  [
    'parentbased_traceidratio of 1',
    { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '1' },
    undefined,
    1,
  ],
] as const) {
  test(`the sampler ${sampler} records ${count === 0 ? 'nothing' : 'the request'}`, async () => {
    const url = await start('plain.js', env);
    await fetch(url, { headers: header === undefined ? {} : { traceparent: header } });
    const spans = await spansAtEnd();
    assert.equal(spans.length, count);
    if (header !== undefined && count > 0) {
      assert.equal(spans[0]!.traceId, traceId);
      assert.equal(spans[0]!.parentSpanId, 'b7ad6b7169203331');
    }
  });
}

for (const [propagators, present, absent] of [
  [undefined, ['traceparent', 'baggage'], ['b3']],
  ['b3', ['b3'], ['traceparent', 'baggage']],
  ['b3multi', ['x-b3-traceid', 'x-b3-spanid', 'x-b3-sampled'], ['traceparent', 'b3']],
  ['tracecontext,b3', ['traceparent', 'b3'], ['baggage']],
  ['jaeger', ['uber-trace-id'], ['traceparent']],
  ['none', [], ['traceparent', 'baggage', 'b3']],
] as const) {
  test(`with OTEL_PROPAGATORS=${propagators ?? ''} a call carries ${present.join(', ') || 'nothing'}`, async () => {
    const url = await start('plain.js', propagators === undefined ? {} : { OTEL_PROPAGATORS: propagators });
    const headers = { traceparent: parent('01'), baggage: 'user=7', b3: `${traceId}-b7ad6b7169203331-1` };
    await fetch(`${url}/call?url=${encodeURIComponent(calleeUrl())}`, { headers });
    assert.equal(called.length, 2, 'over http.get and over fetch');
    for (const headers of called) {
      for (const name of present) assert.ok(headers[name], `${name} in ${JSON.stringify(headers)}`);
      for (const name of absent) assert.equal(headers[name], undefined, name);
    }
    if (present.includes('baggage' as never)) assert.equal(called[0]!['baggage'], 'user=7');
  });
}

test('libraries and meters that are left out make no spans', async () => {
  const disabled = { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'undici,fastify' };
  const url = await start('plain.js', disabled);
  await fetch(`${url}/call?url=${encodeURIComponent(calleeUrl())}`);
  await fetch(`${await start('fastify.js', disabled)}/orders/1`);
  const scopes = (await spansAtEnd()).map(({ scope, kind }) => `${scope.split('/').pop()} ${kind}`);
  assert.deepEqual(scopes.sort(), [
    'instrumentation-http client',
    'instrumentation-http server',
    'instrumentation-http server',
  ]);
});

for (const [name, kinds] of [
  ['http-client', ['server']],
  ['http-server', ['client', 'client']],
] as const) {
  test(`with the meter ${name} left out there are spans of the other side only`, async () => {
    const url = await start('plain.js', { OTEL_NODE_DISABLED_INSTRUMENTATIONS: name });
    await fetch(`${url}/call?url=${encodeURIComponent(calleeUrl())}`);
    const found = (await spansAtEnd()).filter(
      span => !span.scope.endsWith('undici') || name !== 'http-client',
    );
    assert.deepEqual(
      found.map(span => span.kind),
      kinds,
    );
  });
}

test('OTEL_NODE_ENABLED_INSTRUMENTATIONS leaves spans of what it names, and no others', async () => {
  const url = await start('plain.js', { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'undici' });
  await fetch(`${url}/call?url=${encodeURIComponent(calleeUrl())}`);
  const spans = await spansAtEnd();
  assert.deepEqual(
    spans.map(span => span.scope),
    ['@opentelemetry/instrumentation-undici'],
  );
});

const many = folderWith({
  'spans.js': `
    const { trace } = require('@opentelemetry/api');
    const tracer = trace.getTracer('job');
    for (let i = 0; i < 25; i++) {
      const span = tracer.startSpan('step ' + i, { attributes: { text: 'x'.repeat(100), a: 1, b: 2 } });
      for (let j = 0; j < 5; j++) span.addEvent('event', { k: 1, l: 2 });
      span.end();
    }
    if (process.env.STAY) setInterval(() => {}, 1000);`,
  'logs.js': `
    const { logs } = require('@opentelemetry/api-logs');
    for (let i = 0; i < 10; i++) logs.getLogger('job').emit({ body: 'line ' + i, attributes: { text: 'y'.repeat(50), a: 1 } });`,
});
const modules = { NODE_PATH: `${process.cwd()}/node_modules` };

test('the batch size and the limits of spans are kept', async () => {
  const { code, stderr } = await runApp(many.path('spans.js'), {
    env: {
      ...modules,
      ...otlpEnv(server),
      OTEL_BSP_SCHEDULE_DELAY: '60000',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '10',
      OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: '7',
      OTEL_ATTRIBUTE_COUNT_LIMIT: '2',
      OTEL_SPAN_EVENT_COUNT_LIMIT: '3',
    },
  });
  assert.equal(code, 0, stderr);
  assert.deepEqual(
    server.requests.map(({ signal }) => signal),
    ['traces', 'traces', 'traces'],
  );
  assert.equal(server.received.traces.length, 25);
  for (const span of server.received.traces) {
    assert.deepEqual(span.attributes, { text: 'xxxxxxx', a: 1 });
    assert.equal(span.events, 3);
  }
});

test('spans that do not fit the queue are dropped and counted', async () => {
  const app = startApp(many.path('spans.js'), {
    env: {
      ...modules,
      ...otlpEnv(server),
      OTEL_METRICS_EXPORTER: 'prometheus',
      OTEL_BSP_MAX_QUEUE_SIZE: '10',
      STAY: '1',
    },
  });
  apps.push(app);
  await server.until(({ traces }) => traces.length >= 20);
  const samples = await samplesFrom(await app.metricsUrl());
  // A full queue is handed over, but only in the next turn of the event loop, and all spans come in one.
  const exported = 'otel_sdk_exporter_span_exported_total';
  assert.equal(samples.value(exported, { error_type: 'queue_full' }), 5);
  assert.equal(samples.value(exported, { otel_component_type: 'otlp_http_span_exporter' }), 25);
  assert.equal((await spansAtEnd()).length, 20);
});

test('the batch size and the limits of log records are kept', async () => {
  const { code, stderr } = await runApp(many.path('logs.js'), {
    env: {
      ...modules,
      ...otlpEnv(server),
      OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: '4',
      OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '3',
      OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT: '1',
    },
  });
  assert.equal(code, 0, stderr);
  assert.ok(server.requests.length >= 3);
  assert.equal(server.received.logs.length, 10);
  for (const record of server.received.logs) assert.deepEqual(record.attributes, { text: 'yyy' });
});

test('the console shows spans and log records where it is asked for, and needs no Collector', async () => {
  const { code, stdout, stderr } = await startOtlpApp('script.js', {
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_TRACES_EXPORTER: 'console',
    OTEL_LOGS_EXPORTER: 'console',
    OTEL_SERVICE_NAME: 'shop',
  }).exit;
  assert.equal(code, 0);
  assert.equal(stderr, '');
  assert.match(stdout, /name: 'job',/);
  assert.match(stdout, /body: 'job done',/);
  assert.match(stdout, /'service\.name': 'shop'/);
});
