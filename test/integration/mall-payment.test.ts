import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { declinedCard } from '../../mall/payment/gateway';
import { type RunningShop, startShop } from '../../mall/start';
import { call, cartOf, checkout, type MallServers, startGateway, startMallServers } from '../helpers/mall';

/** Shorter than it is set to be: what is stuck is to be found at once. */
const impatient = { PAYMENT_TIMEOUT_MS: '300', ORDER_SETTLE_AFTER_MS: '600', ORDER_RECONCILE_MS: '100' };

let servers: MallServers;
let gateway: Awaited<ReturnType<typeof startGateway>>;
let shop: RunningShop;

before(async () => {
  [servers, gateway] = await Promise.all([startMallServers(), startGateway()]);
  shop = await startShop(servers.config({ ...impatient, PAYMENT_URL: gateway.url }));
});
after(async () => {
  await shop?.close();
  await Promise.all([gateway?.close(), servers?.close()]);
});

const stockOf = async (product: number) => (await call(shop.url, 'GET', `/inventory/${product}`)).body.stock;

/** The order, once it is no longer pending. */
async function settled(id: string, base = shop.url) {
  for (const end = Date.now() + 20_000; ; ) {
    const { body } = await call(base, 'GET', `/orders/${id}`);
    if (body.status !== 'pending' || Date.now() > end) return body;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

test('a paid order was charged once, for its total', async () => {
  const cart = await cartOf(shop.url, { 1: 2 });
  const { status, body } = await checkout(shop.url, cart);
  assert.deepEqual([status, body.status], [201, 'paid']);
  const charge = await gateway.charge(body.id);
  assert.deepEqual(charge, { key: body.id, amountCents: body.totalCents, status: 'succeeded' });
  assert.equal((await checkout(shop.url, cart)).status, 200);
});

test('a declined card cancels the order and gives the stock back; the cart can be paid with another', async () => {
  const cart = await cartOf(shop.url, { 11: 3 });
  const declined = await checkout(shop.url, cart, declinedCard);
  assert.deepEqual([declined.status, declined.body.error.code], [402, 'payment_declined']);
  assert.equal(await stockOf(11), 10_000);
  const { orderId } = declined.body.error.details;
  assert.equal((await call(shop.url, 'GET', `/orders/${orderId}`)).body.status, 'cancelled');
  const paid = await checkout(shop.url, cart, '4242424242424242');
  assert.equal(paid.status, 201);
  assert.notEqual(paid.body.id, orderId);
  assert.equal(await stockOf(11), 9997);
});

test('an order that many try to pay at once with a declined card gives its stock back once', async () => {
  const cart = await cartOf(shop.url, { 13: 5 });
  const answers = await Promise.all(Array.from({ length: 12 }, () => checkout(shop.url, cart, declinedCard)));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([402]));
  assert.equal(await stockOf(13), 10_000);
});

test('a card number is kept nowhere', async () => {
  const card = '4929123412341234';
  const { body } = await checkout(shop.url, await cartOf(shop.url, { 12: 1 }), card);
  const rows = await servers.sql('SELECT * FROM orders WHERE id = $1', [body.id]);
  assert.equal(JSON.stringify([rows, body, await gateway.charge(body.id)]).includes(card), false);
});

for (const [name, behaviour] of [
  ['an error', { errorRate: 1 }],
  ['silence', { timeoutRate: 1 }],
] as const) {
  test(`${name} of the gateway is a 503 that cancels the order and gives the stock back`, async () => {
    const product = name === 'silence' ? 21 : 22;
    await gateway.behave(behaviour);
    const cart = await cartOf(shop.url, { [product]: 1 });
    const failed = await checkout(shop.url, cart);
    await gateway.behave({ errorRate: 0, timeoutRate: 0 });
    assert.deepEqual([failed.status, failed.body.error.code], [503, 'payment_unavailable']);
    assert.equal(failed.headers.get('retry-after'), '1');
    assert.equal(await stockOf(product), 10_000);
    const { orderId } = failed.body.error.details;
    assert.equal((await call(shop.url, 'GET', `/orders/${orderId}`)).body.status, 'cancelled');
    // However late it comes, it is not charged.
    assert.equal((await gateway.charge(orderId)).status, 'cancelled');
    assert.equal((await checkout(shop.url, cart)).status, 201);
  });
}

test('a charge whose answer was lost is a paid order', async () => {
  await gateway.behave({ lostAnswerRate: 1 });
  const { status, body } = await checkout(shop.url, await cartOf(shop.url, { 31: 1 }));
  await gateway.behave({ lostAnswerRate: 0 });
  assert.deepEqual([status, body.status], [201, 'paid']);
  assert.equal((await gateway.charge(body.id)).status, 'succeeded');
});

test('while nobody knows whether it was paid an order is pending, keeps its stock, and is settled when the gateway is back', async () => {
  const cart = await cartOf(shop.url, { 41: 1 });
  await gateway.close();
  const unknown = await checkout(shop.url, cart);
  assert.deepEqual([unknown.status, unknown.body.error.code], [503, 'payment_unavailable']);
  const { orderId } = unknown.body.error.details;
  const pending = await call(shop.url, 'GET', `/orders/${orderId}`);
  assert.deepEqual([pending.body.status, await stockOf(41)], ['pending', 9999]);
  const ready = await call(shop.url, 'GET', '/health/ready');
  assert.deepEqual([ready.status, ready.body.status, ready.body.parts.payment], [200, 'degraded', 'failing']);
  gateway = await startGateway({}, gateway.port);
  assert.equal((await settled(orderId)).status, 'cancelled');
  assert.equal(await stockOf(41), 10_000);
});

test('a checkout sent again while its order is pending pays that order', async () => {
  const cart = await cartOf(shop.url, { 42: 1 });
  await gateway.close();
  const unknown = await checkout(shop.url, cart);
  assert.equal(unknown.status, 503);
  const patient = await startShop(
    servers.config({ PAYMENT_URL: gateway.url, ORDER_SETTLE_AFTER_MS: '60000' }),
  );
  try {
    await shop.close();
    gateway = await startGateway({}, gateway.port);
    const again = await checkout(patient.url, cart);
    assert.deepEqual([again.status, again.body.id], [200, unknown.body.error.details.orderId]);
    assert.equal(again.body.status, 'paid');
  } finally {
    await patient.close();
    shop = await startShop(servers.config({ ...impatient, PAYMENT_URL: gateway.url }));
  }
});

test('an order that a crash left is settled by the next shop as it was charged, and its events are written', async () => {
  const paid = (await checkout(shop.url, await cartOf(shop.url, { 51: 1 }))).body;
  const unpaid = (await checkout(shop.url, await cartOf(shop.url, { 52: 1 }))).body;
  await shop.close();
  // As if the process had ended between the charge and the note of it; of the other nothing was ever charged.
  await servers.sql('DELETE FROM order_events');
  await servers.sql(
    "UPDATE orders SET status = 'pending', settled_at = NULL, created_at = now() - interval '1 minute' WHERE id = ANY($1)",
    [[paid.id, unpaid.id]],
  );
  await gateway.close();
  gateway = await startGateway({}, gateway.port);
  const response = await fetch(`${gateway.url}/charges`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': paid.id },
    body: JSON.stringify({ amountCents: paid.totalCents }),
  });
  assert.equal(response.status, 201);
  shop = await startShop(servers.config({ ...impatient, PAYMENT_URL: gateway.url }));
  assert.equal((await settled(paid.id)).status, 'paid');
  assert.equal((await settled(unpaid.id)).status, 'cancelled');
  assert.deepEqual([await stockOf(51), await stockOf(52)], [9999, 10_000]);
  const events = () =>
    servers.sql('SELECT order_id, type FROM order_events WHERE order_id = ANY($1) ORDER BY at, type', [
      [paid.id, unpaid.id],
    ]);
  let found: { order_id: string; type: string }[] = [];
  for (const end = Date.now() + 20_000; found.length < 4 && Date.now() < end; ) found = await events();
  const typesOf = (id: string) => found.filter(({ order_id }) => order_id === id).map(({ type }) => type);
  assert.deepEqual(
    [typesOf(paid.id), typesOf(unpaid.id)],
    [
      ['placed', 'paid'],
      ['placed', 'cancelled'],
    ],
  );
});

test('a charge sent again under its key is made once, another amount under it is refused, and a cancelled one is never made', async () => {
  const send = (key: string, amountCents: number) =>
    fetch(`${gateway.url}/charges`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify({ amountCents }),
    });
  const together = await Promise.all([send('key-of-one', 100), send('key-of-one', 100)]);
  assert.deepEqual(
    together.map(({ status }) => status),
    [201, 201],
  );
  assert.equal((await send('key-of-one', 200)).status, 422);
  const cancel = (key: string) => call(gateway.url, 'POST', `/charges/${key}/cancel`);
  assert.equal((await cancel('key-of-two')).body.status, 'cancelled');
  assert.equal((await send('key-of-two', 100)).status, 409);
  assert.equal((await cancel('key-of-one')).body.status, 'succeeded');
  assert.equal((await call(gateway.url, 'PUT', '/behaviour', { errorRate: 2 })).status, 400);
});
