import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { build } from 'esbuild';
import { freePort } from '../../mall/demo/servers/port';
import { type IngestServer, startIngestServer } from '../helpers/ingest-server';
import { otlpEnv } from '../helpers/otlp-app';
import { startOtlpServer } from '../helpers/otlp-server';
import { type App, buildFolder, pyroscopeApps, startFixture } from '../helpers/pyroscope-app';
import { samplesFrom } from '../helpers/samples';

let server: IngestServer;
before(async () => {
  server = await startIngestServer();
});
afterEach(async () => {
  await server.setMode('ok');
  server.profiles.length = 0;
});
after(() => server.close());

function startPreloaded(app: string, env: Record<string, string> = {}): App {
  return startFixture(app, {
    env: {
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_SERVICE_NAME: 'shop',
      PYROSCOPE_SERVER_ADDRESS: server.address,
      PYROSCOPE_FLUSH_INTERVAL_MS: '1000',
      VITALS_SHUTDOWN_TIMEOUT_MS: '1000',
      ...env,
    },
  });
}

test('a preloaded application is profiled under its service name, and SIGTERM sends the last window', async () => {
  const app = startPreloaded('busy.js', {
    OTEL_RESOURCE_ATTRIBUTES: 'service.version=1.2.3',
    PYROSCOPE_AUTH_TOKEN: 'secret-token',
    PYROSCOPE_TENANT_ID: 'tenant-7',
  });
  const wall = await server.profile(({ kind, samples }) => kind === 'wall' && samples.length > 0);
  for (const type of ['wall/nanoseconds', 'cpu/nanoseconds']) {
    assert.match(wall.top(type)[0]!.frame.name, /busy\.js:burnCpu:\d+$/, type);
  }
  assert.equal(wall.application, 'shop');
  assert.equal(wall.labels['service_version'], '1.2.3');
  assert.equal(wall.headers['authorization'], 'Bearer secret-token');
  assert.equal(wall.headers['x-scope-orgid'], 'tenant-7');
  await server.profile(({ kind }) => kind === 'heap');
  const uploads = server.profiles.length;
  app.kill('SIGTERM');
  const { code, signal } = await app.exited;
  assert.deepEqual({ code, signal }, { code: null, signal: 'SIGTERM' });
  assert.ok(server.profiles.length >= uploads + 2, 'a last window of each kind');
  assert.deepEqual(app.errors, []);
});

test('PYROSCOPE_APPLICATION_NAME goes before the service name', async () => {
  const app = startPreloaded('busy.js', { PYROSCOPE_APPLICATION_NAME: 'till' });
  assert.equal((await server.profile(() => true)).application, 'till');
  app.kill('SIGTERM');
  await app.exited;
});

test('a preloaded script sends its only window and ends', async () => {
  const app = startPreloaded('compute.js', { PYROSCOPE_FLUSH_INTERVAL_MS: '60000' });
  assert.equal((await app.exited).code, 0);
  const wall = await server.profile(({ kind }) => kind === 'wall');
  assert.match(wall.top('cpu/nanoseconds')[0]!.frame.name, /compute\.js:computeOnce:2$/);
  assert.equal(app.output, 'done\n');
  assert.deepEqual(app.errors, []);
});

test('a black-hole server costs a preloaded script its shutdown deadline and one warning', async () => {
  const bare = await startPreloaded('quick.js', { OTEL_SDK_DISABLED: 'true' }).exited;
  await server.setMode('hang');
  const app = startPreloaded('quick.js');
  const { code, ms } = await app.exited;
  assert.equal(code, 0);
  assert.ok(ms < bare.ms + 1000 + 1500, `${ms} ms, bare ${bare.ms} ms`);
  assert.equal(app.errors.length, 1, app.errors.join('\n'));
  assert.match(app.errors[0]!, /^otel-vitals warn: Pyroscope at http:\/\/127\.0\.0\.1:\d+ did not get a/);
});

test('a server that goes and comes back is one warning each, and the metrics count both', async () => {
  await server.setMode('refuse');
  const port = await freePort();
  const app = startPreloaded('busy.js', {
    OTEL_METRICS_EXPORTER: 'prometheus',
    OTEL_EXPORTER_PROMETHEUS_PORT: String(port),
    PYROSCOPE_FLUSH_INTERVAL_MS: '400',
  });
  await app.prints('ready');
  /** Waits until the metric has reached `atLeast` for both kinds of profile. */
  const counted = async (name: string, atLeast: number) => {
    const giveUp = Date.now() + 15_000;
    for (;;) {
      const samples = await samplesFrom(`http://127.0.0.1:${port}/metrics`);
      const seen = ['wall', 'heap'].map(kind => samples.value(name, { profile_type: kind }) ?? 0);
      if (seen.every(value => value >= atLeast)) return;
      assert.ok(Date.now() < giveUp, `${name}: ${seen}`);
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  };
  await counted('vitals_profile_upload_failures_total', 2);
  await server.setMode('ok');
  await counted('vitals_profile_uploads_total', 1);
  app.kill('SIGTERM');
  assert.equal((await app.exited).signal, 'SIGTERM');
  const [gone, back, ...more] = app.errors;
  assert.match(gone!, /did not get a (heap|wall) profile: .*; the application runs on/);
  assert.match(back!, /takes profiles again; \d+ were lost$/);
  assert.deepEqual(more, []);
});

test('a compiled TypeScript application is profiled by its own files and lines', async () => {
  const source = join(pyroscopeApps, 'typescript', 'pricing.ts');
  const outfile = join(buildFolder(), 'app.js');
  const entryPoints = [join(pyroscopeApps, 'typescript', 'app.ts')];
  await build({ entryPoints, outfile, bundle: true, minify: true, sourcemap: true, platform: 'node' });
  for (const [setting, file] of [
    ['true', source],
    ['false', outfile],
  ] as const) {
    server.profiles.length = 0;
    const app = startPreloaded(outfile, { VITALS_SOURCE_MAPS: setting });
    const wall = await server.profile(({ kind, samples }) => kind === 'wall' && samples.length > 0);
    assert.equal(wall.top('cpu/nanoseconds')[0]!.frame.file, file);
    app.kill('SIGTERM');
    await app.exited;
  }
});

test('profiles arrive beside traces, metrics and logs over OTLP', async () => {
  const collector = await startOtlpServer();
  try {
    const app = startPreloaded('busy.js', { ...otlpEnv(collector), OTEL_METRICS_EXPORTER: 'otlp' });
    const wall = await server.profile(({ kind, samples }) => kind === 'wall' && samples.length > 0);
    assert.match(wall.top('cpu/nanoseconds')[0]!.frame.name, /burnCpu/);
    app.kill('SIGTERM');
    assert.equal((await app.exited).signal, 'SIGTERM');
    assert.deepEqual(app.errors, []);
    assert.ok(collector.received.metrics.some(({ name }) => name === 'vitals.profile.uploads'));
    assert.deepEqual(collector.received.traces, [], 'uploads make no spans');
  } finally {
    await collector.close();
  }
});
