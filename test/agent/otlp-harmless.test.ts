import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { type App, preload } from '../helpers/app';
import { otlpEnv, startOtlpApp, urlOf } from '../helpers/otlp-app';
import { type OtlpMode, type OtlpServer, startOtlpServer } from '../helpers/otlp-server';
import { samplesFrom } from '../helpers/samples';

let server: OtlpServer;
let bareMs: number;
const apps: App[] = [];

before(async () => {
  server = await startOtlpServer();
  bareMs = (await startOtlpApp('script.js', { OTEL_SDK_DISABLED: 'true' }).exit).ms;
});
afterEach(async () => {
  for (const app of apps.splice(0)) {
    app.kill('SIGKILL');
    await app.exit;
  }
  await server.reset();
});
after(() => server.close());

function start(script: string, env: Record<string, string> = {}): App {
  const app = startOtlpApp(
    script,
    { ...otlpEnv(server), OTEL_METRICS_EXPORTER: 'otlp', VITALS_SHUTDOWN_TIMEOUT_MS: '600', ...env },
    { nodeArgs: ['--expose-gc', '--require', preload] },
  );
  apps.push(app);
  return app;
}

const linesOf = (text: string): string[] => text.split('\n').filter(line => line !== '');

/** Ways to fail, and what the one warning says of them. */
const failures: readonly [string, OtlpMode, RegExp, holds: boolean][] = [
  ['refuses', 'refuse', /ECONNREFUSED/, false],
  ['breaks the connection', 'reset', /ECONNRESET|socket hang up/, false],
  ['answers 500', 500, /it answered 500 Internal Server Error/, false],
  [
    'answers 429 and asks for an hour',
    { status: 429, headers: { 'retry-after': '3600' } },
    /it answered 429/,
    false,
  ],
  ['hangs', 'hang', /the process ends, and it has not answered/, true],
  ['answers a byte at a time', 'trickle', /the process ends, and it has not answered/, true],
];

for (const [how, mode, text, holds] of failures) {
  const when = holds ? 'at its deadline' : 'at once';
  test(`with a Collector that ${how}, a script that has ended ends ${when}, with one warning`, async () => {
    await server.setMode(mode);
    const { code, signal, stdout, stderr, ms } = await start('script.js').exit;
    assert.deepEqual({ code, signal, stdout }, { code: 0, signal: null, stdout: 'done\n' });
    const limit = bareMs + (holds ? 600 : 0) + 1200;
    assert.ok(ms < limit, `took ${ms} ms of ${limit}, bare ${bareMs} ms`);
    const lines = linesOf(stderr);
    assert.equal(lines.length, 1, stderr);
    assert.match(
      lines[0]!,
      /^otel-vitals warn: OTLP: http:\/\/127\.0\.0\.1:\d+ did not get (traces|metrics|logs): /,
    );
    assert.match(lines[0]!, text);
  });

  test(`with a Collector that ${how}, a server serves, and dies of SIGTERM`, async () => {
    await server.setMode(mode);
    const app = start('plain.js', { OTEL_METRIC_EXPORT_INTERVAL: '150' });
    const url = await urlOf(app);
    for (let i = 0; i < 20; i++) assert.equal(await (await fetch(url)).text(), 'hello');
    if (mode !== 'refuse') await server.arrived(2);
    const begin = performance.now();
    app.kill('SIGTERM');
    assert.equal((await app.exit).signal, 'SIGTERM');
    assert.ok(performance.now() - begin < 600 + 1500, `${performance.now() - begin} ms`);
    assert.equal(linesOf(app.stderr()).length, 1, app.stderr());
  });
}

for (const [what, mode] of [
  ['an export that is not answered', 'hang'],
  ['one that waits for its next try', 503],
] as const) {
  test(`${what} does not hold a script that has ended`, async () => {
    await server.setMode(mode);
    const app = start('script.js', {
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_BSP_SCHEDULE_DELAY: '50',
      LINGER_MS: '500',
    });
    await server.arrived(1);
    const { code, stderr, ms } = await app.exit;
    assert.equal(code, 0);
    assert.ok(ms < bareMs + 500 + 600 + 1500, `took ${ms} ms, bare ${bareMs} ms`);
    assert.equal(linesOf(stderr).length, 1, stderr);
  });
}

test('a Collector that goes away and comes back is one warning each, and gets what is made then', async () => {
  const app = start('plain.js', {
    OTEL_METRICS_EXPORTER: 'prometheus,otlp',
    OTEL_METRIC_EXPORT_INTERVAL: '150',
    OTEL_EXPORTER_OTLP_TIMEOUT: '200',
  });
  const url = await urlOf(app);
  const metricsUrl = await app.metricsUrl();
  await fetch(`${url}/?before`);
  const served = ({ traces }: typeof server.received) =>
    traces.filter(({ kind }) => kind === 'server').length;
  await server.until(received => served(received) === 1 && received.metrics.length > 0);
  await server.setMode('refuse');
  await fetch(`${url}/?meanwhile`);
  await app.printed(/did not get/, 'stderr');
  const lost = async () => {
    const samples = await samplesFrom(metricsUrl);
    const wanted = { error_type: 'ECONNREFUSED' };
    return {
      spans: samples.value('otel_sdk_exporter_span_exported_total', wanted) ?? 0,
      points: samples.value('otel_sdk_exporter_metric_data_point_exported_total', wanted) ?? 0,
    };
  };
  let seen = await lost();
  for (let i = 0; i < 100 && (seen.spans < 1 || seen.points < 100); i++) {
    await new Promise(resolve => setTimeout(resolve, 50));
    seen = await lost();
  }
  assert.equal(seen.spans, 1, 'the self metrics count the span that was lost');
  assert.ok(seen.points >= 100, 'and the data points');
  await server.setMode('ok');
  await fetch(`${url}/?after`);
  await server.until(received => served(received) === 2);
  await app.printed(/takes telemetry again; exports lost meanwhile: \d+/, 'stderr');
  const samples = await samplesFrom(metricsUrl);
  assert.equal(samples.count('http_server_request_duration_seconds'), 3);
  app.kill('SIGTERM');
  assert.equal((await app.exit).signal, 'SIGTERM');
  assert.equal(linesOf(app.stderr()).length, 3, `where metrics are served, down, back: ${app.stderr()}`);
});

test('a busy Collector is asked again when it says, and loses nothing', async () => {
  await server.setMode({ status: 429, headers: { 'retry-after': '1' } });
  const app = start('plain.js', { OTEL_METRICS_EXPORTER: 'none' });
  await fetch(await urlOf(app));
  await server.arrived(1);
  await server.setMode('ok');
  await server.until(({ traces }) => traces.length === 1);
  const [first, second] = server.requests;
  assert.ok(second!.at - first!.at > 950, `${second!.at - first!.at} ms`);
  assert.ok(second!.body.equals(first!.body));
  assert.equal(app.stderr(), '');
});

test('an answer of 400 is final, and 503 is not', async () => {
  await server.setMode(400);
  const app = start('plain.js', { OTEL_METRICS_EXPORTER: 'none' });
  const url = await urlOf(app);
  await fetch(url);
  await app.printed(/it answered 400/, 'stderr');
  await server.setMode(503);
  await fetch(url);
  await server.arrived(2);
  await server.setMode('ok');
  await server.until(({ traces }) => traces.length === 1);
  assert.equal(server.requests.length, 3);
});

test('what a Collector refuses of an export is said once, and counted', async () => {
  const words = Buffer.from('too old');
  const partial = Buffer.concat([Buffer.from([8, 1, 18, words.length]), words]);
  await server.setMode({ status: 200, body: Buffer.concat([Buffer.from([10, partial.length]), partial]) });
  const app = start('plain.js', { OTEL_METRICS_EXPORTER: 'prometheus' });
  const url = await urlOf(app);
  for (const count of [1, 2]) {
    await fetch(url);
    await server.until(({ traces }) => traces.length === count);
  }
  const metricsUrl = await app.metricsUrl();
  await app.printed(/refused 1 of 1 spans: too old/, 'stderr');
  const rejected = async () =>
    (await samplesFrom(metricsUrl)).value('otel_sdk_exporter_span_exported_total', {
      error_type: 'rejected',
    });
  for (let i = 0; i < 100 && (await rejected()) !== 2; i++)
    await new Promise(resolve => setTimeout(resolve, 20));
  assert.equal(await rejected(), 2);
  assert.equal(linesOf(app.stderr()).filter(line => line.includes('refused')).length, 1, app.stderr());
});

test('a Collector that hangs costs bounded memory, and what is lost is counted', async () => {
  await server.setMode('hang');
  const spans = 100_000;
  const app = start('flood.js', { OTEL_METRICS_EXPORTER: 'prometheus', SPANS: String(spans) });
  const held = Number((await app.printed(/held (\d+)/))[1]);
  // A kilobyte of each span would be 100 MB.
  assert.ok(held < 65e6, `${held} bytes`);
  assert.ok(server.requests.length <= 30, `${server.requests.length} exports under way`);
  const samples = await samplesFrom(await app.metricsUrl());
  const lost = samples.value('otel_sdk_exporter_span_exported_total', { error_type: 'queue_full' })!;
  assert.ok(lost >= spans - 30 * 512 - 2048 && lost < spans, `${lost} lost`);
  assert.equal(linesOf(app.stderr()).filter(line => line.includes('did not get')).length, 1, app.stderr());
});
