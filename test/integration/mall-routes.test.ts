import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { rowsAtOnce } from '../../mall/database/cursor';
import { type RunningShop, startShop } from '../../mall/start';
import { call, cartOf, checkout, type MallServers, startMallServers } from '../helpers/mall';

let servers: MallServers;
let shop: RunningShop;

before(async () => {
  servers = await startMallServers();
  shop = await startShop(servers.config({ DATABASE_POOL_MAX: '4' }));
});
after(async () => {
  await shop?.close();
  await servers?.close();
});

async function text(path: string): Promise<string> {
  const response = await fetch(shop.url + path);
  assert.equal(response.status, 200);
  return response.text();
}

/** Waits for what a query of the server's own books says. */
async function until(statement: string, expected: number): Promise<void> {
  let count = -1;
  for (const end = Date.now() + 20_000; count !== expected && Date.now() < end; ) {
    [{ count }] = (await servers.sql(`SELECT count(*)::int ${statement}`)) as [{ count: number }];
  }
  assert.equal(count, expected, statement);
}

const cursors =
  "FROM pg_stat_activity WHERE application_name = 'mall' AND query LIKE 'FETCH%' AND state <> 'idle'";

test('the inventory report has a line of JSON for each product', async () => {
  const lines = (await text('/reports/inventory.ndjson')).trimEnd().split('\n');
  assert.equal(lines.length, 10_000);
  const { body } = await call(shop.url, 'GET', '/products/7');
  assert.deepEqual(JSON.parse(lines[6]!), { productId: 7, sku: body.sku, name: body.name, stock: 10_000 });
});

test('the sales report has what was paid on the days asked for, quoted where it must be', async () => {
  const name = 'Kettle, "quiet"\nand round';
  await servers.sql('UPDATE products SET name = $1 WHERE id = 12', [name]);
  const { body: order } = await checkout(shop.url, await cartOf(shop.url, { 11: 2, 12: 1 }));
  await checkout(shop.url, await cartOf(shop.url, { 13: 1 }), '4000000000000002');
  const csv = await text('/reports/sales.csv');
  const head = 'order_id,paid_at,product_id,sku,name,quantity,unit_price_cents,total_cents\r\n';
  const [first, second] = order.items;
  const pattern = [
    `${order.id},[0-9T:.-]+Z,11,VM-000011,[^,]+,2,${first.unitPriceCents},${2 * first.unitPriceCents}`,
    `${order.id},[0-9T:.-]+Z,12,VM-000012,"Kettle, ""quiet""\nand round",1,${second.unitPriceCents},${second.unitPriceCents}`,
  ];
  assert.match(csv, new RegExp(`^${head}${pattern.join('\r\n')}\r\n$`));
  const today = order.createdAt.slice(0, 10);
  assert.equal(await text(`/reports/sales.csv?from=${today}&to=${today}`), csv);
  assert.equal(await text('/reports/sales.csv?from=2031-01-01'), head);
  assert.equal(await text('/reports/sales.csv?to=2020-12-31'), head);
  const wrong = await call(shop.url, 'GET', '/reports/sales.csv?from=yesterday');
  assert.deepEqual([wrong.status, wrong.body.error.details[0].field], [400, 'from']);
});

test('a report is read no faster than it is taken, and is complete at its end', async t => {
  const lines = 120_000;
  await servers.sql(
    `WITH placed AS (
       INSERT INTO orders (id, cart_id, email, total_cents, status, settled_at, created_at)
       SELECT gen_random_uuid(), gen_random_uuid(), 'many@example.org', 100, 'paid', now(), '2025-06-01'
       FROM generate_series(1, $1) RETURNING id
     ) INSERT INTO order_items SELECT id, 1, 1, 100 FROM placed`,
    [lines],
  );
  const path = `${shop.url}/reports/sales.csv?from=2025-06-01&to=2025-06-01`;
  const reads = (): number =>
    shop.shop.database.queries().find(({ query }) => query === 'fetch ? from report')?.count ?? 0;
  const before = reads();
  const asked = request(path).end();
  t.after(() => asked.destroy());
  const [response] = await once(asked, 'response');
  let taken = 0;
  response.once('data', (chunk: Buffer) => {
    taken += chunk.length;
    response.pause();
  });
  // What fits into the buffers of both sides is a part of it: the rest waits in the database.
  await until(
    `${cursors.replace("<> 'idle'", "= 'idle in transaction'")} AND state_change < now() - interval '1 s'`,
    1,
  );
  const whilePaused = reads() - before;
  assert.ok(whilePaused > 0 && whilePaused < (lines / rowsAtOnce) * 0.9, String(whilePaused));
  let rest = 0;
  response.on('data', (chunk: Buffer) => {
    rest += chunk.length;
  });
  response.resume();
  await once(response, 'end');
  // No more at once than was meant, either.
  assert.equal(reads() - before, Math.floor(lines / rowsAtOnce) + 1);
  const whole = Buffer.byteLength(await text('/reports/sales.csv?from=2025-06-01&to=2025-06-01'));
  assert.equal(taken + rest, whole);
  assert.ok(whole > lines * 80, String(whole));
  await until(cursors, 0);
});

test('a reader who leaves lets go of the connection and of the place', async () => {
  const path = `${shop.url}/reports/sales.csv?from=2025-06-01&to=2025-06-01`;
  // More than there are places or connections.
  for (let left = 0; left < 6; left++) {
    const asked = request(path).end();
    const [response] = await once(asked, 'response');
    await once(response, 'data');
    asked.destroy();
  }
  await until(cursors, 0);
  await text('/reports/inventory.ndjson');
  const { inUse } = shop.shop.database.stats().connections;
  assert.equal(inUse, 0);
});

test('readers who do not read keep the other reports waiting, and nobody else', async t => {
  const path = `${shop.url}/reports/sales.csv?from=2025-06-01&to=2025-06-01`;
  const asked = [1, 2].map(() => request(path).end());
  t.after(() => asked.forEach(one => void one.destroy()));
  const responses = await Promise.all(asked.map(one => once(one, 'response')));
  let ready = false;
  const third = text('/reports/inventory.ndjson').then(report => {
    ready = true;
    return report;
  });
  assert.equal((await call(shop.url, 'GET', '/inventory/1')).status, 200);
  assert.equal((await checkout(shop.url, await cartOf(shop.url, { 21: 1 }))).status, 201);
  assert.equal(ready, false);
  asked[0]!.destroy();
  assert.equal((await third).trimEnd().split('\n').length, 10_000);
  responses[1]![0].resume();
  await once(responses[1]![0], 'end');
});

test('a reader who does not read holds up the end of a shop for half of the time it has', async t => {
  const ending = await startShop(servers.config({ SHUTDOWN_TIMEOUT_MS: '2000' }));
  const asked = request(`${ending.url}/reports/sales.csv?from=2025-06-01&to=2025-06-01`).end();
  t.after(() => asked.destroy());
  const [response] = await once(asked, 'response');
  response.on('error', () => {});
  await ending.close();
  // It was broken off, and is not taken for a whole one.
  response.resume();
  await new Promise(resolve => response.once('close', resolve));
  assert.equal(response.complete, false);
});

test('none of this is advised against: no route reads again and again, and no connection was held for too long', () => {
  const found = shop.shop.database.recommendations().map(({ code }) => code);
  assert.deepEqual(
    found.filter(code => code === 'n_plus_one' || code === 'connection_leak'),
    [],
  );
});

interface Description {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, { summary?: string; responses: Record<string, object> }>>;
}

test('the description is valid OpenAPI 3.1 and has every route, each with its success and its errors', async () => {
  const { body } = await call(shop.url, 'GET', '/openapi.json');
  const description = body as Description;
  assert.equal(description.openapi, '3.1.0');
  const { valid, errors } = await new Validator().validate(structuredClone(body));
  assert.deepEqual([valid, errors], [true, undefined]);
  const described = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { summary, responses }]) => {
      assert.ok(summary, `${method} ${path}`);
      assert.ok('4XX' in responses && Object.keys(responses).length >= 2, `${method} ${path}`);
      return `${method.toUpperCase()} ${path}`;
    }),
  );
  const expected = [
    'DELETE /carts/{id}/items/{productId}',
    'DELETE /sessions/{id}',
    'GET /',
    'GET /carts/{id}',
    'GET /categories',
    'GET /health/live',
    'GET /health/ready',
    'GET /inventory/{productId}',
    'GET /openapi.json',
    'GET /orders',
    'GET /orders/{id}',
    'GET /products',
    'GET /products/search',
    'GET /products/{id}',
    'GET /products/{id}/recommendations',
    'GET /reports/inventory.ndjson',
    'GET /reports/sales.csv',
    'GET /sessions/{id}',
    'POST /carts',
    'POST /carts/{id}/checkout',
    'POST /sessions',
    'PUT /carts/{id}/items/{productId}',
    'PUT /inventory/{productId}',
  ];
  assert.deepEqual(described.sort(), expected);
});

test('a description that is not valid would be told so', async () => {
  const { body } = await call(shop.url, 'GET', '/openapi.json');
  const broken = { ...body, paths: { '/products': { get: { responses: 'many' } } } };
  assert.equal((await new Validator().validate(broken)).valid, false);
});
