import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type { App } from '../helpers/app';
import { otlpEnv, spansIn, startOtlpApp, treeOf, urlOf } from '../helpers/otlp-app';
import { type OtlpServer, type ReceivedSpan, startOtlpServer } from '../helpers/otlp-server';
import { type PostgresDatabase, startPostgres } from '../helpers/postgres';
import { type RedisServer, startRedis } from '../helpers/redis';

let server: OtlpServer;
let postgres: PostgresDatabase;
let redis: RedisServer;
const apps: App[] = [];

before(async () => {
  [server, postgres, redis] = await Promise.all([startOtlpServer(), startPostgres(), startRedis()]);
});
afterEach(async () => {
  for (const app of apps.splice(0)) {
    app.kill('SIGTERM');
    const { signal, stderr } = await app.exit;
    assert.equal(signal, 'SIGTERM');
    assert.equal(stderr, '');
  }
  await server.reset();
});
after(() => Promise.all([server.close(), postgres.close(), redis.close()]));

function start(script: string, env: Record<string, string> = {}): App {
  const app = startOtlpApp(script, {
    ...otlpEnv(server),
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    ...env,
  });
  apps.push(app);
  return app;
}

const named = (name: string) => (span: ReceivedSpan) => span.name === name;
const scopeEnds = (end: string) => (span: ReceivedSpan) => span.scope.endsWith(end);

/** The spans below the server span `name`, once `count` of them have come. */
async function traceOf(name: string, count: number): Promise<{ root: ReceivedSpan; below: ReceivedSpan[] }> {
  return server.until(({ traces }) => {
    const root = traces.find(
      span => span.kind === 'server' && span.name === name && span.parentSpanId === '',
    );
    if (root === undefined) return undefined;
    const below = spansIn(treeOf(root, traces)).slice(1);
    return below.length >= count ? { root, below } : undefined;
  });
}

test('a request to express is a server span by its route, with databases and caches below it', async () => {
  const url = await urlOf(start('express.js'));
  assert.deepEqual(await (await fetch(`${url}/shop/orders/7`)).json(), { id: '7' });
  const { root, below } = await traceOf('GET /shop/orders/:id', 9);
  assert.equal(root.attributes['http.route'], '/shop/orders/:id');
  assert.equal(root.attributes['http.request.method'], 'GET');
  assert.equal(root.attributes['http.response.status_code'], 200);
  assert.equal(root.attributes['url.path'], '/shop/orders/7');
  const queries = below.filter(scopeEnds('instrumentation-pg')).map(span => span.attributes['db.query.text']);
  assert.ok(queries.includes('SELECT 41 + $1::int AS answer'), queries.join('\n'));
  const knex = below.find(scopeEnds('instrumentation-knex'))!;
  assert.equal(knex.attributes['db.system.name'], 'postgresql');
  assert.ok(
    below.some(span => span.parentSpanId === knex.spanId && scopeEnds('instrumentation-pg')(span)),
    'the query that knex builds is below its span',
  );
  const set = below.find(scopeEnds('instrumentation-redis'))!;
  assert.equal(set.attributes['db.operation.name'], 'SET');
  const get = below.find(scopeEnds('instrumentation-ioredis'))!;
  assert.equal(get.attributes['db.operation.name'], 'get');
  for (const { name, kind } of [knex, set, get]) assert.equal(kind, 'client', name);
  assert.ok(below.some(scopeEnds('instrumentation-express')));
});

test('a request to fastify is a server span by its route', async () => {
  const url = await urlOf(start('fastify.js'));
  assert.deepEqual(await (await fetch(`${url}/orders/7`)).json(), { id: '7' });
  const { root, below } = await traceOf('GET /orders/:id', 1);
  assert.equal(root.attributes['http.route'], '/orders/:id');
  assert.ok(below.every(scopeEnds('@fastify/otel')));
});

test('a request that no route takes has no path in its name', async () => {
  const url = await urlOf(start('fastify.js'));
  await fetch(`${url}/secret/path`);
  const root = await server.until(({ traces }) => traces.find(span => span.kind === 'server'));
  assert.equal(root.name, 'GET');
  assert.equal(root.attributes['http.route'], undefined);
});

test('an application of ES modules is traced through what it imports', async () => {
  const url = await urlOf(start('modules.mjs'));
  assert.deepEqual(await (await fetch(`${url}/orders/7`)).json(), { id: '7' });
  const { below } = await traceOf('GET /orders/:id', 6);
  for (const scope of ['instrumentation-pg', 'instrumentation-ioredis', 'instrumentation-express']) {
    assert.ok(below.some(scopeEnds(scope)), `${scope}: ${below.map(span => span.scope).join(', ')}`);
  }
  const call = below.find(span => span.kind === 'client' && scopeEnds('instrumentation-http')(span))!;
  const inner = below.find(named('GET /prices/:id'))!;
  assert.equal(inner.parentSpanId, call.spanId);
});

test('a request that goes on to another process over http and over fetch is one trace', async () => {
  const back = await urlOf(start('plain.js', { OTEL_SERVICE_NAME: 'back' }));
  const front = await urlOf(start('plain.js', { OTEL_SERVICE_NAME: 'front' }));
  assert.equal(await (await fetch(`${front}/call?url=${back}/`)).text(), 'hello');
  const { root, below } = await traceOf('GET', 4);
  const service = (span: ReceivedSpan): unknown => span.resource['service.name'];
  assert.equal(service(root), 'front');
  const calls = below.filter(({ kind }) => kind === 'client');
  assert.deepEqual(calls.map(span => span.scope.split('-').pop()).sort(), ['http', 'undici']);
  for (const call of calls) {
    assert.equal(call.parentSpanId, root.spanId);
    assert.equal(service(call), 'front');
    const inner = below.filter(span => span.parentSpanId === call.spanId);
    assert.deepEqual(inner.map(service), ['back']);
    assert.equal(inner[0]!.kind, 'server');
  }
});
