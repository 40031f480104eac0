import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { after, afterEach, before, test } from 'node:test';
import { folderWith, preload, repository, runApp } from '../helpers/app';
import { type OtlpServer, startOtlpServer } from '../helpers/otlp-server';

let server: OtlpServer;
before(async () => {
  server = await startOtlpServer();
});
afterEach(() => server.reset());
after(() => server.close());

/** An application of one ES module that has otel-vitals installed. */
function application(source: string): string {
  const folder = folderWith({
    'app.mjs': `
import { metrics, trace } from '@opentelemetry/api';
import { start } from 'otel-vitals/sdk';
const env = { OTEL_EXPORTER_PROMETHEUS_PORT: '0', OTEL_LOG_LEVEL: 'error' };
const otlp = { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: process.env.COLLECTOR, OTEL_METRICS_EXPORTER: 'otlp' };
${source}`,
  });
  mkdirSync(folder.path('node_modules/@opentelemetry'), { recursive: true });
  symlinkSync(repository, folder.path('node_modules/otel-vitals'));
  symlinkSync(
    `${repository}/node_modules/@opentelemetry/api`,
    folder.path('node_modules/@opentelemetry/api'),
  );
  return folder.path('app.mjs');
}

/** Runs it without a preload, and gives what it printed line by line. */
async function run(source: string, nodeArgs: readonly string[] = []): Promise<string[]> {
  const exit = await runApp(application(source), { nodeArgs, env: { COLLECTOR: server.url } });
  assert.equal(exit.code, 0, exit.stderr);
  assert.equal(exit.stderr, '');
  assert.ok(exit.ms < 10_000, `took ${exit.ms} ms`);
  return exit.stdout.trim().split('\n');
}

const metricNamed = (name: string) => () => server.received.metrics.find(metric => metric.name === name);

test('settings given to start() reach every signal, and forceFlush sends what there is', async () => {
  const printed = await run(`
    const vitals = start({ env: { ...otlp, OTEL_EXPORTER_OTLP_HEADERS: 'x-key=k1', OTEL_SERVICE_NAME: 'by-code',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip', OTEL_TRACES_SAMPLER: 'always_on' } });
    metrics.getMeter('shop').createCounter('shop.orders').add(3);
    vitals.meterProvider.getMeter('shop').createCounter('shop.direct').add(4);
    trace.getTracer('shop').startActiveSpan('placing', span => span.end());
    await vitals.forceFlush();
    console.log('flushed');
    await vitals.shutdown();
    console.log(process.listenerCount('SIGTERM') + process.listenerCount('SIGINT') + process.listenerCount('beforeExit'));`);
  assert.deepEqual(printed, ['flushed', '0']);
  const orders = metricNamed('shop.orders')()!;
  assert.equal(orders.points[0]!.value, 3);
  assert.equal(metricNamed('shop.direct')()!.points[0]!.value, 4);
  assert.equal(orders.resource['service.name'], 'by-code');
  const [span] = server.received.traces;
  assert.equal(span!.name, 'placing');
  assert.deepEqual(span!.resource, orders.resource);
  for (const { headers } of server.requests) {
    assert.equal(headers['x-key'], 'k1');
    assert.equal(headers['content-encoding'], 'gzip');
  }
});

test('shutdown closes the endpoint, and a later start begins anew with every signal', async () => {
  const printed = await run(`
    const first = start({ env: { ...otlp, OTEL_METRICS_EXPORTER: 'prometheus,otlp' } });
    const { url } = await first.prometheus;
    metrics.getMeter('shop').createCounter('shop.first').add(1);
    trace.getTracer('shop').startActiveSpan('first', span => span.end());
    await Promise.all([first.shutdown(), first.shutdown()]);
    console.log(await fetch(url).then(() => 'open', () => 'closed'));
    metrics.getMeter('shop').createCounter('shop.between').add(1);
    const second = start({ env: otlp });
    console.log(second !== first);
    metrics.getMeter('shop').createCounter('shop.second').add(2);
    trace.getTracer('shop').startActiveSpan('second', span => {
      console.log(trace.getActiveSpan() === span);
      span.end();
    });
    await second.shutdown();`);
  assert.deepEqual(printed, ['closed', 'true', 'true']);
  assert.equal(metricNamed('shop.first')()!.points[0]!.value, 1);
  assert.equal(metricNamed('shop.second')()!.points[0]!.value, 2);
  assert.equal(metricNamed('shop.between')(), undefined);
  assert.deepEqual(server.received.traces.map(span => span.name).sort(), ['first', 'second']);
});

test('a second start() gives the agent that runs, be it a preloaded one', async () => {
  assert.deepEqual(
    await run(`
      const one = start({ env });
      console.log(start({ env }) === one, one.meterProvider === metrics.getMeterProvider());
      await one.shutdown();`),
    ['true true'],
  );
  const script = application(`
    const running = globalThis[Symbol.for('otel-vitals.agent')];
    console.log(start() === running, running !== undefined);
    await running.shutdown();`);
  const exit = await runApp(script, { nodeArgs: ['--require', preload] });
  assert.equal(exit.stdout, 'true true\n', exit.stderr);
});

test('with OTEL_SDK_DISABLED nothing is started, and instruments do nothing', async () => {
  assert.deepEqual(
    await run(`
      const counter = metrics.getMeter('shop').createCounter('shop.orders');
      counter.add(1);
      console.log(start({ env: { ...env, OTEL_SDK_DISABLED: 'true' } }));
      counter.add(1);`),
    ['undefined'],
  );
});

test('shutdown leaves alone what the application has registered with the API meanwhile', async () => {
  assert.deepEqual(
    await run(`
      const vitals = start({ env });
      const own = { getMeter: () => 'own meter' };
      console.log(metrics.setGlobalMeterProvider(own));
      await vitals.shutdown();
      console.log(metrics.getMeter('shop'));`),
    ['true', 'own meter'],
  );
});

test('forceFlush and shutdown end within VITALS_SHUTDOWN_TIMEOUT_MS while the Collector hangs', async () => {
  await server.setMode('hang');
  const printed = await run(`
    const vitals = start({ env: { ...otlp, VITALS_SHUTDOWN_TIMEOUT_MS: '300' } });
    trace.getTracer('shop').startActiveSpan('placing', span => span.end());
    for (const way of ['forceFlush', 'shutdown']) {
      const begin = performance.now();
      await vitals[way]();
      const ms = performance.now() - begin;
      console.log(way, ms >= 290 && ms < 1500 ? 'in time' : ms);
    }`);
  assert.deepEqual(printed, ['forceFlush in time', 'shutdown in time']);
});

test('start() never throws on bad settings: one warning, and the defaults', async () => {
  const script = application(`
    const vitals = start({ env: { OTEL_EXPORTER_PROMETHEUS_PORT: '0', OTEL_TRACES_SAMPLER: 'coin',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'carrier-pigeon', OTEL_PROPAGATORS: 'xray' } });
    await vitals.prometheus;
    await vitals.shutdown();`);
  const { code, stderr } = await runApp(script, { nodeArgs: [] });
  assert.equal(code, 0);
  const warnings = stderr.split('\n').filter(line => line.includes('bad configuration'));
  assert.equal(warnings.length, 1, stderr);
  for (const text of [
    'OTEL_TRACES_SAMPLER: expected one of',
    'OTEL_EXPORTER_OTLP_PROTOCOL: expected one of http/protobuf, http/json, grpc, got "carrier-pigeon"',
    'OTEL_PROPAGATORS: expected a comma list of',
  ]) {
    assert.ok(warnings[0]!.includes(text), stderr);
  }
});
