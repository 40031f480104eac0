import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { before, test } from 'node:test';
import { type AppOptions, folderWith, repository, scrape, startApp } from '../helpers/app';

const app = `
const app = express();
app.get('/hello/:name', (request, response) => response.json({ hello: request.params.name }));
const server = app.listen(0, '127.0.0.1', () => console.log(\`http://127.0.0.1:\${server.address().port}\`));`;

const typescript = `
import { start, type SdkOptions, type Vitals } from 'otel-vitals/sdk';
import { TieredCache, type CacheStats } from 'otel-vitals/toolkit/cache';

const options: SdkOptions = { env: { OTEL_EXPORTER_PROMETHEUS_PORT: '0' } };
const vitals: Vitals | undefined = start(options);
vitals?.meterProvider.getMeter('shop').createCounter('orders').add(1, { paid: true });
const cache = new TieredCache<{ id: number }>({ name: 'products', l1: { maxEntries: 10 } });
const stats: CacheStats = cache.stats();
const hits: number = stats.l1?.hits ?? 0;
// @ts-expect-error a cache has a name
const nameless = () => new TieredCache({ l1: { maxEntries: 10 } });
vitals?.prometheus.then(endpoint => console.log(endpoint?.url, hits));
`;

const project = folderWith({
  'package.json': JSON.stringify({
    name: 'greeter',
    version: '3.1.4',
    private: true,
    scripts: { start: 'node app.js' },
  }),
  'app.js': `const express = require('express');${app}`,
  'app.mjs': `import express from 'express';${app}`,
  'own.ts': typescript,
});
const npmEnv = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_OPTIONS$|NODE_TEST)/.test(name)),
);
const npm = (cwd: string, ...args: string[]): string =>
  execFileSync('npm', args, { cwd, env: npmEnv, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

let packed: string[];
before(() => {
  const [{ filename, files }] = JSON.parse(
    npm(repository, 'pack', '--json', '--ignore-scripts', '--pack-destination', project.dir),
  );
  packed = files.map(({ path }: { path: string }) => path);
  const packages = [`./${filename}`, 'express@5', 'typescript@5.9', '@types/node@20'];
  npm(project.dir, 'install', '--no-audit', '--no-fund', '--prefer-offline', ...packages);
});

async function greet(options: AppOptions, script: string | string[] = 'app.js'): Promise<string> {
  const greeter = startApp(script, { cwd: project.dir, timeoutMs: 60_000, ...options });
  const [, address] = await greeter.printed(/^(http:\S+)$/m);
  assert.deepEqual(await (await fetch(`${address}/hello/ada`)).json(), { hello: 'ada' });
  const metrics = await scrape(await greeter.metricsUrl());
  // Under npm the application is another process than the one started, and npm's shell hands no signal on.
  process.kill(Number(/process_pid="(\d+)"/.exec(metrics)![1]), 'SIGTERM');
  await greeter.exit;
  return metrics;
}

function measured(metrics: string): void {
  assert.match(metrics, /^target_info\{.*service_name="greeter",service_version="3\.1\.4"/m);
  assert.match(metrics, /^http_server_request_duration_seconds_count\{.*http_route="\/hello\/:name".*\} 1$/m);
}

test('the package holds what runs, its types, boards, rules and documents, and nothing of the demo or the tests', () => {
  for (const file of [
    'LICENSE',
    'README.md',
    'CHANGELOG.md',
    'dist/instrumentation/index.js',
    'dist/types/instrumentation/sdk.d.ts',
    'dist/THIRD-PARTY-NOTICES.txt',
    'instrumentation/register.mjs',
    'grafana/dashboards/runtime.json',
    'grafana/rules/process.yml',
    'docs/configuration.md',
  ]) {
    assert.ok(packed.includes(file), file);
  }
  const folders = /^(dist\/(instrumentation|toolkit|types)|grafana\/(dashboards|rules)|docs)\//;
  const strays = packed.filter(file => file.includes('/') && !folders.test(file));
  assert.deepEqual(strays, [
    'bench/README.md',
    'dist/THIRD-PARTY-NOTICES.txt',
    'instrumentation/package.json',
    'instrumentation/register.mjs',
  ]);
  const types = packed.filter(file => file.startsWith('dist/types/'));
  assert.ok(types.every(file => file.endsWith('.d.ts') && !/\/(mall|test)\//.test(file)));
});

test('what its documents link to is in the package', () => {
  for (const file of packed.filter(name => name.endsWith('.md'))) {
    const text = readFileSync(join(repository, file), 'utf8');
    for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#\s]+)/g)) {
      const path = join(dirname(file), target!);
      assert.ok(
        packed.some(name => name === path || name.startsWith(`${path}/`)),
        `${file} links to ${target}`,
      );
    }
  }
});

test('an express application that knows nothing of it: node --require otel-vitals/instrumentation app.js', async () => {
  measured(await greet({ nodeArgs: ['--require', 'otel-vitals/instrumentation'] }));
});

test('the same as an ES module: node --import otel-vitals/instrumentation app.mjs', async () => {
  measured(await greet({ nodeArgs: ['--import', 'otel-vitals/instrumentation'] }, 'app.mjs'));
});

test('started by npm: NODE_OPTIONS="--require otel-vitals/instrumentation" npm start', async () => {
  const cli = join(execFileSync('npm', ['root', '-g'], { encoding: 'utf8' }).trim(), 'npm/bin/npm-cli.js');
  const env = { NODE_OPTIONS: '--require otel-vitals/instrumentation' };
  measured(await greet({ nodeArgs: [], env }, [cli, 'start', '--silent']));
});

test('programs in TypeScript find the types under every module resolution, and run', async () => {
  // Version 7 is the repository's and quick, and no longer knows the oldest one.
  const common = ['--strict', '--target', 'es2022', '--types', 'node', 'own.ts'];
  for (const [where, module, resolution] of [
    [repository, 'node16', 'node16'],
    [repository, 'nodenext', 'nodenext'],
    [repository, 'esnext', 'bundler'],
    [project.dir, 'commonjs', 'node10'],
  ] as const) {
    const args = [
      join(where, 'node_modules/typescript/bin/tsc'),
      '--module',
      module,
      '--moduleResolution',
      resolution,
      ...common,
    ];
    const { status, stdout } = spawnSync(process.execPath, args, { cwd: project.dir, encoding: 'utf8' });
    assert.equal(status, 0, `${resolution}: ${stdout}`);
  }
  // The last one left CommonJS behind.
  const own = startApp('own.js', { cwd: project.dir, nodeArgs: [] });
  await own.printed(/^http:\/\/127\.0\.0\.1:\d+\/metrics 0$/m);
  own.kill('SIGTERM');
  await own.exit;
});

test('nothing else of the package can be reached, and its manifest can', () => {
  const manifest = JSON.parse(
    readFileSync(join(project.dir, 'node_modules/otel-vitals/package.json'), 'utf8'),
  );
  const reach = (name: string): string =>
    spawnSync(process.execPath, ['-p', `require(${JSON.stringify(name)}).version`], {
      cwd: project.dir,
      encoding: 'utf8',
    }).stdout.trim();
  assert.equal(reach('otel-vitals/package.json'), manifest.version);
  for (const name of ['otel-vitals', 'otel-vitals/dist/instrumentation/start.js']) {
    writeFileSync(project.path('reach.js'), `require(${JSON.stringify(name)})`);
    const { status, stderr } = spawnSync(process.execPath, ['reach.js'], {
      cwd: project.dir,
      encoding: 'utf8',
    });
    assert.equal(status, 1);
    assert.match(stderr, /ERR_PACKAGE_PATH_NOT_EXPORTED/);
  }
  const parts = readdirSync(join(project.dir, 'node_modules/otel-vitals/dist/toolkit'));
  for (const part of parts) {
    const script = `process.exit(Object.keys(require('otel-vitals/toolkit/${part}')).length > 0 ? 0 : 1)`;
    assert.equal(spawnSync(process.execPath, ['-e', script], { cwd: project.dir }).status, 0, part);
  }
});
