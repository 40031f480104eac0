import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type Exit, folderWith, repository, runApp, startApp } from '../helpers/app';
import { type Trouble, troubledServer } from '../helpers/troubled-servers';

const files = folderWith({
  'server.js': `
    require('node:http').createServer((q, r) => r.end('x')).listen(0, '127.0.0.1', () => console.log('up'));`,
  'drains.js': `
    const signal = process.argv[2];
    const server = require('node:http').createServer((q, r) => r.end('x')).listen(0, '127.0.0.1', () => console.log('up'));
    process.on(signal, got => server.close(() => setTimeout(() => { console.log('drained after ' + got); process.exit(7); }, 200)));`,
  'closes.js': `
    // Ends because its server is closed and nothing is left to do, without process.exit.
    const server = require('node:http').createServer((q, r) => r.end('x')).listen(0, '127.0.0.1', () => console.log('up'));
    process.once('SIGTERM', () => { process.exitCode = 6; server.close(() => console.log('closed')); });`,
  'exits-at-once.js': `
    process.on('SIGTERM', () => process.exit(9));
    require('node:http').createServer(() => {}).listen(0, '127.0.0.1', () => console.log('up'));`,
  'ignores.js': `
    process.on('SIGTERM', () => { console.log('ignored'); setTimeout(() => { console.log('done'); process.exit(0); }, 300); });
    setInterval(() => {}, 1000);
    console.log('up');`,
  'signal-exit.cjs': `
    const { onExit } = require(${JSON.stringify(`${repository}/node_modules/signal-exit`)});
    onExit((code, signal) => console.log('last words: ' + code + ' ' + signal));
    require('node:http').createServer(() => {}).listen(0, '127.0.0.1', () => console.log('up'));`,
  'counts-listeners.js': `
    // Dies by the signal only when nobody else listens.
    function onTerm() {
      if (process.listenerCount('SIGTERM') === 1) { process.removeListener('SIGTERM', onTerm); process.kill(process.pid, 'SIGTERM'); }
    }
    process.on('SIGTERM', onTerm);
    require('node:http').createServer(() => {}).listen(0, '127.0.0.1', () => console.log('up'));`,
  'exit3.js': `setInterval(() => {}, 1000); setTimeout(() => process.exit(3), 50);`,
  'exit-code.js': `process.exitCode = 5;`,
  'before-exit.js': `
    const pool = { ended: false, end() { if (this.ended) throw new Error('ended twice'); this.ended = true; } };
    process.on('beforeExit', code => { console.log('beforeExit ' + code); pool.end(); });
    process.on('exit', code => console.log('exit ' + code + ' ' + Object.hasOwn(process, 'emit')));
    process.exitCode = 4;`,
  'before-exit-works.js': `
    let rounds = 0;
    process.on('beforeExit', () => { if (++rounds < 3) setTimeout(() => {}, 10); });
    process.on('exit', () => console.log('rounds ' + rounds));`,
  'throws.js': `setTimeout(() => { throw new Error('out of the blue'); }, 50);`,
  'catches.js': `
    process.on('uncaughtException', error => { console.log('caught ' + error.message); process.exit(11); });
    setTimeout(() => { throw new Error('out of the blue'); }, 50);`,
  'rejects.js': `Promise.reject(new TypeError('nobody caught this')); setInterval(() => {}, 1000);`,
  'dies.js': `setInterval(() => {}, 1000); process.kill(process.pid, process.argv[2]);`,
  'aborts.js': `process.abort();`,
});

const bareExits = new Map<string, Promise<Exit>>();
/** How a script ends without the agent; found out once. */
function runBare(script: string, args: readonly string[]): Promise<Exit> {
  const key = [script, ...args].join(' ');
  const known = bareExits.get(key) ?? runApp(files.path(script), { nodeArgs: [], args });
  bareExits.set(key, known);
  return known;
}

const deadlineMs = 700;
type Setup = 'Prometheus alone' | 'the admin server' | `servers: ${Trouble}`;
const setups: readonly Setup[] = [
  'Prometheus alone',
  'the admin server',
  'servers: refuses',
  'servers: hangs',
  'servers: answers 500',
];

for (const setup of setups) {
  describe(`with ${setup}`, { concurrency: 3 }, () => {
    let env: Record<string, string> = {};
    let close = async (): Promise<void> => {};
    before(async () => {
      if (setup === 'Prometheus alone') return;
      if (setup === 'the admin server') {
        env = { VITALS_ADMIN: 'true', VITALS_ADMIN_PORT: '0' };
        return;
      }
      const server = await troubledServer(setup.slice('servers: '.length) as Trouble);
      close = server.close;
      env = {
        OTEL_EXPORTER_OTLP_ENDPOINT: server.url,
        OTEL_METRICS_EXPORTER: 'prometheus,otlp',
        OTEL_METRIC_EXPORT_INTERVAL: '100',
        PYROSCOPE_SERVER_ADDRESS: server.url,
        VITALS_SHUTDOWN_TIMEOUT_MS: String(deadlineMs),
      };
    });
    after(() => close());

    /** Starts a script, and gives it a signal when it is up. */
    async function signalled(script: string, signal: NodeJS.Signals, args: readonly string[] = []) {
      const app = startApp(files.path(script), { env, args });
      await Promise.all([app.printed(/up/), app.metricsUrl()]);
      const begin = performance.now();
      app.kill(signal);
      const exit = await app.exit;
      return { ...exit, tookMs: performance.now() - begin };
    }

    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      test(`an HTTP server without a handler dies of ${signal}`, async () => {
        const exit = await signalled('server.js', signal);
        assert.equal(exit.signal, signal, exit.stderr);
        assert.ok(exit.tookMs < deadlineMs + 2500, `took ${exit.tookMs} ms`);
      });

      test(`a handler of ${signal} that drains decides how the application ends`, async () => {
        const exit = await signalled('drains.js', signal, [signal]);
        assert.equal(exit.code, 7, exit.stderr);
        assert.equal(exit.stdout, `up\ndrained after ${signal}\n`);
      });
    }

    test('an application that closes its server at SIGTERM ends, with its exit code', async () => {
      const exit = await signalled('closes.js', 'SIGTERM');
      assert.equal(exit.code, 6, exit.stderr);
      assert.equal(exit.stdout, 'up\nclosed\n');
      assert.ok(exit.tookMs < deadlineMs + 2500, `took ${exit.tookMs} ms`);
    });

    test('process.exit() in a handler ends at once with its code', async () => {
      const exit = await signalled('exits-at-once.js', 'SIGTERM');
      assert.equal(exit.code, 9, exit.stderr);
    });

    test('an application that does not die of SIGTERM lives on', async () => {
      const exit = await signalled('ignores.js', 'SIGTERM');
      assert.equal(exit.code, 0, exit.stderr);
      assert.equal(exit.stdout, 'up\nignored\ndone\n');
    });

    test('signal-exit, which counts listeners, has its say and dies of the signal', async () => {
      const exit = await signalled('signal-exit.cjs', 'SIGTERM');
      assert.equal(exit.signal, 'SIGTERM', exit.stderr);
      assert.equal(exit.stdout, 'up\nlast words: null SIGTERM\n');
    });

    test('a handler that counts the other listeners finds none', async () => {
      assert.equal((await signalled('counts-listeners.js', 'SIGTERM')).signal, 'SIGTERM');
    });

    test('a script that ends keeps its exit code, and ends within the deadline', async () => {
      const exit = await runApp(files.path('exit-code.js'), { env });
      assert.equal(exit.code, 5, exit.stderr);
      assert.ok(exit.ms < deadlineMs + 3500, `took ${exit.ms} ms`);
    });

    test('beforeExit comes once to a script that does something there, and nothing of ours stays behind', async () => {
      const exit = await runApp(files.path('before-exit.js'), { env });
      assert.equal(exit.stdout, 'beforeExit 4\nexit 4 false\n', exit.stderr);
      assert.equal(exit.code, 4, exit.stderr);
    });

    test('beforeExit comes again as often as a script gives the loop work there', async () => {
      const exit = await runApp(files.path('before-exit-works.js'), { env });
      assert.equal(exit.stdout, 'rounds 3\n', exit.stderr);
    });

    /** What ends a process without the agent must end it just so with it. */
    for (const [what, script, args] of [
      ['process.exit(3)', 'exit3.js', []],
      ['an uncaught exception', 'throws.js', []],
      ["an uncaught exception that the application's own handler gets", 'catches.js', []],
      ['an unhandled rejection', 'rejects.js', []],
      ['SIGHUP', 'dies.js', ['SIGHUP']],
      ['SIGKILL', 'dies.js', ['SIGKILL']],
      ['SIGUSR2', 'dies.js', ['SIGUSR2']],
      ['process.abort()', 'aborts.js', []],
    ] as const) {
      test(`${what} ends the process as without the agent`, async () => {
        const [bare, exit] = await Promise.all([
          runBare(script, args),
          runApp(files.path(script), { env, args }),
        ]);
        assert.deepEqual([exit.code, exit.signal], [bare.code, bare.signal], exit.stderr);
        assert.equal(exit.stdout, bare.stdout);
        const thrown = /\w*Error: .*/.exec(bare.stderr)?.[0] ?? '';
        assert.ok(exit.stderr.includes(thrown), exit.stderr);
        assert.ok(exit.ms < bare.ms + deadlineMs + 2000, `took ${exit.ms} ms, bare ${bare.ms} ms`);
      });
    }
  });
}

test('a second signal while the last flush hangs ends the process at once', async () => {
  const server = await troubledServer('hangs');
  const env = {
    OTEL_METRICS_EXPORTER: 'prometheus,otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: server.url,
    VITALS_SHUTDOWN_TIMEOUT_MS: '20000',
  };
  const app = startApp(files.path('server.js'), { env });
  await Promise.all([app.printed(/up/), app.metricsUrl()]);
  app.kill('SIGTERM');
  const first = await Promise.race([
    app.exit,
    new Promise(resolve => setTimeout(resolve, 300, 'still there')),
  ]);
  assert.equal(first, 'still there');
  app.kill('SIGTERM');
  const { signal, ms } = await app.exit;
  assert.equal(signal, 'SIGTERM');
  assert.ok(ms < 15_000, `took ${ms} ms`);
  await server.close();
});

test('a busy port costs one warning line and the metrics, not the application', async () => {
  const blocker = createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => blocker.once('listening', resolve));
  const { port } = blocker.address() as { port: number };
  const exit = await runApp(files.path('exit3.js'), { env: { OTEL_EXPORTER_PROMETHEUS_PORT: String(port) } });
  blocker.close();
  assert.equal(exit.code, 3);
  const lines = exit.stderr.trim().split('\n');
  assert.equal(lines.length, 1, exit.stderr);
  assert.match(
    lines[0]!,
    new RegExp(`^otel-vitals warn: metrics are not served: 127\\.0\\.0\\.1:${port} .*EADDRINUSE`),
  );
});

test('an address that this machine does not have costs one warning line', async () => {
  const exit = await runApp(files.path('exit3.js'), { env: { OTEL_EXPORTER_PROMETHEUS_HOST: '192.0.2.1' } });
  assert.equal(exit.code, 3);
  assert.match(exit.stderr, /^otel-vitals warn: metrics are not served: 192\.0\.2\.1:0 .*EADDRNOTAVAIL.*\n$/);
});

test('a scrape does not keep alive a script that has ended', async () => {
  const script = folderWith({ 'app.js': `setTimeout(() => console.log('done'), 1500);` });
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
