import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { aliased } from '../helpers/alias';
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

const script = join(repository, 'test', 'fixtures', 'apps', 'use-frameworks', 'express.js');

const requests: readonly Expectation[] = [
  { path: '/', route: '/' },
  { path: '/?page=2', route: '/' },
  { path: '/users/42', route: '/users/:id' },
  { path: '/users/43?secret=1', route: '/users/:id' },
  { path: '/users/44/', route: '/users/:id' },
  { path: '/users/42', method: 'POST', body: '{"a":1}', route: '/users/:id', status: 201 },
  { path: '/users/42', method: 'POST', body: '{broken', route: undefined, status: 400 },
  { path: '/users/42', method: 'HEAD', route: '/users/:id' },
  { path: '/users/42', method: 'DELETE', route: undefined, status: 404 },
  { path: '/any', method: 'PATCH', route: '/any' },
  { path: '/both', route: '/both' },
  { path: '/both', method: 'PUT', route: '/both' },
  { path: '/files/7', route: '/^\\/files\\/(\\d+)$/' },
  { path: '/old', route: '/old|/older' },
  { path: '/older', route: '/old|/older' },
  { path: '/async/1', route: '/async/:id' },
  { path: '/first/second', route: '/first/second' },
  { path: '/first/other', route: undefined, status: 404 },
  { path: '/skip/1', route: '/skip/:other' },
  { path: '/nobody/1', route: undefined, status: 404 },
  { path: '/throws', route: '/throws', status: 500 },
  { path: '/fails/9', route: '/fails/:id', status: 500 },
  { path: '/shops', route: '/shops' },
  { path: '/shops/', route: '/shops' },
  { path: '/shops/a/items', route: '/shops/:shop/items' },
  { path: '/shops/b/items/1', route: '/shops/:shop/items/:item' },
  { path: '/shops/b/items/1/broken', route: '/shops/:shop/items/:item/broken', status: 500 },
  { path: '/shops/b/unknown', route: undefined, status: 404 },
  { path: '/stores/a/items/2', route: '/stores|/markets/:shop/items/:item' },
  { path: '/markets/a/items/3', route: '/stores|/markets/:shop/items/:item' },
  { path: '/admin', route: '/admin' },
  { path: '/admin/reports/5', route: '/admin/reports/:id' },
  { path: '/admin/inner/deep', route: '/admin/inner/deep' },
  { path: '/admin/after', route: '/admin/after' },
  { path: '/assets/express.js', route: undefined },
  { path: '/assets/none.js', route: undefined, status: 404 },
  { path: '/wp-login.php', route: undefined, status: 404 },
  { path: '/%E0%A4%A', route: undefined, status: 404 },
  { path: '/users/%E0%A4%A', route: undefined, status: 400 },
];

for (const version of [4, 5]) {
  describe(`express ${version}`, () => {
    const env = { EXPRESS: version === 4 ? aliased('express4', 'express') : undefined, NODE_ENV: 'test' };
    let web: WebApp;
    before(async () => {
      web = await startWeb(script, 'require', { env });
    });
    after(() => web?.end());

    it('answers as without the agent, and its requests are seen by the pattern of their route', async () => {
      const bare = await startWeb(script, 'bare', { env });
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
