import assert from 'node:assert/strict';
import { createServer, request as httpRequest } from 'node:http';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import express from 'express';
import fastify from 'fastify';
import { EndpointAnalyzer, PerformanceMonitor, type SlowRequest, timingOf } from '../../toolkit/network';
import { ask, frameworks, type RawHandler, type Running, until } from '../helpers/web-parts';

const running: Running[] = [];
after(() => Promise.all(running.map(one => one.close())));

const handler: RawHandler = async (request, response) => {
  if (request.url!.startsWith('/slow')) await wait(30);
  if (request.url === '/never') return;
  response.statusCode = Number(/status=(\d+)/.exec(request.url!)?.[1] ?? 200);
  response.end('ok');
};

for (const [framework, start] of Object.entries(frameworks)) {
  test(`${framework}: requests are counted by endpoint, and as many as were made`, async () => {
    const analyzer = new EndpointAnalyzer({
      name: 'shop',
      slowMs: 20,
      maxEndpoints: 3,
      route: ({ url = '' }) => url.split('?')[0],
    });
    const server = await start([analyzer, analyzer], handler);
    running.push(server);
    for (const status of [200, 201, 404, 500, 503]) await ask(server, { path: `/a?status=${status}` });
    await ask(server, { path: '/slow' });
    await ask(server, { path: '/a', method: 'POST' });
    for (let i = 0; i < 4; i++) await ask(server, { path: `/one-of-many-${i}` });
    await until(() => analyzer.report().requests === 11, 'all to be counted');
    const by = new Map(analyzer.stats().map(one => [one.endpoint, one]));
    assert.deepEqual([...by.keys()], ['GET /a', 'GET /slow', 'POST /a', '_OTHER']);
    assert.equal(by.get('GET /a')!.count, 5);
    assert.deepEqual(by.get('GET /a')!.errors, { client_error: 1, server_error: 2, aborted: 0 });
    assert.equal(by.get('_OTHER')!.count, 4);
    const slow = by.get('GET /slow')!;
    assert.equal(slow.slow, 1);
    assert.ok(
      slow.minMs >= 20 && slow.minMs === slow.maxMs && slow.p50Ms === slow.maxMs,
      JSON.stringify(slow),
    );
    assert.deepEqual(
      analyzer
        .slow(20)
        .map(({ endpoint }) => endpoint)
        .includes('GET /slow'),
      true,
    );
    assert.equal(analyzer.report().recommendations[0]?.code, 'too_many_endpoints');
    analyzer.close();
  });

  test(`${framework}: Server-Timing has the application's steps and the total, for whom it may`, async () => {
    const monitor = new PerformanceMonitor({ serverTiming: request => request.headers['x-debug'] === 'yes' });
    const server = await start([monitor], async (_, response) => {
      const timing = timingOf(response);
      await timing.measure('db', () => wait(5), 'rows "of" all');
      timing.mark('hit');
      response.setHeader('server-timing', 'own;dur=1');
      response.end('ok');
      assert.equal(timing.mark('late', 1), false);
    });
    running.push(server);
    const { headers } = await ask(server, { headers: { 'x-debug': 'yes' } });
    assert.match(
      String(headers['server-timing']),
      /^own;dur=1, db;desc="rows \\"of\\" all";dur=[\d.]+, hit, total;dur=[\d.]+$/,
    );
    assert.equal((await ask(server)).headers['server-timing'], 'own;dur=1');
    await until(() => monitor.stats().requests === 2, 'both to be counted');
  });

  test(`${framework}: slow requests are told of with their trace, and logged as often as is asked for`, async () => {
    const lines: string[] = [];
    const told: SlowRequest[] = [];
    const monitor = new PerformanceMonitor({
      slowMs: 10,
      linesPerMinute: 1,
      log: line => lines.push(line),
      onSlow(slow) {
        told.push(slow);
        throw new Error('of no interest');
      },
    });
    const server = await start([monitor], async (request, response) => {
      if (request.url!.startsWith('/slow')) await timingOf(response).measure('db', () => wait(20));
      response.end('ok');
    });
    running.push(server);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await ask(server, { path: '/slow?secret=1', headers: { traceparent } });
    await ask(server, { path: '/slow' });
    await ask(server, { path: '/quick' });
    await until(() => monitor.stats().requests === 3, 'all to be counted');
    const { slow, logged, suppressed } = monitor.stats();
    assert.equal(slow, logged + suppressed);
    assert.ok(slow >= 2 && logged >= 1);
    assert.equal(told[0]!.traceId, '0af7651916cd43dd8448eb211c80319c');
    assert.equal(told[0]!.path, '/slow');
    assert.equal(told[1]!.traceId, undefined);
    assert.equal(told[0]!.marks[0]!.name, 'db');
    assert.match(
      lines[0]!,
      /^slow request: GET \/\S+ took \d+ ms, status 200, trace 0af7651916cd43dd8448eb211c80319c, steps db;dur=[\d.]+$/,
    );
    assert.ok(!lines.join().includes('secret'));
  });
}

test('a client that goes away is an aborted request', async () => {
  const analyzer = new EndpointAnalyzer({ name: 'aborted' });
  const server = await frameworks['node:http']!([analyzer], handler);
  running.push(server);
  const request = httpRequest({ port: server.port, host: '127.0.0.1', path: '/never' }).end();
  request.on('error', () => {});
  setTimeout(() => request.destroy(), 50);
  await until(() => analyzer.report().requests === 1, 'it to be counted');
  assert.deepEqual(
    analyzer.stats().map(({ endpoint, errors }) => [endpoint, errors.aborted]),
    [['GET (no route)', 1]],
  );
});

test('the routes of express and fastify name the endpoints, and no path does', async () => {
  const analyzer = new EndpointAnalyzer({ name: 'routes' });
  const app = express();
  app.use(analyzer.middleware());
  const router = express.Router();
  router.get('/:id', (_, response) => void response.send('ok'));
  app.use('/users', router);
  const other = new EndpointAnalyzer({ name: 'routes' });
  const fast = fastify();
  await fast.register(other.plugin());
  fast.get('/users/:id', async () => 'ok');
  const express$ = createServer(app);
  await new Promise<void>(resolve => express$.listen(0, '127.0.0.1', resolve));
  await fast.listen({ port: 0, host: '127.0.0.1' });
  const at = (server: { address(): unknown }) => ({
    port: (server.address() as { port: number }).port,
    http2: false,
  });
  running.push({ ...at(express$), close: async () => void express$.close() });
  running.push({ ...at(fast.server), close: () => fast.close() });
  for (const server of [at(express$), at(fast.server)]) {
    for (const path of ['/users/1', '/users/2', '/nowhere']) await ask(server, { path });
  }
  for (const one of [analyzer, other]) {
    await until(() => one.report().requests === 3, 'all to be counted');
    assert.deepEqual(
      one.stats().map(({ endpoint, count }) => [endpoint, count]),
      [
        ['GET /users/:id', 2],
        ['GET (no route)', 1],
      ],
    );
  }
});
