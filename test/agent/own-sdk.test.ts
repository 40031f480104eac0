import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { build } from 'esbuild';
import { repository, runApp, scrape, startApp } from '../helpers/app';
import { otlpEnv } from '../helpers/otlp-app';
import { type OtlpServer, startOtlpServer } from '../helpers/otlp-server';
import { apiVersions, folderWithApi, folderWithSdk } from '../helpers/own-api';

const source = readFileSync(join(repository, 'test', 'fixtures', 'apps', 'own-sdk', 'app.js'), 'utf8');

let server: OtlpServer;
before(async () => {
  server = await startOtlpServer();
});
after(() => server.close());

/** What the application prints without the agent, the measurement before its own SDK aside. */
const alone = {
  registered: { context: true, propagation: true, trace: true, metrics: true },
  inside: true,
  spans: ['own span'],
  metrics: ['own.count'],
  logs: ['own record'],
};

const resultOf = (stdout: string): unknown => JSON.parse(/^result (.*)$/m.exec(stdout)?.[1] ?? stdout);

for (const version of apiVersions) {
  const folder = folderWithSdk(version, { 'app.js': source });

  test(`an application with ${version} version of the API and an SDK of its own keeps its telemetry`, async () => {
    const script = (await folder).path('app.js');
    const bare = await runApp(script, { nodeArgs: [] });
    assert.deepEqual(resultOf(bare.stdout), alone, 'without the agent');
    const app = startApp(script, { env: { STAY: '1' } });
    await app.printed(/^result/m);
    assert.deepEqual(resultOf(app.stdout()), alone);
    const text = await scrape(await app.metricsUrl());
    assert.match(text, /^early_count_total\{?.* 1$/m, 'what was made before its SDK comes out of the agent');
    assert.doesNotMatch(text, /own_count/);
    assert.match(text, /^http_server_request_duration_seconds_count\{.*\} 1$/m);
    app.kill('SIGTERM');
    const { stderr } = await app.exit;
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
  });

  test(`nor does it lose any to the agent's traces, with ${version} version of the API`, async () => {
    await server.reset();
    const { stdout, stderr, code } = await runApp((await folder).path('app.js'), {
      env: { ...otlpEnv(server), OTEL_METRICS_EXPORTER: 'none' },
    });
    assert.equal(code, 0);
    assert.deepEqual(resultOf(stdout), alone);
    assert.equal(stderr, '');
    assert.deepEqual(server.received.traces, []);
    assert.deepEqual(server.received.logs, []);
  });
}

test('the log says at level info that the application goes before the agent', async () => {
  const folder = await folderWithSdk('the same', { 'app.js': source });
  const { stderr } = await runApp(folder.path('app.js'), { env: { OTEL_LOG_LEVEL: 'info' } });
  assert.match(stderr, /info: the application brings its own OpenTelemetry metrics, which takes the place/);
});

test('an SDK inside the bundle of the application keeps its telemetry with VITALS_CUSTOM_METRICS=false', async () => {
  const folder = await folderWithSdk('older', { 'app.js': source });
  const bundle = folder.path('bundle.js');
  await build({ entryPoints: [folder.path('app.js')], outfile: bundle, bundle: true, platform: 'node' });
  assert.deepEqual(resultOf((await runApp(bundle, { nodeArgs: [] })).stdout), alone, 'without the agent');
  const { stdout, stderr } = await runApp(bundle, { env: { VITALS_CUSTOM_METRICS: 'false' } });
  assert.deepEqual(resultOf(stdout), alone);
  assert.doesNotMatch(stderr, /SDK/);
  const taken = await runApp(bundle, { env: { OTEL_METRICS_EXPORTER: 'none' } });
  const [warning, ...more] = taken.stderr.trim().split('\n');
  assert.match(
    warning!,
    /an OpenTelemetry SDK inside the application's bundle .*; VITALS_CUSTOM_METRICS=false leaves/,
  );
  assert.deepEqual(more, []);
});

test('a copy inside the bundle that only measures is no reason for a warning', async () => {
  const folder = folderWithApi('the same', {
    'app.js': `
      require('@opentelemetry/api').metrics.getMeter('shop').createCounter('shop.orders').add(3);
      setInterval(() => {}, 1000);`,
  });
  const bundle = folder.path('bundle.js');
  await build({ entryPoints: [folder.path('app.js')], outfile: bundle, bundle: true, platform: 'node' });
  const app = startApp(bundle);
  assert.match(await scrape(await app.metricsUrl()), /^shop_orders_total 3$/m);
  app.kill('SIGTERM');
  assert.equal((await app.exit).stderr.trim().split('\n').length, 1);
});
