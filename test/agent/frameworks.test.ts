import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { repository } from '../helpers/app';
import {
  active,
  type Expectation,
  expected,
  rawPaths,
  served,
  startWeb,
  type WebApp,
} from '../helpers/web-app';

const apps = join(repository, 'test', 'fixtures', 'apps', 'use-frameworks');

const missing: readonly Expectation[] = [
  { path: '/wp-login.php?a=1', route: undefined, status: 404 },
  { path: '/users/1/2/3', route: undefined, status: 404 },
];

const fastify: readonly Expectation[] = [
  { path: '/', route: '/' },
  { path: '/users/42?secret=1', route: '/users/:id' },
  { path: '/users/43', method: 'HEAD', route: '/users/:id' },
  { path: '/users/43', method: 'POST', body: '{"a":1}', route: '/users/:id', status: 201 },
  { path: '/users/43', method: 'POST', body: '{broken', route: '/users/:id', status: 400 },
  { path: '/users/43', method: 'DELETE', route: undefined, status: 404 },
  { path: '/files/7', route: '/files/:name(^\\d+)' },
  { path: '/files/x', route: undefined, status: 404 },
  { path: '/wild/a/b', route: '/wild/*' },
  { path: '/optional', route: '/optional/:maybe?' },
  { path: '/optional/x', route: '/optional/:maybe?' },
  { path: '/both', method: 'PUT', route: '/both' },
  { path: '/both', method: 'PATCH', route: '/both' },
  { path: '/throws', route: '/throws', status: 500 },
  { path: '/guarded/1', route: '/guarded/:id' },
  { path: '/guarded/x', route: '/guarded/:id', status: 400 },
  { path: '/hijacked', route: '/hijacked' },
  { path: '/shops', route: '/shops' },
  { path: '/shops/', route: '/shops' },
  { path: '/shops/a', route: '/shops/:shop' },
  { path: '/shops/a/items/1', route: '/shops/:shop/items/:item' },
  { path: '/shops/a/items/broken', route: '/shops/:shop/items/broken', status: 500 },
  { path: '/shops/a/b/c', route: undefined, status: 404 },
  { path: '/%E0%A4%A', route: undefined, status: 400 },
  ...missing,
];

const koa: readonly Expectation[] = [
  { path: '/', route: '/' },
  { path: '/users/42?secret=1', route: '/users/:id' },
  { path: '/users/42', method: 'HEAD', route: '/users/:id' },
  { path: '/users/42', method: 'POST', route: '/users/:id', status: 201 },
  { path: '/users/42', method: 'DELETE', route: undefined, status: 405 },
  { path: '/files/7', route: '/^\\/files\\/(\\d+)$/' },
  { path: '/files/x', route: undefined, status: 404 },
  { path: '/named/1', route: '/named/:id' },
  { path: '/throws', route: '/throws', status: 500 },
  { path: '/teapot/1', route: '/teapot/:id', status: 418 },
  { path: '/shops', route: '/shops' },
  { path: '/shops/a/items', route: '/shops/:shop/items' },
  { path: '/shops/b/items/1', route: '/shops/:shop/items/:item' },
  { path: '/shops/b/nothing', route: undefined, status: 404 },
  ...missing,
];

const hono: readonly Expectation[] = [
  { path: '/', route: '/' },
  { path: '/users/42?secret=1', route: '/users/:id' },
  { path: '/users/42', method: 'HEAD', route: '/users/:id' },
  { path: '/users/42', method: 'POST', body: '{"a":1}', route: '/users/:id', status: 201 },
  { path: '/users/42', method: 'DELETE', route: undefined, status: 404 },
  { path: '/files/7', route: '/files/:name{[0-9]+}' },
  { path: '/files/x', route: undefined, status: 404 },
  { path: '/wild/a/b', route: '/wild/*' },
  { path: '/both', method: 'PUT', route: '/both' },
  { path: '/any', method: 'PATCH', route: '/any' },
  { path: '/throws', route: '/throws', status: 500 },
  // A middleware has answered.
  { path: '/guarded/1', route: undefined, status: 401 },
  { path: '/chain/1', route: '/chain/:id' },
  { path: '/nobody/1', route: undefined, status: 404 },
  { path: '/shops', route: '/shops' },
  { path: '/shops/a/items', route: '/shops/:shop/items' },
  { path: '/shops/b/items/1', route: '/shops/:shop/items/:item' },
  { path: '/shops/b/items/1/broken', route: '/shops/:shop/items/:item/broken', status: 500 },
  ...missing,
];

/** Applications of hono with each of its routers, and mounted ones, whose paths are another application's. */
const honoRouters: readonly Expectation[] = [
  ...hono,
  ...[0, 1, 2].flatMap(index => [
    { path: `/router${index}/things/1`, route: `/router${index}/things/:thing` },
    { path: `/router${index}/things/1/2`, route: undefined, status: 404 },
  ]),
  { path: '/mounted0/things/1', route: undefined },
];

const withoutRoutes = (requests: readonly Expectation[]): readonly Expectation[] =>
  requests.map(request => ({ ...request, route: undefined }));

const cases: readonly [string, 'require' | 'import', readonly Expectation[]][] = [
  ['fastify.js', 'require', fastify],
  ['fastify.js', 'import', fastify],
  ['koa.js', 'require', koa],
  ['koa.mjs', 'import', koa],
  ['koa.mjs', 'require', koa],
  ['hono.js', 'require', hono],
  ['hono.mjs', 'import', honoRouters],
  // hono's own ES modules are hooked under --import only; under --require nothing else is lost than the route.
  ['hono.mjs', 'require', withoutRoutes(honoRouters)],
];

for (const [script, way, requests] of cases) {
  describe(`${script} under --${way}`, () => {
    let web: WebApp;
    before(async () => {
      web = await startWeb(join(apps, script), way);
    });
    after(() => web?.end());

    it('answers as without the agent, and its requests are seen by the pattern of their route', async () => {
      const bare = await startWeb(join(apps, script), 'bare');
      for (const { path, method, body, status = 200 } of requests) {
        const options = { ...(method && { method }), ...(body && { body }) };
        const answer = await web.ask(path, options);
        assert.equal(answer.status, status, `${method ?? 'GET'} ${path}`);
        assert.deepEqual(answer, await bare.ask(path, options), path);
      }
      await bare.end();
      const metrics = await web.metrics();
      assert.deepEqual(served(metrics), expected(requests));
      assert.deepEqual(rawPaths(metrics, requests), []);
      assert.equal(active(metrics), 0);
    });

    if (script.startsWith('hono')) return;
    it('sees a request that its client aborts, by its route, and as no longer in flight', async () => {
      const socket = connect(web.port, '127.0.0.1');
      socket.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
      await web.app.printed(/slow began/);
      assert.equal(active(await web.metrics()), 1);
      socket.destroy();
      await web.app.printed(/slow ended/);
      const metrics = await web.metrics();
      assert.equal(active(metrics), 0);
      assert.equal(served(metrics)['GET /slow client_aborted'], 1);
    });
  });
}

it('fastify refuses in its own hooks, and answers what was injected, as without the agent', async () => {
  const web = await startWeb(join(apps, 'fastify.js'), 'require');
  await web.app.printed(/injected 200 user \{"id":"7"\}/);
  const answer = await fetch(`http://127.0.0.1:${web.port}/users/1`, {
    headers: { 'x-refuse': '1', connection: 'close' },
  });
  assert.equal(answer.status, 403);
  // What was injected came over no connection.
  assert.deepEqual(served(await web.metrics()), { 'GET /users/:id 403': 1 });
  await web.end();
});
