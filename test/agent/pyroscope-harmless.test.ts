import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { type IngestServer, startIngestServer } from '../helpers/ingest-server';
import { type App, bundleExporter, pyroscopeOptions, startProfiledApp } from '../helpers/pyroscope-app';

let server: IngestServer;
let bundle: string;
let bareMs: number;
before(async () => {
  [server, bundle] = await Promise.all([startIngestServer(), bundleExporter()]);
  const bare = startProfiledApp(bundle, 'quick.js', pyroscopeOptions('no address'));
  bareMs = (await bare.exited).ms;
});
afterEach(async () => {
  await server.setMode('ok');
  server.profiles.length = 0;
});
after(() => server.close());

/** Ends the application as an orchestrator does. */
async function end(app: App): Promise<number> {
  app.kill('SIGTERM');
  const { code, signal } = await app.exited;
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
  return app.report().stopMs ?? 0;
}

test('a script that ends is not kept alive, and its last windows arrive', async () => {
  const app = startProfiledApp(
    bundle,
    'compute.js',
    pyroscopeOptions(server.address, { flushIntervalMs: 60_000 }),
  );
  const { code, ms } = await app.exited;
  assert.equal(code, 0);
  assert.ok(ms < bareMs + 700 + 1500, `${ms} ms, bare ${bareMs} ms`);
  assert.deepEqual(server.profiles.map(({ kind }) => kind).sort(), ['heap', 'wall']);
  const wall = await server.profile(({ kind }) => kind === 'wall');
  assert.match(wall.top('cpu/nanoseconds')[0]!.frame.name, /compute\.js:computeOnce:2$/);
  assert.deepEqual(app.errors, []);
});

test('a script whose lifecycle never stops the exporter ends at once', async () => {
  const app = startProfiledApp(bundle, 'quick.js', pyroscopeOptions(server.address), {
    FIXTURE_FLUSH: 'never',
  });
  const { code, ms } = await app.exited;
  assert.equal(code, 0);
  assert.ok(ms < bareMs + 1000, `${ms} ms, bare ${bareMs} ms`);
});

test('a black-hole server holds a script that ends for the deadline and no longer', async () => {
  await server.setMode('hang');
  const options = pyroscopeOptions(server.address, { uploadTimeoutMs: 60_000 });
  const app = startProfiledApp(bundle, 'quick.js', options, { FIXTURE_DEADLINE_MS: '500' });
  const { code, ms } = await app.exited;
  assert.equal(code, 0);
  assert.ok(ms < bareMs + 500 + 1000, `${ms} ms, bare ${bareMs} ms`);
  const report = app.report();
  assert.deepEqual(report.failures, { wall: 1, heap: 1 });
  assert.ok(report.stopMs! >= 490 && report.stopMs! < 900, `${report.stopMs} ms`);
  assert.equal(app.errors.length, 1);
  assert.match(
    app.errors[0]!,
    /did not get a (heap|wall) profile: cut off after 500 ms, because the process ends$/,
  );
});

test('an upload under way does not hold a script that ends', async () => {
  await server.setMode('hang');
  const options = pyroscopeOptions(server.address, { flushIntervalMs: 100, uploadTimeoutMs: 60_000 });
  const before = server.requests;
  const app = startProfiledApp(bundle, 'brief.js', options, { FIXTURE_FLUSH: 'never' });
  const { code, ms } = await app.exited;
  assert.equal(code, 0);
  assert.ok(server.requests > before);
  assert.ok(ms < bareMs + 600 + 800, `${ms} ms, bare ${bareMs} ms`);
});

test('stop() keeps its deadline while an upload hangs', async () => {
  await server.setMode('hang');
  const options = pyroscopeOptions(server.address, { uploadTimeoutMs: 60_000, flushIntervalMs: 200 });
  const app = startProfiledApp(bundle, 'busy.js', options, { FIXTURE_DEADLINE_MS: '500' });
  await server.arrived(server.requests + 2);
  const stopMs = await end(app);
  assert.ok(stopMs < 1000, `${stopMs} ms`);
  assert.equal(app.report().uploads.wall, 0);
});

test('a TLS server that never answers the handshake does not hold the process', async () => {
  let connections = 0;
  const hole = createTcpServer(socket => {
    connections++;
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(hole, 'listening');
  try {
    const address = `https://127.0.0.1:${(hole.address() as AddressInfo).port}`;
    const options = pyroscopeOptions(address, { flushIntervalMs: 100, uploadTimeoutMs: 60_000 });
    const app = startProfiledApp(bundle, 'brief.js', options, { FIXTURE_FLUSH: 'never' });
    const { code, ms } = await app.exited;
    assert.equal(code, 0);
    assert.ok(connections >= 2, `${connections} connections`);
    assert.ok(ms < bareMs + 600 + 800, `${ms} ms, bare ${bareMs} ms`);
  } finally {
    hole.close();
  }
});

for (const [mode, text] of [
  ['hang', /no answer within 400 ms/],
  ['refuse', /ECONNREFUSED/],
  [500, /it answered 500: answer 500/],
  [307, /it answered 307/],
] as const) {
  test(`a server in mode ${mode} costs one warning, and gets the next window once it is back`, async () => {
    await server.setMode(mode);
    const app = startProfiledApp(
      bundle,
      'busy.js',
      pyroscopeOptions(server.address, { flushIntervalMs: 600 }),
    );
    await app.prints('ready');
    // More than one window of each kind, so that a warning per window would show.
    await app.prints('failed [2-9]\\d* [2-9]\\d*');
    assert.equal(server.profiles.length, 0);
    await server.setMode('ok');
    await Promise.all([
      server.profile(({ kind }) => kind === 'wall'),
      server.profile(({ kind }) => kind === 'heap'),
    ]);
    await end(app);
    const { failures, uploads, lastError } = app.report();
    assert.ok(failures.wall >= 2 && failures.heap >= 2, JSON.stringify(failures));
    assert.ok(uploads.wall >= 1 && uploads.heap >= 1, JSON.stringify(uploads));
    // On a busy machine the first or the last window may be lost to the one before it.
    assert.match(`${app.errors[0]} ${lastError}`, text);
    assert.equal(app.errors.length, 2, app.errors.join('\n'));
    assert.match(
      app.errors[0]!,
      /^warn: Pyroscope at http:\/\/127\.0\.0\.1:\d+ did not get a (wall|heap) profile: .*; the application runs on/,
    );
    assert.match(app.errors[1]!, /^warn: Pyroscope at \S+ takes profiles again; \d+ were lost$/);
  });
}

test('a server slower than the windows gets the newest one and no backlog', async () => {
  let underWay = 0;
  let most = 0;
  let taken = 0;
  const slow: Server = createServer((request, response) => {
    most = Math.max(most, ++underWay);
    request.resume().on('end', () =>
      setTimeout(() => {
        underWay--;
        taken++;
        response.end();
      }, 500),
    );
  }).listen(0, '127.0.0.1');
  await once(slow, 'listening');
  try {
    const address = `http://127.0.0.1:${(slow.address() as AddressInfo).port}`;
    const options = pyroscopeOptions(address, { flushIntervalMs: 100, uploadTimeoutMs: 5000 });
    const app = startProfiledApp(bundle, 'busy.js', options);
    await app.prints('ready');
    await new Promise(resolve => setTimeout(resolve, 2000));
    await end(app);
    const { uploads, failures, lastError } = app.report();
    assert.equal(most, 2, 'one upload of each kind');
    assert.equal(uploads.wall + uploads.heap, taken);
    assert.ok(failures.wall > uploads.wall, JSON.stringify({ uploads, failures }));
    assert.equal(lastError, 'the upload before it took too long');
  } finally {
    slow.close();
  }
});

test('an address that is no URL turns profiling off with one warning', async () => {
  const app = startProfiledApp(bundle, 'quick.js', pyroscopeOptions('ftp://user:secret@nowhere'));
  assert.equal((await app.exited).code, 0);
  assert.deepEqual(app.errors, [
    'warn: continuous profiling is off: Expected an http or https address, got ftp:',
  ]);
});

test('profilers that do not load turn profiling off with one warning', async () => {
  // The loader of native builds takes no other file while it is named one that is not there.
  const app = startProfiledApp(bundle, 'quick.js', pyroscopeOptions(server.address), {
    npm_config_platform: 'plan9',
  });
  assert.equal((await app.exited).code, 0);
  assert.ok(app.output.startsWith('done\n'));
  assert.equal(app.errors.length, 1, app.errors.join('\n'));
  assert.match(app.errors[0]!, /^warn: continuous profiling is off: No native build was found/);
});

test('an application that starts Pyroscope itself runs on, and profiles go to both', async () => {
  const own = await startIngestServer();
  try {
    const options = pyroscopeOptions(server.address, { flushIntervalMs: 200 });
    const app = startProfiledApp(bundle, 'own-pyroscope.js', options, { OWN_SERVER: own.address });
    await app.prints('stopped');
    await own.profile(({ application }) => application === 'own');
    // Its stop() stopped the profilers under the exporter, which starts them again.
    const from = server.profiles.length;
    for (const kind of ['wall', 'heap'])
      await server.profile(found => found.kind === kind && server.profiles.indexOf(found) >= from);
    await end(app);
    assert.equal(
      app.errors[0],
      'warn: the application starts Pyroscope too; each gets a part of the wall profiles',
    );
  } finally {
    await own.close();
  }
});

test('profiles arrive when the working directory was removed', async () => {
  const app = startProfiledApp(bundle, 'busy.js', pyroscopeOptions(server.address), {
    FIXTURE_REMOVE_CWD: '1',
  });
  const wall = await server.profile(({ kind }) => kind === 'wall');
  assert.match(wall.top('cpu/nanoseconds')[0]!.frame.name, /burnCpu/);
  await end(app);
  assert.deepEqual(app.errors, []);
});

test('nothing is printed while all goes well', async () => {
  const app = startProfiledApp(bundle, 'busy.js', pyroscopeOptions(server.address), { DEBUG: 'app:*' });
  await server.profile(({ kind }) => kind === 'wall');
  await end(app);
  assert.deepEqual(app.errors, []);
  assert.match(app.output, /^ready\n\nexporter \{.*\}\n$/);
});
