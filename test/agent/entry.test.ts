import assert from 'node:assert/strict';
import { test } from 'node:test';
import { folderWith, preload, register, repository, runApp, scrape, startApp } from '../helpers/app';

const server = `
const http = require('node:http');
http.createServer((request, response) => response.end('hello')).listen(0, '127.0.0.1', function () {
  console.log('listening on ' + this.address().port);
});`;
const files = folderWith({
  'package.json': '{"name": "shop-front", "version": "3.2.1"}',
  'server.js': server,
  'server.mjs': `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);${server}`,
  'prints.js': 'console.log("ran")',
  'prints.mjs': 'console.log("ran")',
});

for (const [way, script, options] of [
  ['--require', 'server.js', { nodeArgs: ['--require', preload] }],
  ['--import', 'server.mjs', { nodeArgs: ['--import', register] }],
  ['NODE_OPTIONS', 'server.js', { nodeArgs: [], env: { NODE_OPTIONS: `--require ${preload}` } }],
] as const) {
  test(`${way} makes an unchanged server show its vital signs and leaves its answers alone`, async () => {
    const app = startApp(files.path(script), options);
    const port = (await app.printed(/listening on (\d+)/))[1];
    const url = await app.metricsUrl();
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'hello');
    const text = await scrape(url);
    for (const line of [
      /^process_cpu_time_seconds_total\{cpu_mode="user"\} 0?\.?\d/m,
      /^v8js_memory_heap_used_bytes\{v8js_heap_space_name="old_space"\} \d{6,}$/m,
      /^nodejs_eventloop_time_seconds_total\{nodejs_eventloop_state="idle"\} /m,
      /^http_server_request_duration_seconds_count\{[^}]*http_response_status_code="200"[^}]*\} 1$/m,
      /^vitals_build_info\{[^}]*version="\d+\.\d+\.\d+"[^}]*\} 1$/m,
      /^target_info\{[^}]*service_name="shop-front"[^}]*service_version="3\.2\.1"/m,
    ]) {
      assert.match(text, line);
    }
    app.kill('SIGTERM');
    assert.equal((await app.exit).signal, 'SIGTERM');
  });
}

test('--require and --import together start the agent once', async () => {
  const app = startApp(files.path('server.mjs'), {
    nodeArgs: ['--require', preload, '--import', register],
    env: { OTEL_LOG_LEVEL: 'info' },
  });
  await app.printed(/listening on/);
  await app.metricsUrl();
  app.kill('SIGTERM');
  const { stderr } = await app.exit;
  assert.equal(stderr.match(/started in/g)?.length, 1, stderr);
  assert.equal(stderr.match(/metrics are served/g)?.length, 1, stderr);
});

test('a second copy of the package stays out of the way of the first', async () => {
  const { cpSync } = await import('node:fs');
  const copy = folderWith({ 'instrumentation/package.json': '{"main": "../dist/instrumentation/index.js"}' });
  cpSync(`${repository}/dist`, copy.path('dist'), { recursive: true });
  const exit = await runApp(files.path('prints.js'), {
    nodeArgs: ['--require', preload, '--require', copy.path('instrumentation')],
    env: { OTEL_LOG_LEVEL: 'info' },
  });
  assert.equal(exit.code, 0);
  assert.equal(exit.stderr.match(/started in/g)?.length, 1, exit.stderr);
});

test('OTEL_SDK_DISABLED=true loads nothing', async () => {
  const probe = folderWith({
    'probe.js':
      'console.log(Object.keys(require.cache).filter(file => !file.endsWith("probe.js")).join("\\n"))',
  });
  const exit = await runApp(probe.path('probe.js'), {
    nodeArgs: ['--require', preload, '--import', register],
    env: { OTEL_SDK_DISABLED: 'TRUE' },
  });
  const loaded = exit.stdout.trim().split('\n');
  assert.deepEqual(loaded, [`${repository}/dist/instrumentation/index.js`]);
  assert.equal(exit.stderr, '');
});

for (const [what, script, args] of [
  ['a CommonJS script', 'prints.js', ['--require', preload]],
  ['an ES module', 'prints.mjs', ['--import', register]],
] as const) {
  test(`${what} that has ended ends at once, with nothing more on its output than without the agent`, async () => {
    const bare = await runApp(files.path(script), { nodeArgs: [] });
    const exit = await runApp(files.path(script), {
      nodeArgs: args,
      env: { OTEL_EXPORTER_PROMETHEUS_PORT: '0' },
    });
    assert.equal(exit.code, 0);
    assert.equal(exit.stdout, bare.stdout);
    assert.ok(exit.ms < bare.ms + 1000, `took ${exit.ms} ms, bare ${bare.ms} ms`);
  });
}

test('npm and other tools under NODE_OPTIONS leave the port to the application that they start', async () => {
  const project = folderWith({
    'package.json': '{"name": "started-by-npm", "scripts": {"start": "node server.js"}}',
    'server.js': server,
  });
  const { execFileSync } = await import('node:child_process');
  const npm = execFileSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim();
  const app = startApp(npm, {
    nodeArgs: [],
    args: ['start'],
    cwd: project.dir,
    env: { NODE_OPTIONS: `--require ${preload}`, OTEL_LOG_LEVEL: 'info' },
  });
  const url = await app.metricsUrl();
  await app.printed(/listening on/);
  assert.match(await scrape(url), /target_info\{[^}]*service_name="started-by-npm"/);
  assert.equal(app.stderr().match(/started in/g)?.length, 1, app.stderr());
  const pid = Number(/process_pid="(\d+)"/.exec(await scrape(url))?.[1]);
  process.kill(pid, 'SIGTERM');
  await app.exit;
});
