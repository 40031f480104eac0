import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from 'pg';
import { readConfig } from '../../mall/config';
import type { RunningShop } from '../../mall/start';
import { startShop } from '../../mall/start';
import * as mall from '../helpers/mall';
import { startRedis } from '../helpers/redis';

let servers: mall.MallServers;
let shop: RunningShop;

before(async () => {
  servers = await mall.startMallServers();
  shop = await startShop(servers.config());
});
after(async () => {
  await shop?.close();
  await servers?.close();
});

const config = (env?: NodeJS.ProcessEnv) => servers.config(env);
const sql = (statement: string) => servers.sql(statement);
const call = (method: string, path: string, body?: object, base = shop.url) =>
  mall.call(base, method, path, body);
const cartOf = (items: Record<number, number>, base = shop.url) => mall.cartOf(base, items);
const checkout = (cart: string, base = shop.url) => mall.checkout(base, cart);

test('lists come in pages, in the order asked for, of the category asked for', async () => {
  const { body } = await call('GET', '/products?category=garden&sort=price&pageSize=5&page=2');
  assert.equal(body.total, 1250);
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
  assert.deepEqual([first.status, first.body.status], [201, 'paid']);
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

test('what there is of a product can be read and changed, and its page shows it at once', async () => {
  assert.deepEqual((await call('GET', '/inventory/71')).body, { productId: 71, stock: 10_000 });
  assert.equal((await call('GET', '/products/71')).body.stock, 10_000);
  assert.deepEqual((await call('PUT', '/inventory/71', { stock: 12 })).body, { productId: 71, stock: 12 });
  assert.equal((await call('GET', '/products/71')).body.stock, 12);
  assert.deepEqual(await sql('SELECT stock FROM inventory WHERE product_id = 71'), [{ stock: 12 }]);
  const wrong = await call('PUT', '/inventory/71', { stock: -1 });
  assert.deepEqual([wrong.status, wrong.body.error.details[0].field], [400, 'stock']);
  for (const [method, body] of [['GET'], ['PUT', { stock: 1 }]] as const) {
    const unknown = await call(method, '/inventory/99999', body);
    assert.deepEqual([unknown.status, unknown.body.error.code], [404, 'product_not_found']);
  }
});

test('what another shop sold is seen here when it was sold, though it was in the memory of this one', async () => {
  const other = await startShop(config());
  try {
    assert.equal((await call('GET', '/products/81')).body.stock, 10_000);
    assert.equal((await checkout(await cartOf({ 81: 3 }, other.url), other.url)).status, 201);
    let stock = 10_000;
    // The message takes a moment; a time to live would take half a minute.
    for (const end = Date.now() + 5000; stock === 10_000 && Date.now() < end; ) {
      stock = (await call('GET', '/products/81')).body.stock;
    }
    assert.equal(stock, 9997);
  } finally {
    await other.close();
  }
});

test('recommendations are like the product, of other names, best first, and worked out once', async () => {
  const { body } = await call('GET', '/products/5/recommendations?limit=8');
  assert.equal(body.items.length, 8);
  const scores = body.items.map(({ score }: { score: number }) => score);
  assert.deepEqual(
    scores,
    [...scores].sort((a, b) => b - a),
  );
  assert.ok(scores[0] > 0.5 && scores[0] <= 1, String(scores));
  // Product 5 is a Travel Cork Metronome.
  const names = body.items.map(({ name }: { name: string }) => name);
  assert.equal(new Set([...names, 'Travel Cork Metronome']).size, 9);
  for (const { name, category } of body.items.slice(0, 3)) {
    assert.deepEqual([category, /Metronome/.test(name)], ['music', true], name);
  }
  const before = shop.shop.pools.recommendations.stats();
  const again = await call('GET', '/products/5/recommendations');
  assert.deepEqual(again.body.items, body.items.slice(0, 5));
  assert.deepEqual(shop.shop.pools.recommendations.stats().outcomes, before.outcomes);
  const unknown = await call('GET', '/products/99999/recommendations');
  assert.deepEqual([unknown.status, unknown.body.error.code], [404, 'product_not_found']);
});

test('a session is the same at every shop until it is ended, and there is none without one', async () => {
  const other = await startShop(config());
  try {
    const { status, headers, body } = await call('POST', '/sessions', { email: 'ada@example.org' });
    assert.deepEqual([status, body.email], [201, 'ada@example.org']);
    assert.equal(Date.parse(body.expiresAt) - Date.parse(body.createdAt), 30 * 60_000);
    const path = headers.get('location')!;
    for (const base of [shop.url, other.url]) {
      assert.deepEqual((await call('GET', path, undefined, base)).body, body);
    }
    const ended = await call('DELETE', path);
    assert.deepEqual([ended.status, ended.body], [204, '']);
    const gone = await call('GET', path);
    assert.deepEqual([gone.status, gone.body.error.code], [404, 'session_not_found']);
    assert.equal('email' in (await call('POST', '/sessions')).body, false);
  } finally {
    await other.close();
  }
});

test('the orders of a customer come newest first, with their items, by page', async () => {
  const ids: string[] = [];
  for (const quantity of [1, 2, 3]) {
    const body = { email: 'list@example.org' };
    const path = `/carts/${await cartOf({ 91: quantity, 92: 1 })}/checkout`;
    ids.unshift((await call('POST', path, body)).body.id);
  }
  const { body } = await call('GET', '/orders?email=list@example.org&pageSize=2');
  assert.deepEqual([body.total, body.items.map(({ id }: { id: string }) => id)], [3, ids.slice(0, 2)]);
  assert.deepEqual(body.items[0], (await call('GET', `/orders/${ids[0]}`)).body);
  const second = await call('GET', '/orders?email=list@example.org&pageSize=2&page=2');
  assert.deepEqual(
    second.body.items.map(({ id }: { id: string }) => id),
    [ids[2]],
  );
  assert.equal((await call('GET', '/orders')).status, 400);
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
    assert.deepEqual(ready.body, {
      status: 'ok',
      parts: { database: 'ok', payment: 'ok' },
      database: { score: 100, problems: [] },
    });
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
  const lock = new Client({ connectionString: servers.postgres.url });
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
