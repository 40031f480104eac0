import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { build } from 'esbuild';
import type { CaptureRecord } from '../../instrumentation/profiling/capture';
import { type AdminApp, profilingApps, startAdminApp } from '../helpers/admin-app';
import { preload, repository, runApp } from '../helpers/app';
import { startIngestServer } from '../helpers/ingest-server';
import type { DecodedPprof } from '../helpers/pprof';
import { buildFolder } from '../helpers/pyroscope-app';

const running: AdminApp[] = [];
after(() => Promise.all(running.map(app => app.app.kill('SIGKILL'))));

async function start(...args: Parameters<typeof startAdminApp>): Promise<AdminApp> {
  const app = await startAdminApp(...args);
  running.push(app);
  return app;
}

const first = (profile: DecodedPprof, type = 'cpu/nanoseconds'): string => profile.top(type)[0]!.name;

/** Reads again until a profile that grows by itself has what is looked for. */
async function until(
  app: AdminApp,
  path: string,
  fits: (profile: DecodedPprof) => boolean,
): Promise<DecodedPprof> {
  const giveUp = Date.now() + 30_000;
  for (;;) {
    const profile = await app.pprof(path);
    if (fits(profile) || Date.now() > giveUp) return profile;
    await new Promise(resolve => setTimeout(resolve, 200));
  }
}
const shows = (name: RegExp) => (profile: DecodedPprof) =>
  profile.samples.some(({ frames }) => frames.some(frame => name.test(frame.name)));

test('an event loop that blocks for ever is named, from inside, while it blocks', async () => {
  const app = await start('known.js', { args: ['leak', 'blocked'] });
  const block = await until(app, '/debug/pprof/block', shows(/:waitForEver$/));
  assert.ok(shows(/known\.js:waitForEver$/)(block), JSON.stringify(block.samples));
  assert.match(first(await app.pprof('/debug/pprof/profile?seconds=1')), /known\.js:(spin|waitForEver):\d+$/);
  const heap = await app.pprof('/debug/pprof/heap');
  assert.deepEqual(heap.types, ['inuse_space/bytes']);
  assert.ok(heap.comments.some(comment => /the event loop is blocked/.test(comment)));

  const status = await app.json<{ mainThread: { answers: boolean; blockedMs: number } }>('/profiling/status');
  assert.equal(status.mainThread.answers, false);
  assert.ok(status.mainThread.blockedMs > 1000);
  assert.match(await (await app.get('/debug/pprof/')).text(), /The event loop is blocked/);
  assert.equal((await app.get('/debug/pprof/trace?seconds=0.2')).status, 200);
  const goroutine = await app.get('/debug/pprof/goroutine');
  assert.equal(goroutine.status, 503);
  assert.match(await goroutine.text(), /did not answer within 5000 ms/);

  const vitals = await app.get('/vitals');
  assert.equal(vitals.status, 503);
  assert.match(
    await vitals.text(),
    /^the main thread did not answer within 5000 ms \(route\): its event loop is blocked/,
  );

  app.app.kill('SIGTERM');
  assert.equal((await app.app.exit).signal, 'SIGTERM');
});

test('a process that waits in native code answers too, and its stall goes to the line that waits', async () => {
  const app = await start('known.js', { args: ['native'] });
  const block = await until(app, '/debug/pprof/block', shows(/:waitForChild$/));
  assert.ok(shows(/known\.js:waitForChild$/)(block), JSON.stringify(block.samples));
  await app.end();
});

test('under --inspect captures work, and the process ends as it should', async () => {
  const app = await start('known.js', {
    args: ['busy', 'stall'],
    nodeArgs: ['--inspect=127.0.0.1:0', '--require', preload],
  });
  assert.match(first(await app.pprof('/debug/pprof/profile?seconds=1')), /priceCatalogue|spin/);
  const block = await until(app, '/debug/pprof/block', shows(/:writeReport$/));
  assert.ok(shows(/:writeReport$/)(block));
  app.app.kill('SIGTERM');
  assert.equal((await app.app.exit).signal, 'SIGTERM');
  const brief = await runApp(join(profilingApps, 'brief.js'), {
    nodeArgs: ['--inspect=127.0.0.1:0', '--require', preload],
    env: { VITALS_ADMIN: 'true', VITALS_ADMIN_PORT: '0', OTEL_METRICS_EXPORTER: 'none' },
  });
  assert.deepEqual([brief.code, brief.stdout], [0, 'done\n'], brief.stderr);
});

test('an application that profiles itself gets its own profile whole, and we ours', async () => {
  const app = await start('own-inspector.js');
  await app.app.printed(/ready/);
  assert.match(
    first(await app.pprof('/debug/pprof/profile?seconds=1')),
    /own-inspector\.js:priceCatalogue:\d+$/,
  );
  const heap = await app.pprof('/debug/pprof/heap');
  assert.ok(heap.total('inuse_space/bytes') > 0);
  app.app.kill('SIGUSR2');
  const { code, stdout } = await app.app.exit;
  assert.equal(code, 0);
  const [, own, all, heapNodes] = /own (\d+) of (\d+), heap (\d+)/.exec(stdout) ?? [];
  assert.ok(Number(own) > 100 && Number(own) < Number(all), stdout);
  assert.ok(Number(heapNodes) > 0, stdout);
});

test("while Pyroscope's continuous profiling runs, each finds the function, and its heap sampling is left alone", async () => {
  const pyroscope = await startIngestServer(60_000);
  const app = await start('known.js', {
    args: ['busy', 'leak'],
    env: {
      PYROSCOPE_SERVER_ADDRESS: pyroscope.address,
      PYROSCOPE_FLUSH_INTERVAL_MS: '1000',
      PYROSCOPE_HEAP_SAMPLING_INTERVAL_BYTES: '65536',
    },
  });
  try {
    const during = app.pprof('/debug/pprof/profile?seconds=4');
    await pyroscope.profile(({ kind, samples }) => kind === 'wall' && samples.length > 0);
    pyroscope.profiles.length = 0;
    const [wall, profile] = await Promise.all([
      pyroscope.profile(({ kind, samples }) => kind === 'wall' && samples.length > 0),
      during,
    ]);
    // It counts the time of V8's helper threads too, as a function without a file.
    const theirs = wall.top('cpu/nanoseconds').filter(({ frame }) => frame.file !== '');
    assert.match(theirs[0]!.frame.name, /known\.js:priceCatalogue:\d+$/);
    assert.match(first(profile), /known\.js:priceCatalogue:\d+$/);
    const share = profile.top('cpu/nanoseconds')[0]!.value / 1e6 / profile.durationMs;
    assert.ok(share > 0.15 && share < 0.95, String(share));

    const heap = await until(app, '/debug/pprof/heap', shows(/rememberSession/));
    assert.match(first(heap, 'inuse_space/bytes'), /rememberSession|external/);
    assert.deepEqual(heap.comments, ['sampled by continuous profiling or by the application']);
    assert.equal(heap.period, 65_536);
    const allocs = await app.get('/debug/pprof/allocs?seconds=1');
    assert.equal(allocs.status, 409);
    assert.match(await allocs.text(), /heap sampler is in use by continuous profiling/);

    pyroscope.profiles.length = 0;
    const later = await pyroscope.profile(({ kind, samples }) => kind === 'heap' && samples.length > 0);
    assert.ok(
      later.samples.some(({ frames }) => frames.some(({ name }) => name.includes('rememberSession'))),
    );
    await pyroscope.profile(({ kind, samples }) => kind === 'wall' && samples.length > 0);
  } finally {
    await app.end();
    await pyroscope.close();
  }
});

for (const minify of [false, true]) {
  test(`TypeScript is named by its own file and line${minify ? ', minified too' : ''}`, async () => {
    const source = join(profilingApps, 'typescript', 'pricing.ts');
    const outfile = join(buildFolder(), 'app.js');
    await build({
      entryPoints: [join(profilingApps, 'typescript', 'app.ts')],
      outfile,
      bundle: true,
      platform: 'node',
      sourcemap: true,
      minify,
    });
    const app = await start(outfile);
    const [top] = (await app.pprof('/debug/pprof/profile?seconds=2')).top('cpu/nanoseconds');
    assert.equal(top!.frame.file, source);
    assert.match(top!.name, /typescript\/pricing\.ts:priceOrders:5$/);
    if (!minify) assert.ok([5, 6, 7].includes(top!.frame.line), String(top!.frame.line));
    const block = await until(app, '/debug/pprof/block', profile =>
      profile.samples.some(({ frames }) => frames.some(({ file }) => file === source)),
    );
    const stall = block.samples.find(({ frames }) => frames.some(({ file }) => file === source))!;
    const outer = stall.frames.findLast(({ file }) => file === source)!;
    if (!minify) assert.match(outer.name, /pricing\.ts:blockOnOrders$/);
    assert.ok([12, 13].includes(outer.line), JSON.stringify(stall));
    await app.end();
  });
}

test('with source maps off profiles name the code that runs', async () => {
  const outfile = join(buildFolder(), 'app.js');
  const entryPoints = [join(profilingApps, 'typescript', 'app.ts')];
  await build({ entryPoints, outfile, bundle: true, platform: 'node', sourcemap: true });
  const app = await start(outfile, { env: { VITALS_SOURCE_MAPS: 'false' } });
  const [top] = (await app.pprof('/debug/pprof/profile?seconds=1')).top('cpu/nanoseconds');
  assert.equal(top!.frame.file, outfile);
  await app.end();
});

test('with an interval of 0 the heap is sampled from the first asking on', async () => {
  const app = await start('known.js', {
    args: ['leak'],
    env: { VITALS_CAPTURE_HEAP_INTERVAL_BYTES: '0' },
  });
  const begin = Date.now();
  const asked = await app.pprof('/debug/pprof/heap');
  const since = Date.parse(/^sampled since (\S+)$/.exec(asked.comments[0]!)![1]!);
  assert.ok(since >= begin - 1000 && !shows(/rememberSession/)(asked), asked.comments[0]);
  const later = await until(app, '/debug/pprof/heap', shows(/rememberSession/));
  assert.ok(shows(/rememberSession/)(later));
  await app.end();
});

test('allocs leaves a heap profile with what was in use before it', async () => {
  const app = await start('known.js', { args: ['leak'] });
  const bytes = (profile: DecodedPprof): number =>
    profile
      .top('inuse_space/bytes')
      .filter(({ name }) => /rememberSession/.test(name))
      .reduce((total, { value }) => total + value, 0);
  const before = await until(app, '/debug/pprof/heap', profile => bytes(profile) > 8 * 2 ** 20);
  await app.pprof('/debug/pprof/allocs?seconds=1');
  const later = await app.pprof('/debug/pprof/heap');
  assert.ok(bytes(later) >= 0.9 * bytes(before), `${bytes(before)} and then ${bytes(later)}`);
  assert.match(later.comments.join(), /an allocs capture began the sampling anew/);
  await app.end();
});

test('where Node.js permits no worker, that is one warning and the application runs', async () => {
  const major = Number(/v(\d+)/.exec((await runApp(['-p', 'process.version'], { nodeArgs: [] })).stdout)![1]);
  const flag = major >= 24 ? '--permission' : '--experimental-permission';
  const { code, stdout, stderr } = await runApp(['-e', 'console.log("done")'], {
    nodeArgs: [flag, '--allow-fs-read=*', '--no-warnings', '--require', preload],
    env: { VITALS_ADMIN: 'true', VITALS_ADMIN_PORT: '0', OTEL_METRICS_EXPORTER: 'none' },
  });
  assert.deepEqual([code, stdout], [0, 'done\n']);
  assert.match(stderr, /^otel-vitals warn: the admin server did not start: Access to this API .*\n$/);
});

test('ES modules loaded by --import are profiled by their paths', async () => {
  const app = await start('modules.mjs', {
    nodeArgs: ['--import', join(repository, 'instrumentation', 'register.mjs')],
  });
  const [top] = (await app.pprof('/debug/pprof/profile?seconds=1')).top('cpu/nanoseconds');
  assert.equal(top!.frame.file, join(profilingApps, 'modules.mjs'));
  assert.match(top!.name, /modules\.mjs:computeRates:\d+$/);
  await app.end();
});

test("an application's own worker threads and children have no server and no watch of their own", async () => {
  const script = `
    const { Worker, isMainThread } = require('node:worker_threads');
    const { execFileSync } = require('node:child_process');
    if (isMainThread) {
      new Worker(__filename).on('exit', code => {
        console.log('worker ' + code);
        execFileSync(process.execPath, ['-e', '0'], { stdio: 'inherit' });
        console.log('child');
      });
    }`;
  const file = join(buildFolder(), 'threads.js');
  writeFileSync(file, script);
  const { code, stdout, stderr } = await runApp(file, {
    nodeArgs: [],
    env: {
      NODE_OPTIONS: `--require ${preload}`,
      VITALS_ADMIN: 'true',
      VITALS_ADMIN_PORT: '0',
      OTEL_METRICS_EXPORTER: 'none',
    },
  });
  assert.deepEqual([code, stdout], [0, 'worker 0\nchild\n'], stderr);
  // One of this process, one of the child, whose port is its own; none of the worker.
  assert.ok(
    stderr
      .trim()
      .split('\n')
      .filter(line => line !== '').length <= 2,
    stderr,
  );
});

for (const [how, expected] of [
  ['SIGTERM', { code: null, signal: 'SIGTERM' }],
  ['SIGINT', { code: null, signal: 'SIGINT' }],
  ['finish', { code: 0, signal: null }],
] as const) {
  test(`a process that ends by ${how} keeps what the captures under way have gathered`, async () => {
    const app = await start('exits.js', { args: ['finish'], env: { VITALS_SHUTDOWN_TIMEOUT_MS: '20000' } });
    for (const kind of ['cpu', 'trace'])
      assert.equal((await app.post(`/profiling/start?type=${kind}&duration=5m`)).status, 202);
    await until(app, '/debug/pprof/block', shows(/:holdUp$/));
    app.app.kill(how === 'finish' ? 'SIGUSR2' : how);
    const { code, signal, stderr } = await app.app.exit;
    assert.deepEqual({ code, signal }, expected, stderr);
    assert.doesNotMatch(stderr, /debugger/);
    const records = readdirSync(app.folder)
      .filter(name => name.endsWith('.json'))
      .map(name => JSON.parse(readFileSync(join(app.folder, name), 'utf8')) as CaptureRecord);
    assert.deepEqual(records.map(({ kind, stopped }) => [kind, stopped]).sort(), [
      ['cpu', true],
      ['trace', true],
    ]);
    for (const { id, kind, bytes, durationMs } of records) {
      const name = `${id}.${kind === 'cpu' ? 'pb' : 'trace.json'}.gz`;
      assert.equal(statSync(join(app.folder, name)).size, bytes);
      assert.ok(durationMs < 120_000, String(durationMs));
    }
  });
}

const captures = ['profile', 'trace', 'allocs'].map(kind => `/debug/pprof/${kind}?seconds=60`);
for (const [how, expected] of [
  ['exit', 3],
  ['throw', 1],
  ['finish', 0],
] as const) {
  test(`a process that ends by ${how} in the middle of captures does so at once, with its exit code and no word of a debugger`, async () => {
    const pyroscope = await startIngestServer();
    try {
      for (const [paths, env] of [
        ...captures.map(path => [[path], {}] as const),
        // After a stall the worker keeps its way to the main thread's stack.
        [[], {}] as const,
        [[captures[0]!], { PYROSCOPE_SERVER_ADDRESS: pyroscope.address }] as const,
      ]) {
        const app = await start('exits.js', { args: [how], env });
        const asked = paths.map(path =>
          app.get(path).then(
            ({ status }) => status,
            () => 'cut off',
          ),
        );
        if (paths.length === 0) await until(app, '/debug/pprof/block', shows(/:holdUp$/));
        const status = () => app.json<{ running: unknown[] }>('/profiling/status');
        while ((await status()).running.length < paths.length);
        const begin = performance.now();
        app.app.kill('SIGUSR2');
        const { code, signal, stderr } = await app.app.exit;
        const what = `${paths}: ${stderr}`;
        assert.deepEqual([code, signal], [expected, null], what);
        assert.ok(performance.now() - begin < 5000, `${what} took ${performance.now() - begin} ms`);
        assert.doesNotMatch(stderr, /debugger/, what);
        assert.deepEqual(
          await Promise.all(asked),
          paths.map(() => 'cut off'),
        );
      }
    } finally {
      await pyroscope.close();
    }
  });
}
