import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { freePort } from '../../mall/demo/servers/port';
import { scrape } from '../helpers/app';
import { type IngestServer, startIngestServer } from '../helpers/ingest-server';
import { type App, startFixture } from '../helpers/pyroscope-app';

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
      PYROSCOPE_FLUSH_INTERVAL_MS: '500',
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

test('a server that refuses is one warning, and the metrics say how many profiles were lost', async () => {
  await server.setMode('refuse');
  const port = await freePort();
  const app = startPreloaded('busy.js', {
    OTEL_METRICS_EXPORTER: 'prometheus',
    OTEL_EXPORTER_PROMETHEUS_PORT: String(port),
    PYROSCOPE_FLUSH_INTERVAL_MS: '400',
  });
  await app.prints('ready');
  const failures = async () => {
    const text = await scrape(`http://127.0.0.1:${port}/metrics`);
    const found = (kind: string) =>
      Number(
        new RegExp(`^vitals_profile_upload_failures_total\\{.*${kind}.*\\} (\\d+)`, 'm').exec(text)?.[1],
      );
    return { wall: found('wall'), heap: found('heap') };
  };
  const giveUp = Date.now() + 10_000;
  let seen = await failures();
  while (!(seen.wall >= 2 && seen.heap >= 2) && Date.now() < giveUp) {
    await new Promise(resolve => setTimeout(resolve, 100));
    seen = await failures();
  }
  assert.ok(seen.wall >= 2 && seen.heap >= 2, JSON.stringify(seen));
  app.kill('SIGTERM');
  assert.equal((await app.exited).signal, 'SIGTERM');
  assert.equal(app.errors.length, 1, app.errors.join('\n'));
  assert.match(app.errors[0]!, /did not get a (heap|wall) profile: .*; the application runs on/);
});
