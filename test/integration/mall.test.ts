import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from 'pg';
import { readConfig } from '../../mall/config';
import type { RunningShop } from '../../mall/start';
import { startShop } from '../../mall/start';
import type { PostgresDatabase } from '../helpers/postgres';
import { startPostgres } from '../helpers/postgres';
import type { RedisServer } from '../helpers/redis';
import { startRedis } from '../helpers/redis';

let postgres: PostgresDatabase;
let redis: RedisServer;
let shop: RunningShop;

before(async () => {
  [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  shop = await startShop(config());
});
after(async () => {
  await shop?.close();
  await Promise.all([postgres?.close(), redis?.close()]);
});

function config(env: NodeJS.ProcessEnv = {}) {
  return readConfig({
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    PORT: '0',
    LOG_LEVEL: 'silent',
    ...env,
  });
}

async function call(method: string, path: string, body?: object, base = shop.url) {
  const response = await fetch(base + path, {
    method,
    ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: answers of many forms, each asserted by its test
  return { status: response.status, headers: response.headers, body: (await response.json()) as any };
}

async function cartOf(items: Record<number, number>, base = shop.url): Promise<string> {
  const { body } = await call('POST', '/carts', undefined, base);
  for (const [product, quantity] of Object.entries(items)) {
    const { status } = await call('PUT', `/carts/${body.id}/items/${product}`, { quantity }, base);
    assert.equal(status, 200);
  }
  return body.id;
}

const checkout = (cart: string, base = shop.url) =>
  call('POST', `/carts/${cart}/checkout`, { email: 'ada@example.org' }, base);

async function sql(statement: string, values: unknown[] = []) {
  const client = new Client({ connectionString: postgres.url });
  await client.connect();
  const { rows } = await client.query(statement, values).finally(() => client.end());
  return rows;
}

test('lists come in pages, in the order asked for, of the category asked for', async () => {
  const { body } = await call('GET', '/products?category=garden&sort=price&pageSize=5&page=2');
  assert.equal(body.total, 250);
  assert.equal(body.items.length, 5);
  const prices = body.items.map((item: { priceCents: number }) => item.priceCents);
  assert.deepEqual(
    prices,
    [...prices].sort((a, b) => a - b),
  );
  assert.ok(body.items.every((item: { category: string }) => item.category === 'garden'));
});

test('search finds whole words in any form', async () => {
  const { body } = await call('GET', '/products/search?q=bicycles%20light');
  assert.ok(body.total > 0);
  assert.match(body.items[0].name, /Bicycle Light/);
});

test('the catalogue is the same on every machine', async () => {
  const { body } = await call('GET', '/products/5');
  assert.equal(body.name, 'Travel Cork Metronome');
  assert.equal(body.priceCents, 5384);
});

test('a wrong request is told every mistake at once', async () => {
  const { status, body } = await call('GET', '/products?page=x&colour=red&sort=best');
  assert.equal(status, 400);
  assert.equal(body.error.code, 'invalid_request');
  assert.deepEqual(
    body.error.details.map((one: { unknown?: string; field: string }) => one.unknown ?? one.field).sort(),
    ['colour', 'page', 'sort'],
  );
});

test('an unchanged product is not sent again, and a long list is compressed', async () => {
  const first = await fetch(`${shop.url}/products/7`);
  await first.arrayBuffer();
  const again = await fetch(`${shop.url}/products/7`, {
    headers: { 'if-none-match': first.headers.get('etag')! },
  });
  assert.equal(again.status, 304);
  for (const [accepted, encoding] of [
    ['gzip', 'gzip'],
    ['br, gzip', 'br'],
  ] as const) {
    const list = await fetch(`${shop.url}/products`, { headers: { 'accept-encoding': accepted } });
    assert.equal(list.headers.get('content-encoding'), encoding);
    assert.equal(((await list.json()) as { items: unknown[] }).items.length, 20);
  }
});

test('an order takes its items off the stock, and sending the checkout again gives the same order', async () => {
  const cart = await cartOf({ 11: 2, 12: 3 });
  const first = await checkout(cart);
  assert.equal(first.status, 201);
  assert.deepEqual(
    first.body.items.map((item: { productId: number; quantity: number }) => [item.productId, item.quantity]),
    [
      [11, 2],
      [12, 3],
    ],
  );
  const again = await checkout(cart);
  assert.deepEqual([again.status, again.body], [200, first.body]);
  const order = await call('GET', `/orders/${first.body.id}`);
  assert.deepEqual(order.body, first.body);
  const { body: product } = await call('GET', '/products/12');
  assert.equal(product.stock, 9997);
});

test('simultaneous checkouts of one cart make one order', async () => {
  const cart = await cartOf({ 21: 1 });
  const answers = await Promise.all(Array.from({ length: 20 }, () => checkout(cart)));
  assert.equal(answers.filter(({ status }) => status === 201).length, 1);
  assert.equal(new Set(answers.map(({ body }) => body.id)).size, 1);
  assert.deepEqual(await sql('SELECT stock FROM inventory WHERE product_id = 21'), [{ stock: 9999 }]);
});

test('two shops selling the last pieces at once sell exactly those, whatever the order of items', async () => {
  const other = await startShop(config());
  try {
    await sql('UPDATE inventory SET stock = 40 WHERE product_id IN (31, 32)');
    const carts = await Promise.all(
      Array.from({ length: 120 }, async (_, index) => {
        const base = index % 2 ? shop.url : other.url;
        return { base, cart: await cartOf(index % 3 ? { 31: 1, 32: 1 } : { 32: 1, 31: 1 }, base) };
      }),
    );
    const answers = await Promise.all(carts.map(({ base, cart }) => checkout(cart, base)));
    const statuses = answers.map(({ status }) => status);
    assert.equal(statuses.filter(status => status === 201).length, 40);
    assert.equal(statuses.filter(status => status === 409).length, 80);
    const refused = answers.find(({ status }) => status === 409);
    assert.equal(refused?.body.error.code, 'out_of_stock');
    assert.deepEqual(refused?.body.error.details[0], { productId: 31, wanted: 1, left: 0 });
    assert.deepEqual(
      await sql(`SELECT stock, (SELECT sum(quantity)::int FROM order_items WHERE product_id = i.product_id) AS sold
                 FROM inventory i WHERE product_id IN (31, 32)`),
      [
        { stock: 0, sold: 40 },
        { stock: 0, sold: 40 },
      ],
    );
  } finally {
    await other.close();
  }
});

test('an empty cart is no order, and a cart that never was is not found', async () => {
  const { status, body } = await checkout(await cartOf({}));
  assert.deepEqual([status, body.error.code], [409, 'cart_empty']);
  const unknown = await checkout('00000000-0000-4000-8000-000000000000');
  assert.deepEqual([unknown.status, unknown.body.error.code], [404, 'cart_not_found']);
});

test('without Redis at all the shop sells from memory', async () => {
  const alone = await startShop(config({ REDIS_URL: '' }));
  try {
    const { status } = await checkout(await cartOf({ 41: 1 }, alone.url), alone.url);
    assert.equal(status, 201);
    const ready = await call('GET', '/health/ready', undefined, alone.url);
    assert.deepEqual(ready.body, { status: 'ok', parts: { database: 'ok' } });
  } finally {
    await alone.close();
  }
});

test('when Redis goes away products are still served, carts answer 503 and readiness says degraded', async () => {
  const lost = await startRedis();
  const lonely = await startShop(config({ REDIS_URL: lost.url }));
  try {
    await lost.close();
    const product = await call('GET', '/products/51', undefined, lonely.url);
    assert.equal(product.status, 200);
    const cart = await call('POST', '/carts', undefined, lonely.url);
    assert.deepEqual([cart.status, cart.body.error.code], [503, 'unavailable']);
    const ready = await call('GET', '/health/ready', undefined, lonely.url);
    assert.deepEqual([ready.status, ready.body.status, ready.body.parts.redis], [200, 'degraded', 'failing']);
  } finally {
    await lonely.close();
  }
});

test('closing waits for an accepted checkout', async () => {
  const closing = await startShop(config());
  const cart = await cartOf({ 61: 1 }, closing.url);
  const lock = new Client({ connectionString: postgres.url });
  await lock.connect();
  await lock.query('BEGIN');
  await lock.query('SELECT * FROM inventory WHERE product_id = 61 FOR UPDATE');
  const answer = checkout(cart, closing.url);
  while ((await sql("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")).length === 0);
  const closed = closing.close();
  await lock.query('COMMIT');
  await lock.end();
  const { status, headers } = await answer;
  // Without it the kept connection would hold up the shutdown for a minute.
  assert.deepEqual([status, headers.get('connection')], [201, 'close']);
  await closed;
});

test('a configuration that makes no sense is refused with all its problems, and no password', () => {
  assert.throws(
    () => readConfig({ DATABASE_URL: 'mysql://root:secret@db/shop', PORT: '99999', LOG_LEVEL: 'loud' }),
    ({ problems, message }: Error & { problems: string[] }) => {
      assert.equal(problems.length, 3);
      return (
        !message.includes('secret') &&
        message.includes('PORT: expected an integer from 0 to 65535, got "99999"')
      );
    },
  );
});
