import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { folderWith, preload, register, repository, runApp } from '../helpers/app';
import { active, served, startWeb } from '../helpers/web-app';

const apps = join(repository, 'test', 'fixtures', 'apps', 'use-frameworks');

const sabotage = folderWith({
  // What the hooks of frameworks leave on a request cannot be left there.
  'marks.js': `
    const { IncomingMessage } = require('node:http');
    Object.defineProperty(IncomingMessage.prototype, Symbol.for('otel-vitals.route'), {
      set() { throw new Error('no marks here'); },
      get() { throw new Error('no marks here'); },
    });
  `,
});

for (const script of ['express.js', 'fastify.js', 'koa.js', 'hono.js']) {
  it(`a hook that fails on every request costs ${script} nothing but the route`, async () => {
    const bare = await startWeb(join(apps, script), 'bare');
    const web = await startWeb(join(apps, script), 'require', {
      extraNodeArgs: ['--require', sabotage.path('marks.js')],
    });
    for (const path of ['/users/1', '/users/2', '/throws', '/shops', '/shops/a/items/1', '/nothing']) {
      assert.deepEqual(await web.ask(path), await bare.ask(path), path);
    }
    const metrics = await web.metrics();
    assert.deepEqual(served(metrics), { 'GET (none) 200': 4, 'GET (none) 500': 1, 'GET (none) 404': 1 });
    assert.equal(active(metrics), 0);
    await bare.end();
    await web.end();
    const lines = web.app
      .stderr()
      .split('\n')
      .filter(line => line.includes('library hook'));
    assert.deepEqual(lines, ['otel-vitals warn: a library hook failed: no marks here']);
  });
}

it('libraries that are not what they were are left alone, and work', async () => {
  const strange = folderWith({
    'node_modules/express/lib/router/index.js': 'module.exports = () => "no router";',
    'node_modules/express/lib/router/layer.js': 'module.exports = undefined;',
    'node_modules/router/index.js': 'module.exports = { use: 1 };',
    'node_modules/knex/lib/client.js': 'exports.Client = class { query() { return "mine"; } };',
    'node_modules/knex/lib/execution/runner.js': 'module.exports = class {};',
    'node_modules/pg/lib/client.js': 'module.exports = Object.create(null);',
    'node_modules/pg-pool/index.js': 'module.exports = class { get connect() { return 1; } };',
    'node_modules/@redis/client/dist/lib/client/commands-queue.js': 'exports.default = class {};',
    'node_modules/ioredis/built/Redis.js':
      'module.exports = new Proxy({}, { get() { throw new Error("no"); } });',
    'node_modules/koa/lib/application.js': 'module.exports = null;',
    'node_modules/hono/package.json': '{"type": "module"}',
    'node_modules/hono/dist/router/smart-router/router.js': 'export const SmartRouter = 7;',
    'app.mjs': `
      import { createRequire } from 'node:module';
      import { SmartRouter } from './node_modules/hono/dist/router/smart-router/router.js';
      const require = createRequire(import.meta.url);
      const files = ['express/lib/router/index.js', 'express/lib/router/layer.js', 'router/index.js',
        'knex/lib/client.js', 'knex/lib/execution/runner.js', 'pg/lib/client.js', 'pg-pool/index.js',
        '@redis/client/dist/lib/client/commands-queue.js', 'ioredis/built/Redis.js', 'koa/lib/application.js'];
      const loaded = files.map(file => require('./node_modules/' + file));
      console.log(SmartRouter, loaded.length, loaded[0](), new loaded[3].Client().query());
    `,
  });
  const ways = [[], ['--require', preload], ['--import', register]];
  for (const nodeArgs of ways) {
    const { code, stdout, stderr } = await runApp(strange.path('app.mjs'), { nodeArgs });
    assert.deepEqual([code, stdout], [0, '7 10 no router mine\n'], stderr);
    assert.equal(stderr.replaceAll(/^otel-vitals info: metrics .*\n/gm, ''), '');
  }
  const { stderr } = await runApp(strange.path('app.mjs'), {
    nodeArgs: ways[2]!,
    env: { OTEL_LOG_LEVEL: 'info' },
  });
  assert.equal(stderr.match(/is left alone/g)?.length, 11, stderr);
});
