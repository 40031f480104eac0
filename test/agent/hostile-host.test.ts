import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type App, folderWith, nodeBinary, preload, runApp, startApp } from '../helpers/app';
import { samplesFrom } from '../helpers/samples';
import { troubledServer } from '../helpers/troubled-servers';

/** Serves HTTP once it is told to, and says where that is and where the metrics are, on stdout. */
const serve = `
  const out = process.stdout;
  globalThis[Symbol.for('otel-vitals.agent')].prometheus.then(({ url }) => out.write('metrics at ' + url + '\\n'));
  const answer = () => require('node:http').createServer((request, response) => response.end('hello'))
    .listen(0, '127.0.0.1', function () { out.write('listening on ' + this.address().port + '\\n'); });`;

/** Code that publishes what no subscriber expects. */
function publishes(channels: readonly string[]): string {
  return `
    const { channel } = require('node:diagnostics_channel');
    for (const name of ${JSON.stringify(channels)})
      for (const message of [undefined, null, 0, 'text', {}, { worker: null }, { request: {}, response: {}, socket: {}, server: {} }])
        channel(name).publish(message);`;
}

/** What applications do to their own process. Each must go on working, and its metrics with it. */
const manners: Record<string, string> = {
  'replaces process.on by one that refuses our listeners': `
    for (const name of ['on', 'once', 'addListener', 'prependListener', 'removeListener', 'off'])
      process[name] = function () { throw new Error(name + ' is not for you'); };`,
  'takes every listener off the process': `process.removeAllListeners();`,
  'replaces console': `
    globalThis.console = new Proxy({}, { get() { return () => { throw new Error('no console'); }; } });`,
  'replaces process.stderr.write by one that throws': `
    process.stderr.write = () => { throw new Error('no stderr'); };`,
  'deletes the globals of the web': `
    for (const name of ['performance', 'URL', 'TextEncoder', 'TextDecoder', 'fetch', 'AbortController', 'queueMicrotask', 'structuredClone', 'Event', 'EventTarget', 'Buffer'])
      delete globalThis[name];`,
  'takes the timers and the clock for a test': `
    for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'queueMicrotask'])
      globalThis[name] = () => { throw new Error(name + ' is mocked'); };
    globalThis.Date = class extends Date { static now() { throw new Error('no time'); } };
    Object.defineProperty(globalThis, 'performance', { value: { now() { throw new Error('no time'); } } });`,
  'hides process from its scripts': `
    const { process: own } = globalThis; delete globalThis.process; setTimeout(() => { globalThis.process = own; }, 300);`,
  'puts enumerable nonsense on Object.prototype and Array.prototype': `
    Object.prototype.nonsense = function () {}; Array.prototype.extra = 'nonsense';`,
  'freezes what it can': `
    for (const value of [Object, Array, Map, Set, Promise, Function, Symbol, Math, JSON]) { Object.freeze(value); if (value.prototype) Object.freeze(value.prototype); }`,
  'counts its requests by overriding http.Server.prototype.emit': `
    const { Server } = require('node:http'); const { emit } = Server.prototype; let requests = 0;
    Server.prototype.emit = function (event, ...rest) { if (event === 'request') requests++; return emit.call(this, event, ...rest); };`,
  'lets http.Server.prototype.listen serve one address only': `
    const { Server } = require('node:net'); const { listen } = Server.prototype; let taken = false;
    Server.prototype.listen = function (...args) { if (taken) throw new Error('one server only'); taken = true; return listen.apply(this, args); };`,
  'makes responses throw when they end twice, and writes its own headers': `
    const { ServerResponse } = require('node:http'); const { writeHead } = ServerResponse.prototype;
    ServerResponse.prototype.writeHead = function (...args) { this.setHeader('x-powered-by', 'shop'); return writeHead.apply(this, args); };`,
  'replaces Module.prototype.require and Module._load': `
    const Module = require('node:module'); const { require: own } = Module.prototype;
    Module.prototype.require = function (id) { return own.call(this, id); };`,
  'uses GCProfiler, a PerformanceObserver and monitorEventLoopDelay itself': `
    const { GCProfiler } = require('node:v8'); const { PerformanceObserver, monitorEventLoopDelay } = require('node:perf_hooks');
    const profiler = new GCProfiler(); profiler.start(); setTimeout(() => { if (!profiler.stop().statistics) throw new Error('no report'); }, 100);
    new PerformanceObserver(() => {}).observe({ entryTypes: ['gc', 'http', 'net', 'dns'] }); monitorEventLoopDelay().enable();`,
  'walks and clones its globals': `
    for (const key of Reflect.ownKeys(globalThis)) void String(key); if (JSON.stringify(Object.keys(globalThis)).includes('vitals')) throw new Error('leaked');`,
  'has its own uncaughtException handler and fails': `
    process.on('uncaughtException', () => {}); setTimeout(() => { throw new Error('swallowed'); }, 50);`,
  'sets a capture callback for uncaught exceptions': `
    process.setUncaughtExceptionCaptureCallback(error => { require('node:fs').writeSync(1, 'captured ' + error.message); });`,
  'publishes nonsense on the channels of Node.js': publishes([
    'worker_threads',
    'http.server.request.start',
    'http.server.response.finish',
    'http.client.request.start',
    'http.client.response.finish',
  ]),
};

/** The official instrumentation of undici, which is loaded for traces, does not bear these. */
const mannersUntraced: Record<string, string> = {
  'publishes nonsense on the channels of undici': publishes([
    'undici:request:create',
    'undici:request:headers',
    'undici:request:trailers',
    'undici:request:error',
    'undici:client:connected',
  ]),
};

/** Scrapes, and has the application answer before and after. */
async function lives(app: App): Promise<void> {
  const [, port] = await app.printed(/listening on (\d+)/);
  const url = (await app.printed(/metrics at (\S+)/))[1]!;
  for (let round = 0; round < 2; round++) {
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'hello');
    const samples = await samplesFrom(url);
    assert.ok(samples.value('process_memory_usage_bytes')! > 0);
    assert.ok(samples.value('process_uptime_seconds')! > 0);
    assert.ok(
      samples.value('nodejs_eventloop_time_seconds_total', { nodejs_eventloop_state: 'active' })! > 0,
    );
    assert.ok(samples.count('http_server_request_duration_seconds') >= round);
  }
}

for (const [setup, pushes] of [
  ['the endpoint alone', false],
  ['OTLP and profiles pushed to servers that answer 500', true],
] as const) {
  describe(`with ${setup}`, { concurrency: 3 }, () => {
    for (const [what, code] of Object.entries({ ...manners, ...(pushes ? {} : mannersUntraced) })) {
      test(`an application lives on that ${what}`, async () => {
        const server = pushes ? await troubledServer('answers 500') : undefined;
        const files = folderWith({ 'app.js': `${serve}\n${code}\nanswer();` });
        const app = startApp(files.path('app.js'), {
          env:
            server === undefined
              ? {}
              : {
                  OTEL_EXPORTER_OTLP_ENDPOINT: server.url,
                  OTEL_METRICS_EXPORTER: 'prometheus,otlp',
                  OTEL_METRIC_EXPORT_INTERVAL: '100',
                  PYROSCOPE_SERVER_ADDRESS: server.url,
                  PYROSCOPE_FLUSH_INTERVAL_MS: '200',
                  VITALS_SHUTDOWN_TIMEOUT_MS: '500',
                },
        });
        await lives(app);
        app.kill('SIGTERM');
        const exit = await app.exit;
        await server?.close();
        assert.equal(exit.signal, 'SIGTERM', exit.stderr);
        assert.doesNotMatch(exit.stderr, /^\s+at /m);
      });
    }
  });
}

describe('where the process runs', { concurrency: 3 }, () => {
  const app = folderWith({
    'app.js': `${serve} answer();`,
    'prints.js': `console.log('ran'); console.error('erred');`,
  });

  /** A shell that prepares and then becomes node. */
  const under = (
    prepare: string,
    script: string,
  ): Promise<{ code: number | null; stdout: string; stderr: string }> =>
    shell(`${prepare} exec "${nodeBinary}" --require "${preload}" "${script}"`);

  test('a reader of stderr that has gone does not end the process', async () => {
    const child = spawn(nodeBinary, ['--require', preload, app.path('app.js')], {
      env: { ...process.env, OTEL_EXPORTER_PROMETHEUS_PORT: '0', OTEL_LOG_LEVEL: 'info' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stderr.destroy();
    const [data] = await once(child.stdout, 'data');
    const port = /listening on (\d+)/.exec(String(data))?.[1];
    // The agent has written by now, and the error has had its turn.
    for (let i = 0; i < 3; i++)
      assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'hello');
    assert.equal(child.exitCode, null);
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [null, 'SIGTERM']);
  });

  test('a closed stderr does not end the process', async () => {
    const exit = await under('exec 2>&-;', app.path('prints.js'));
    assert.deepEqual([exit.code, exit.stdout], [0, 'ran\n']);
  });

  test('a full stderr does not end the process', async () => {
    const exit = await under('exec 2>/dev/full;', app.path('prints.js'));
    assert.equal(exit.stdout, 'ran\n');
    assert.equal(
      exit.code,
      (await shell(`exec 2>/dev/full; exec "${nodeBinary}" "${app.path('prints.js')}"`)).code,
    );
  });

  test('few file descriptors are enough, or cost the metrics alone', async () => {
    for (const limit of [40, 24, 20]) {
      const bare = await shell(`ulimit -n ${limit}; exec "${nodeBinary}" "${app.path('prints.js')}"`);
      const exit = await under(`ulimit -n ${limit};`, app.path('prints.js'));
      assert.deepEqual([exit.code, exit.stdout], [bare.code, bare.stdout], exit.stderr);
    }
  });

  test('a working directory that is gone is no hindrance', async () => {
    const place = folderWith({});
    mkdirSync(place.path('gone'));
    const exit = await under(`cd "${place.path('gone')}"; rmdir ../gone;`, app.path('prints.js'));
    const bare = await shell(
      `cd "${place.dir}"; mkdir gone; cd gone; rmdir ../gone; exec "${nodeBinary}" "${app.path('prints.js')}"`,
    );
    assert.deepEqual([exit.code, exit.stdout], [bare.code, bare.stdout], exit.stderr);
  });

  test('nothing is written where the process runs', async () => {
    const { readdirSync } = await import('node:fs');
    const place = folderWith({ 'prints.js': `console.log('ran')` });
    await runApp(place.path('prints.js'), { cwd: place.dir });
    assert.deepEqual(readdirSync(place.dir), ['prints.js']);
  });

  test('a package.json that is no JSON, is huge or is a folder costs the name alone', async () => {
    const broken = folderWith({
      'package.json': '{"name": ',
      'a/package.json': `{"x":"${'y'.repeat(1e6)}"}`,
      'a/b/package.json/x': '',
      'a/b/app.js': `${serve}answer();`,
    });
    const started = startApp(broken.path('a/b/app.js'));
    const samples = await samplesFrom(await started.metricsUrl());
    assert.deepEqual(samples.labels('target_info', 'service_name'), ['unknown_service:node']);
    started.kill('SIGTERM');
    await started.exit;
  });
});

async function shell(command: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn('sh', ['-c', command], {
    env: { ...process.env, OTEL_EXPORTER_PROMETHEUS_PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output };
}
