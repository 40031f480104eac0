import assert from 'node:assert/strict';
import { test } from 'node:test';
import { developerTool } from '../../instrumentation/host-process';

const tools = [
  '/usr/bin/npm',
  '/usr/lib/node_modules/npm/bin/npm-cli.js',
  '/usr/local/lib/node_modules/npm/bin/npx-cli.js',
  '/opt/yarn-v1.22.22/bin/yarn.js',
  '/app/.yarn/releases/yarn-4.9.1.cjs',
  '/usr/local/lib/node_modules/corepack/dist/pnpm.js',
  '/root/.cache/node/corepack/v1/pnpm/9.1.0/bin/pnpm.cjs',
  '/app/node_modules/.bin/tsc',
  '/app/node_modules/typescript/bin/tsc',
  '/app/node_modules/.bin/nodemon',
  '/app/node_modules/cross-env/src/bin/cross-env.js',
  '/app/node_modules/.bin/cross-env',
  '/app/node_modules/vitest/vitest.mjs',
  '/app/node_modules/tsx/dist/cli.mjs',
  '/usr/lib/node_modules/pm2/bin/pm2',
  '/usr/lib/node_modules/pm2/lib/Daemon.js',
  '/usr/local/bin/pm2-runtime',
];
for (const script of tools) {
  test(`${script} is a tool`, () => assert.notEqual(developerTool(script, []), undefined));
}

const applications = [
  undefined,
  '-',
  '/app/server.js',
  '/app/index.mjs',
  // Names that only packages of that name make a tool.
  '/app/forever.js',
  '/app/src/vite.js',
  '/srv/dotenv/index.js',
  '/app/yarn-shop.js',
  // What runs the application in its own process is the application.
  '/app/node_modules/.bin/ts-node',
  '/app/node_modules/.bin/next',
  '/usr/lib/node_modules/pm2/lib/ProcessContainerFork.js',
  '/app/node_modules/fastify-cli/cli.js',
];
for (const script of applications) {
  test(`${script ?? 'code without a script'} is an application`, () =>
    assert.equal(developerTool(script, ['--require', 'x']), undefined));
}

test('the test runner is a tool, the test files that it starts are not', () => {
  assert.equal(developerTool('/app/test/', ['--require', 'x', '--test']), 'node --test');
  assert.equal(
    developerTool('/app/test/a.test.js', ['--test-concurrency=0', '--test-isolation=process']),
    undefined,
  );
});

test('a syntax check runs nothing', () => {
  assert.equal(developerTool('/app/server.js', ['--check']), 'node --check');
});
