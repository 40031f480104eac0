import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { type App, folderWith, nodeBinary, preload, register, runApp, startApp } from '../helpers/app';
import { samplesFrom } from '../helpers/samples';

const files = folderWith({
  // Starts workers as it is told on stdin-less IPC: {start: name, role} or {end: name}; answers {online} and {gone}.
  'app.js': `
    const { Worker } = require('node:worker_threads');
    const workers = new Map();
    process.on('message', ({ start, role, end, crash, ...options }) => {
      if (start !== undefined) {
        const worker = new Worker(__dirname + '/worker.js', { name: start, argv: [role], ...options });
        workers.set(start, worker);
        worker.on('message', text => process.send({ [text]: start }));
        worker.on('error', () => {});
        worker.on('exit', () => process.send({ gone: start }));
      }
      if (end !== undefined) workers.get(end).terminate();
      if (crash !== undefined) workers.get(crash).postMessage('crash');
    });
    process.send({ ready: true });`,
  'worker.js': `
    const { parentPort, Worker } = require('node:worker_threads');
    const [, , role] = process.argv;
    const kept = role === 'holds' ? Array.from({ length: 500000 }, (_, i) => ({ i })) : [];
    parentPort.on('message', () => { throw new Error('as told'); });
    if (role === 'nests') new Worker(__filename, { argv: ['calm'] }).on('message', text => parentPort.postMessage('nested'));
    if (role === 'computes') setTimeout(() => { for (;;); }, 1);
    parentPort.postMessage('online');
    globalThis.kept = kept;`,
  'idle.mjs': 'setInterval(() => {}, 1000);',
  'esm.mjs': `
    import { Worker, isMainThread } from 'node:worker_threads';
    if (isMainThread) new Worker(new URL(import.meta.url)).on('exit', code => console.log('worker ended with ' + code));`,
  'crash.js': `
    const { Worker } = require('node:worker_threads');
    const worker = new Worker('throw new TypeError("in the worker")', { eval: true });
    worker.on('error', error => console.log('got ' + error.name + ': ' + error.message));
    worker.on('exit', code => console.log('exit ' + code));`,
  'fatal.js': `
    const { Worker } = require('node:worker_threads');
    new Worker('throw new TypeError("in the worker")', { eval: true });
    setInterval(() => {}, 1000);`,
  'memory.js': `
    const { Worker } = require('node:worker_threads');
    const code = 'const kept = []; for (;;) kept.push(new Array(10000).fill({}))';
    const worker = new Worker(code, { eval: true, resourceLimits: { maxOldGenerationSizeMb: 24 } });
    worker.on('error', error => console.log(error.code));`,
  'exits.js': `
    const { Worker, isMainThread } = require('node:worker_threads');
    if (isMainThread) new Worker(__filename).on('exit', code => { console.log('exit ' + code); });
    else { process.on('exit', code => console.log('leaving with ' + code)); process.exit(4); }`,
});

/** Node.js tells a worker its name since 22.20 and 24.6. */
const tellsNames =
  execFileSync(nodeBinary, ['-p', 'require("worker_threads").threadName === undefined'], {
    encoding: 'utf8',
  }).trim() === 'false';

/** Resolves with the next message of the application that has this key. */
function answer(app: App, key: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const look = (message: Record<string, unknown>): void => {
      if (!(key in message)) return;
      app.process.removeListener('message', look);
      resolve(message[key]);
    };
    app.process.on('message', look);
    void app.exit.then(({ stderr }) => reject(new Error(`Expected ${key}, got the end: ${stderr}`)));
  });
}

async function startPool(env = {}): Promise<{
  app: App;
  url: string;
  tell(message: object, expected: string): Promise<unknown>;
}> {
  const app = startApp(files.path('app.js'), { ipc: true, env });
  const ready = answer(app, 'ready');
  const url = await app.metricsUrl();
  await ready;
  const tell = (message: object, expected: string): Promise<unknown> => {
    const answered = answer(app, expected);
    app.process.send(message);
    return answered;
  };
  return { app, url, tell };
}

async function end(app: App): Promise<void> {
  app.kill('SIGTERM');
  const { signal, stderr } = await app.exit;
  assert.equal(signal, 'SIGTERM');
  assert.deepEqual(
    stderr
      .trim()
      .split('\n')
      .filter(line => !line.includes('metrics are served at')),
    [],
    'a worker said something, or opened a port',
  );
}

test("threads of Node.js and of the agent are not the application's", async () => {
  for (const nodeArgs of [
    ['--import', register],
    ['--require', preload],
  ]) {
    const app = startApp(files.path('idle.mjs'), {
      nodeArgs,
      env: { OTEL_EXPORTER_PROMETHEUS_PORT: '0', VITALS_ADMIN: 'true', VITALS_ADMIN_PORT: '0' },
    });
    const url = await app.metricsUrl();
    await app.printed(/admin server is at/, 'stderr');
    const samples = await samplesFrom(url);
    assert.equal(samples.value('vitals_worker_thread_count'), 0);
    assert.deepEqual(samples.labels('vitals_worker_thread_eventloop_utilization_ratio', 'thread_name'), []);
    app.kill('SIGTERM');
    await app.exit;
  }
});

test('worker threads show their heap and utilization by name, through the one endpoint, while they live', async () => {
  const { app, url, tell } = await startPool();
  assert.equal((await samplesFrom(url)).value('vitals_worker_thread_count'), 0);
  await tell({ start: 'holder', role: 'holds' }, 'online');
  await tell({ start: 'calm', role: 'calm' }, 'online');
  const both = await samplesFrom(url);
  assert.equal(both.value('vitals_worker_thread_count'), 2);
  const [holder, calm] = tellsNames ? ['holder', 'calm'] : ['worker-0', 'worker-1'];
  const name = 'vitals_worker_thread_heap_used_bytes';
  assert.deepEqual(both.labels(name, 'thread_name'), [holder, calm].sort());
  assert.ok(both.value(name, { thread_name: calm })! > 1e6);
  const share = both.value('vitals_worker_thread_eventloop_utilization_ratio', { thread_name: calm })!;
  assert.ok(share >= 0 && share <= 1, String(share));

  // Terminated, a worker says nothing any more.
  await tell({ end: 'holder' }, 'gone');
  const one = await samplesFrom(url);
  assert.equal(one.value('vitals_worker_thread_count'), 1);
  assert.deepEqual(one.labels(name, 'thread_name'), [calm]);
  await tell({ crash: 'calm' }, 'gone');
  const none = await samplesFrom(url);
  assert.equal(none.value('vitals_worker_thread_count'), 0);
  assert.deepEqual(none.labels(name, 'thread_name'), []);
  await end(app);
});

test('a worker that computes and reports nothing is seen to be busy', async () => {
  const { app, url, tell } = await startPool();
  await tell({ start: 'burner', role: 'computes' }, 'online');
  const busy = async (): Promise<number> =>
    (await samplesFrom(url)).value('vitals_worker_thread_eventloop_utilization_ratio') ?? 0;
  while ((await busy()) < 0.5) await new Promise(resolve => setTimeout(resolve, 50));
  await end(app);
});

test('workers of one name keep series of their own, and a worker of a worker is seen', async () => {
  const { app, url, tell } = await startPool();
  await tell({ start: 'twin', role: 'calm' }, 'online');
  await tell({ start: 'twin', role: 'calm' }, 'online');
  await tell({ start: 'parent', role: 'nests' }, 'nested');
  const samples = await samplesFrom(url);
  assert.equal(samples.value('vitals_worker_thread_count'), 4);
  assert.deepEqual(
    samples.labels('vitals_worker_thread_heap_used_bytes', 'thread_name'),
    tellsNames ? ['parent', 'twin', 'twin-2', 'worker-0'] : ['worker-0', 'worker-1', 'worker-2', 'worker-3'],
  );
  await end(app);
});

test('a worker without the preload is counted, and shows its utilization', async () => {
  const { app, url, tell } = await startPool();
  await tell({ start: 'bare', role: 'calm', execArgv: [] }, 'online');
  const samples = await samplesFrom(url);
  assert.equal(samples.value('vitals_worker_thread_count'), 1);
  assert.deepEqual(samples.of('vitals_worker_thread_heap_used_bytes'), []);
  assert.equal(samples.of('vitals_worker_thread_eventloop_utilization_ratio').length, 1);
  await end(app);
});

test('many workers at once and one after the other leave as many series as there are workers', async () => {
  const { app, url, tell } = await startPool();
  for (let round = 0; round < 3; round++) {
    const names = Array.from({ length: 8 }, (_, i) => `job-${round}-${i}`);
    for (const start of names) await tell({ start, role: 'calm' }, 'online');
    const samples = await samplesFrom(url);
    assert.equal(samples.value('vitals_worker_thread_count'), 8);
    assert.equal(samples.of('vitals_worker_thread_heap_used_bytes').length, 8);
    for (const name of names) await tell({ end: name }, 'gone');
  }
  assert.deepEqual((await samplesFrom(url)).of('vitals_worker_thread_heap_used_bytes'), []);
  await end(app);
});

for (const [what, nodeArgs] of [
  ['--require', ['--require', preload]],
  ['--import', ['--import', register]],
] as const) {
  test(`a worker that ends lets the process end, with ${what}`, async () => {
    const exit = await runApp(files.path('esm.mjs'), { nodeArgs });
    assert.equal(exit.code, 0, exit.stderr);
    assert.equal(exit.stdout, 'worker ended with 0\n');
  });
}

/** What a script does without the agent it must do with it. */
for (const [what, script] of [
  ['a worker that throws tells its parent', 'crash.js'],
  ['a worker that throws unheard ends the process', 'fatal.js'],
  ['a worker that runs out of memory tells its parent', 'memory.js'],
  ['a worker that exits keeps its exit code', 'exits.js'],
] as const) {
  test(what, async () => {
    const bare = await runApp(files.path(script), { nodeArgs: [] });
    const exit = await runApp(files.path(script), { env: { OTEL_EXPORTER_PROMETHEUS_PORT: '0' } });
    assert.deepEqual(
      [exit.code, exit.signal, exit.stdout],
      [bare.code, bare.signal, bare.stdout],
      exit.stderr,
    );
    assert.notEqual(bare.stdout + bare.stderr, '');
  });
}
