import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { folderWith, preload, repository, runApp, scrape, startApp } from '../helpers/app';

const files = folderWith({
  'fork.js': `
    const { fork } = require('node:child_process');
    if (process.argv[2] === 'child') {
      process.on('message', message => process.send({ echo: message }));
      process.on('disconnect', () => process.exit(0));
    } else {
      const child = fork(__filename, ['child']);
      child.on('message', message => console.log('child said ' + JSON.stringify(message)));
      child.send('hello');
      process.on('SIGTERM', () => child.disconnect());
      child.on('exit', code => { console.log('child exit ' + code); process.exit(0); });
    }`,
  'ends.js': `
    // A child that only has an IPC channel to its parent ends when the parent disconnects.
    const { fork } = require('node:child_process');
    if (process.argv[2] === 'child') process.on('message', () => {});
    else fork(__filename, ['child']).on('exit', (code, signal) => console.log('child ' + code + ' ' + signal)).disconnect();`,
  'cluster.js': `
    const cluster = require('node:cluster');
    const http = require('node:http');
    if (cluster.isPrimary) {
      cluster.fork(); cluster.fork();
      let listening = 0;
      cluster.on('listening', (worker, { port }) => { if (++listening === 2) console.log('listening on ' + port); });
      process.on('SIGTERM', () => cluster.disconnect(() => { console.log('all gone'); process.exit(0); }));
    } else {
      http.createServer((request, response) => response.end(String(process.pid))).listen(0, '127.0.0.1');
    }`,
  'spawns.js': `
    const { execFileSync } = require('node:child_process');
    process.stdout.write(execFileSync(process.execPath, ['-p', '6 * 7'], { encoding: 'utf8' }));`,
  'server.js': `
    require('node:http').createServer((q, r) => r.end('x')).listen(0, '127.0.0.1', () => console.log('up'));`,
});

/** Lines of the agent on stderr, but for where the metrics are. */
const complaints = (stderr: string): string[] =>
  stderr
    .split('\n')
    .filter(line => line.startsWith('otel-vitals') && !line.includes('metrics are served at'));

/** Process ids of the agents that said where their metrics are. */
async function reportingPids(stderr: string): Promise<string[]> {
  const urls = [...stderr.matchAll(/served at (\S+)/g)].map(match => match[1]!);
  return Promise.all(urls.map(async url => /process_pid="(\d+)"/.exec(await scrape(url))?.[1] ?? ''));
}

/** Runs `use` with a port that is taken. */
async function withBusyPort<T>(use: (port: number) => Promise<T>): Promise<T> {
  const blocker = createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => blocker.once('listening', resolve));
  try {
    return await use((blocker.address() as { port: number }).port);
  } finally {
    blocker.close();
  }
}

for (const [how, options] of [
  ['--require', {}],
  ['NODE_OPTIONS', { nodeArgs: [], env: { NODE_OPTIONS: `--require ${preload}` } }],
] as const) {
  test(`a forked child and its parent both report, and talk as without the agent, under ${how}`, async () => {
    const app = startApp(files.path('fork.js'), options);
    await app.printed(/child said/);
    await app.printed(/served at (\S+)[\s\S]*served at (\S+)/, 'stderr');
    const pids = await reportingPids(app.stderr());
    assert.equal(new Set(pids).size, 2, pids.join());
    app.kill('SIGTERM');
    const exit = await app.exit;
    assert.equal(exit.stdout, 'child said {"echo":"hello"}\nchild exit 0\n');
    assert.equal(exit.code, 0);
  });
}

test('a child that is only held by its channel ends when the parent lets go', async () => {
  const exit = await runApp(files.path('ends.js'));
  assert.equal(exit.stdout, 'child 0 null\n', exit.stderr);
  assert.deepEqual(complaints(exit.stderr), []);
});

test('a process that cannot have its port says so once, and so does each of its children', async () => {
  const exit = await withBusyPort(port =>
    runApp(files.path('spawns.js'), {
      nodeArgs: [],
      env: { NODE_OPTIONS: `--require ${preload}`, OTEL_EXPORTER_PROMETHEUS_PORT: String(port) },
    }),
  );
  assert.equal(exit.code, 0);
  assert.equal(exit.stdout, '42\n');
  assert.deepEqual(
    complaints(exit.stderr).map(line => /not served: 127\.0\.0\.1:\d+.*EADDRINUSE/.test(line)),
    [true, true],
    exit.stderr,
  );
});

describe('a cluster', () => {
  test('has metrics of the primary and of each worker where the port is 0, and shares its own port', async () => {
    const app = startApp(files.path('cluster.js'));
    const [, port] = await app.printed(/listening on (\d+)/);
    await app.printed(/(served at [\s\S]*){3}/, 'stderr');
    const pids = await reportingPids(app.stderr());
    assert.equal(new Set(pids).size, 3, app.stderr());
    assert.ok(pids.includes(String(app.pid)));
    const answer = await (await fetch(`http://127.0.0.1:${port}/`)).text();
    assert.ok(pids.includes(answer) && answer !== String(app.pid), answer);
    app.kill('SIGTERM');
    const exit = await app.exit;
    assert.match(exit.stdout, /all gone/);
    assert.equal(exit.code, 0);
    assert.deepEqual(complaints(exit.stderr), []);
  });

  test('leaves a fixed port to the primary, and each worker says once that it has none', async () => {
    // A port that was free a moment ago.
    const port = await withBusyPort(async free => free);
    const app = startApp(files.path('cluster.js'), {
      env: { OTEL_EXPORTER_PROMETHEUS_PORT: String(port), OTEL_LOG_LEVEL: 'info' },
    });
    const [, own] = await app.printed(/listening on (\d+)/);
    await app.printed(/(not served[\s\S]*){2}/, 'stderr');
    const text = await scrape(`http://127.0.0.1:${port}/metrics`);
    assert.ok(text.includes(`process_pid="${app.pid}"`));
    assert.match(await (await fetch(`http://127.0.0.1:${own}/`)).text(), /^\d+$/);
    app.kill('SIGTERM');
    const exit = await app.exit;
    assert.equal(exit.code, 0);
    assert.equal(exit.stderr.match(/warn: metrics are not served/g)?.length, 2, exit.stderr);
  });
});

describe('under NODE_OPTIONS', { concurrency: 3 }, () => {
  const env = { NODE_OPTIONS: `--require ${preload}`, OTEL_LOG_LEVEL: 'info' };
  const program = (name: string): string =>
    execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();

  for (const [name, script, args] of [
    ['npm', program('npm'), ['--version']],
    ['npx', program('npx'), ['--version']],
    ['the TypeScript compiler', `${repository}/node_modules/.bin/tsc`, ['--version']],
    ['biome', `${repository}/node_modules/.bin/biome`, ['--version']],
  ] as const) {
    test(`${name} is left alone`, async () => {
      const exit = await runApp(script, { nodeArgs: [], args, env });
      assert.equal(exit.code, 0, exit.stderr);
      assert.match(exit.stdout, /\d+\.\d+/);
      assert.ok(!exit.stderr.includes('otel-vitals'), exit.stderr);
    });
  }

  // Programs that are not installed here, under the paths where they are found.
  const elsewhere = {
    yarn: 'opt/yarn-v1.22.22/bin/yarn.js',
    "Yarn's versioned file": '.yarn/releases/yarn-4.9.1.cjs',
    pnpm: 'lib/node_modules/pnpm/bin/pnpm.cjs',
    'cross-env': 'node_modules/cross-env/dist/bin/cross-env.js',
    nodemon: 'node_modules/nodemon/bin/nodemon.js',
    "pm2's daemon": 'lib/node_modules/pm2/lib/Daemon.js',
  };
  const launcher = `require('node:child_process').spawn(process.execPath, [process.argv[2]], { stdio: 'inherit' })
    .on('exit', (code, signal) => signal ? process.kill(process.pid, signal) : process.exit(code));`;
  const installed = folderWith(Object.fromEntries(Object.values(elsewhere).map(path => [path, launcher])));
  for (const [name, path] of Object.entries(elsewhere)) {
    test(`${name} leaves the metrics port to the application that it starts`, async () => {
      const port = await withBusyPort(async free => free);
      const app = startApp(installed.path(path), {
        nodeArgs: [],
        args: [files.path('server.js')],
        env: { ...env, OTEL_EXPORTER_PROMETHEUS_PORT: String(port) },
      });
      await app.printed(/metrics are served/, 'stderr');
      const pid = Number(/process_pid="(\d+)"/.exec(await scrape(`http://127.0.0.1:${port}/metrics`))?.[1]);
      assert.notEqual(pid, app.pid);
      process.kill(pid, 'SIGTERM');
      const exit = await app.exit;
      assert.equal(exit.stderr.match(/started in/g)?.length, 1, exit.stderr);
    });
  }
});
