import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { folderWith, runApp, scrape, startApp } from '../helpers/app';

const files = folderWith({
  'server.js': `
    require('node:http').createServer((q, r) => r.end('x')).listen(0, '127.0.0.1', () => console.log('up'));`,
  'handles.js': `
    const signal = process.argv[2];
    const server = require('node:http').createServer((q, r) => r.end('x')).listen(0, '127.0.0.1', () => console.log('up'));
    process.on(signal, () => setTimeout(() => { console.log('drained'); process.exit(7); }, 300));`,
  'ignores.js': `
    process.on('SIGTERM', () => console.log('ignored'));
    setTimeout(() => { console.log('done'); process.exit(0); }, 1200);
    console.log('up');`,
  'counts-listeners.js': `
    // Dies by the signal only when nobody else listens, as the signal-exit package does.
    function onTerm() {
      if (process.listenerCount('SIGTERM') === 1) { process.removeListener('SIGTERM', onTerm); process.kill(process.pid, 'SIGTERM'); }
    }
    process.on('SIGTERM', onTerm);
    require('node:http').createServer(() => {}).listen(0, '127.0.0.1', () => console.log('up'));`,
  'exit3.js': `setInterval(() => {}, 1000); setTimeout(() => process.exit(3), 50);`,
  'exit-code.js': `process.exitCode = 5;`,
  'throws.js': `setTimeout(() => { throw new Error('out of the blue'); }, 50);`,
  'rejects.js': `Promise.reject(new TypeError('nobody caught this')); setInterval(() => {}, 1000);`,
});

/** Ways to run the agent: with nothing to flush, and with exporters whose servers are not there. */
const setups = {
  'Prometheus alone': {},
  'a Collector and a Pyroscope that refuse': {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    OTEL_METRICS_EXPORTER: 'prometheus,otlp',
    PYROSCOPE_SERVER_ADDRESS: 'http://127.0.0.1:9',
  },
} as const;

for (const [setup, env] of Object.entries(setups)) {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`an HTTP server without a handler dies of ${signal}, with ${setup}`, async () => {
      const app = startApp(files.path('server.js'), { env });
      await app.printed(/up/);
      await app.metricsUrl();
      const begin = performance.now();
      app.kill(signal);
      const exit = await app.exit;
      assert.equal(exit.signal, signal, exit.stderr);
      assert.ok(performance.now() - begin < 3000);
    });

    test(`an application's own ${signal} handler decides how it ends, with ${setup}`, async () => {
      const app = startApp(files.path('handles.js'), { env, args: [signal] });
      await app.printed(/up/);
      await app.metricsUrl();
      app.kill(signal);
      const exit = await app.exit;
      assert.equal(exit.code, 7, exit.stderr);
      assert.match(exit.stdout, /drained/);
    });
  }

  test(`an application that ignores SIGTERM lives on, with ${setup}`, async () => {
    const app = startApp(files.path('ignores.js'), { env });
    await app.printed(/up/);
    await app.metricsUrl();
    app.kill('SIGTERM');
    const exit = await app.exit;
    assert.equal(exit.code, 0, exit.stderr);
    assert.match(exit.stdout, /ignored\ndone/);
  });

  test(`a handler that counts the other listeners finds none, with ${setup}`, async () => {
    const app = startApp(files.path('counts-listeners.js'), { env });
    await app.printed(/up/);
    await app.metricsUrl();
    app.kill('SIGTERM');
    assert.equal((await app.exit).signal, 'SIGTERM');
  });

  test(`process.exit(3) exits with 3, with ${setup}`, async () => {
    const exit = await runApp(files.path('exit3.js'), { env });
    assert.equal(exit.code, 3, exit.stderr);
  });

  test(`process.exitCode is kept by a script that ends, with ${setup}`, async () => {
    const exit = await runApp(files.path('exit-code.js'), { env });
    assert.equal(exit.code, 5, exit.stderr);
    assert.ok(exit.ms < 3500, `took ${exit.ms} ms`);
  });

  test(`an uncaught exception ends the process as without the agent, with ${setup}`, async () => {
    const exit = await runApp(files.path('throws.js'), { env });
    assert.equal(exit.code, 1);
    assert.match(exit.stderr, /Error: out of the blue/);
  });

  test(`an unhandled rejection ends the process as without the agent, with ${setup}`, async () => {
    const exit = await runApp(files.path('rejects.js'), { env });
    assert.equal(exit.code, 1);
    assert.match(exit.stderr, /TypeError: nobody caught this/);
  });
}

test('a busy port costs one warning line and the metrics, not the application', async () => {
  const blocker = createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => blocker.once('listening', resolve));
  const { port } = blocker.address() as { port: number };
  const app = startApp(files.path('exit3.js'), { env: { OTEL_EXPORTER_PROMETHEUS_PORT: String(port) } });
  const exit = await app.exit;
  blocker.close();
  assert.equal(exit.code, 3);
  const lines = exit.stderr.trim().split('\n');
  assert.equal(lines.length, 1, exit.stderr);
  assert.match(
    lines[0]!,
    new RegExp(`^otel-vitals warn: metrics are not served: 127\\.0\\.0\\.1:${port} .*EADDRINUSE`),
  );
});

test('a scrape does not keep alive a script that has ended', async () => {
  const script = folderWith({
    'app.js': `setTimeout(() => console.log('done'), 1500);`,
  });
  const app = startApp(script.path('app.js'));
  const url = await app.metricsUrl();
  const { Agent, request } = await import('undici');
  const dispatcher = new Agent({ keepAliveTimeout: 60_000 });
  await (await request(url, { dispatcher })).body.text();
  const exit = await app.exit;
  await dispatcher.destroy();
  assert.equal(exit.code, 0, exit.stderr);
  assert.match(exit.stdout, /done/);
  assert.ok(exit.ms < 4000, `took ${exit.ms} ms`);
});

test('a forked child and its parent both report where each has a port of its own', async () => {
  const script = folderWith({
    'app.js': `
      const { fork } = require('node:child_process');
      if (process.argv[2] === 'child') { setInterval(() => {}, 1000); process.on('disconnect', () => process.exit()); }
      else { fork(__filename, ['child']); setTimeout(() => process.exit(0), 4000); }`,
  });
  const app = startApp(script.path('app.js'));
  await app.printed(/served at (\S+)[\s\S]*served at (\S+)/, 'stderr');
  const urls = [...app.stderr().matchAll(/served at (\S+)/g)].map(match => match[1]!);
  const pids = await Promise.all(urls.map(async url => /process_pid="(\d+)"/.exec(await scrape(url))?.[1]));
  assert.equal(new Set(pids).size, 2, pids.join());
  app.kill('SIGTERM');
  await app.exit;
});
