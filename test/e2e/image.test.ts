import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { removeFolder, temporaryFolder } from '../../mall/demo/servers/lifetime';
import { repository, scrape, startApp } from '../helpers/app';
import { type BuiltImage, buildWithoutDocker } from '../helpers/image';
import { type PostgresDatabase, startPostgres } from '../helpers/postgres';
import { type RedisServer, startRedis } from '../helpers/redis';

const work = temporaryFolder('vitals-image-');
let image: BuiltImage;
let postgres: PostgresDatabase;
let redis: RedisServer;

before(async () => {
  [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  image = buildWithoutDocker('mall/Dockerfile', work);
});
after(async () => {
  await Promise.all([postgres?.close(), redis?.close()]);
  removeFolder(work);
});

test('the image holds what the shop and its agent need at run time, and no sources, tests or tools', () => {
  assert.deepEqual(readdirSync(image.folder).sort(), [
    'dist',
    'instrumentation',
    'node_modules',
    'package.json',
  ]);
  const packages = readdirSync(join(image.folder, 'node_modules'));
  for (const name of ['fastify', 'knex', 'pg', 'redis']) assert.ok(packages.includes(name), name);
  for (const name of ['typescript', 'esbuild', 'tsx', 'express', '@biomejs'])
    assert.ok(!packages.includes(name), name);
});

test('its versions are those of the lock file', () => {
  const lock = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string }>;
  };
  for (const name of ['fastify', '@fastify/compress', 'knex', 'pg', 'redis', '@opentelemetry/api']) {
    const installed = readFileSync(join(image.folder, 'node_modules', name, 'package.json'), 'utf8');
    assert.equal(JSON.parse(installed).version, lock.packages[`node_modules/${name}`]?.version, name);
  }
});

test('its command runs the shop with the settings of the compose stack, measured, and ends in order', async () => {
  const { services } = parse(readFileSync(join(repository, 'docker-compose.yml'), 'utf8'), { merge: true });
  const started = { cwd: image.folder, timeoutMs: 60_000 };
  const [, ...gatewayArgs] = services.payment.command as string[];
  const payment = startApp([], {
    ...started,
    nodeArgs: gatewayArgs,
    env: {
      ...inForce(services.payment.environment),
      HOST: '127.0.0.1',
      PORT: '0',
      OTEL_EXPORTER_PROMETHEUS_PORT: '0',
    },
  });
  const [, paymentUrl] = await payment.printed(/"url":"([^"]+)"/);
  const [node, ...args] = image.command;
  assert.deepEqual([node, image.user, image.env], ['node', 'node', { NODE_ENV: 'production' }]);
  const shop = startApp([], {
    ...started,
    nodeArgs: args,
    env: {
      ...inForce(services.shop.environment),
      ...image.env,
      HOST: '127.0.0.1',
      PORT: '0',
      DATABASE_URL: postgres.url,
      REDIS_URL: redis.url,
      PAYMENT_URL: paymentUrl,
      OTEL_EXPORTER_PROMETHEUS_HOST: '127.0.0.1',
      OTEL_EXPORTER_PROMETHEUS_PORT: '0',
      // Nobody there: the shop must not mind.
      PYROSCOPE_SERVER_ADDRESS: 'http://127.0.0.1:9',
    },
  });
  const [, url] = await shop.printed(/"url":"([^"]+)"/);
  assert.equal((await fetch(`${url}/health/ready`)).status, 200);
  assert.equal((await fetch(`${url}/products/7`)).status, 200);
  const similar = await fetch(`${url}/products/7/recommendations`);
  assert.equal(((await similar.json()) as { items: unknown[] }).items.length, 5);
  const inventory = await (await fetch(`${url}/reports/inventory.ndjson`)).text();
  assert.equal(inventory.split('\n').length, 10_001);
  const ready = (await (await fetch(`${url}/health/ready`)).json()) as { parts: unknown };
  assert.deepEqual(ready.parts, { database: 'ok', redis: 'ok', payment: 'ok' });
  const metrics = await scrape(await shop.metricsUrl());
  assert.match(metrics, /^target_info\{.*service_name="shop"/m);
  assert.match(
    metrics,
    /^http_server_request_duration_seconds_count\{.*http_route="\/products\/:id".*\} 1$/m,
  );
  assert.match(metrics, /^db_client_connection_limit\{.*\} 10$/m);
  assert.match(metrics, /^vitals_cache_operations_total\{.*cache_name="products"/m);
  shop.kill('SIGTERM');
  const { code, signal } = await shop.exit;
  assert.deepEqual([code, signal], [0, null]);
  payment.kill('SIGTERM');
  assert.equal((await payment.exit).code, 0);
});

/** An environment of the compose file, where nobody has set the variables that it takes over. */
function inForce(environment: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value.replace(/\$\{\w+:-([^}]*)\}/g, (_, preset: string) => preset),
    ]),
  );
}
