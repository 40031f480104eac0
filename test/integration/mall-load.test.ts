import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createClient } from 'redis';
import { type App, repository, startApp } from '../helpers/app';
import { call, cartOf, checkout, type MallServers, startGateway, startMallServers } from '../helpers/mall';

let servers: MallServers;
let gateway: Awaited<ReturnType<typeof startGateway>>;

before(async () => {
  [servers, gateway] = await Promise.all([startMallServers(), startGateway()]);
});
after(async () => {
  await Promise.all([gateway?.close(), servers?.close()]);
});

/** The built shop in a process of its own, without the preload. */
async function startProcess(env: NodeJS.ProcessEnv = {}): Promise<{ app: App; url: string }> {
  const app = startApp(join(repository, 'dist', 'mall', 'main.js'), {
    nodeArgs: [],
    env: servers.env({
      PAYMENT_URL: gateway.url,
      STOCK_WAIT_MS: '60000',
      PAYMENT_TIMEOUT_MS: '20000',
      ...env,
    }),
    timeoutMs: 300_000,
  });
  const [, url] = await app.printed(/"event":"listening","url":"([^"]+)"/);
  return { app, url: url! };
}

/** Linux: the processes that a process has started. */
function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

/** Carts with a piece of one product, put where shops keep them: 6,000 requests would test nothing here. */
async function cartsOf(product: number, count: number): Promise<string[]> {
  const client = await createClient({ url: servers.redis.url }).connect();
  const ids = Array.from({ length: count }, () => randomUUID());
  await Promise.all(ids.map(id => client.hSet(`cart:${id}`, { cart: '1', [product]: '1' })));
  await client.close();
  return ids;
}

test('2,000 checkouts at once for the last 500 pieces, by two processes, sell exactly 500', async () => {
  const shops = await Promise.all([startProcess(), startProcess()]);
  try {
    await call(shops[0].url, 'PUT', '/inventory/7', { stock: 500 });
    const carts = await cartsOf(7, 2000);
    const answers = await Promise.all(carts.map((cart, index) => checkout(shops[index % 2]!.url, cart)));
    const count = (status: number) => answers.filter(answer => answer.status === status).length;
    assert.deepEqual([count(201), count(409)], [500, 1500]);
    const [totals] = await servers.sql(
      `SELECT i.stock, count(*)::int AS orders, sum(o.quantity)::int AS sold, count(DISTINCT s.id)::int AS paid
       FROM inventory i JOIN order_items o USING (product_id)
       LEFT JOIN orders s ON s.id = o.order_id AND s.status = 'paid'
       WHERE product_id = 7 GROUP BY i.stock`,
    );
    assert.deepEqual(totals, { stock: 0, orders: 500, sold: 500, paid: 500 });
    const [both] = await servers.sql("SELECT count(*)::int FROM orders WHERE status <> 'paid'");
    assert.equal(both.count, 0);
  } finally {
    for (const { app } of shops) app.kill('SIGTERM');
    const exits = await Promise.all(shops.map(({ app }) => app.exit));
    assert.deepEqual(
      exits.map(({ code, stderr }) => [code, stderr]),
      [
        [0, ''],
        [0, ''],
      ],
    );
  }
});

for (const [name, env] of [
  ['one process', {}],
  ['a cluster of two', { MALL_WORKERS: '2' }],
] as const) {
  test(`ended under load, ${name} has lost no order that was accepted, nor its events`, async () => {
    await gateway.behave({ latencyMs: 20 });
    const { app, url } = await startProcess(env);
    const accepted: string[] = [];
    const refused: number[] = [];
    let told = false;
    let ended = false;
    void app.exit.then(() => {
      ended = true;
    });
    const customer = async (number: number): Promise<void> => {
      while (!ended) {
        try {
          const answer = await checkout(url, await cartOf(url, { [1000 + number]: 1 }));
          if (answer.status === 201) accepted.push(answer.body.id);
          else refused.push(answer.status);
        } catch {
          // Not accepted, or on a connection that the end of the process cut before it was answered.
          await new Promise(resolve => setTimeout(resolve, 20));
        }
        if (accepted.length >= 100 && !told) app.kill('SIGTERM');
        told = accepted.length >= 100;
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, number) => customer(number)));
    const { code, signal, stderr } = await app.exit;
    assert.deepEqual([code, signal, stderr], [0, null, '']);
    assert.ok(accepted.length >= 100);
    assert.deepEqual(refused, []);
    const [kept] = await servers.sql(
      `SELECT count(*)::int AS paid, count(p.order_id)::int AS placed, count(e.order_id)::int AS events
       FROM orders o
       LEFT JOIN order_events p ON p.order_id = o.id AND p.type = 'placed'
       LEFT JOIN order_events e ON e.order_id = o.id AND e.type = 'paid'
       WHERE o.status = 'paid' AND o.id = ANY($1)`,
      [accepted],
    );
    assert.deepEqual(kept, { paid: accepted.length, placed: accepted.length, events: accepted.length });
    // Nor has it left one halfway.
    assert.deepEqual(await servers.sql("SELECT id FROM orders WHERE status = 'pending'"), []);
  });
}

test('a worker of a cluster that dies is replaced, and the shop answers on', async () => {
  const { app, url } = await startProcess({ MALL_WORKERS: '2' });
  const workers = childrenOf(app.pid);
  assert.equal(workers.length, 2);
  process.kill(workers[0]!, 'SIGKILL');
  await app.printed(/worker \d+ ended: SIGKILL/, 'stderr');
  assert.equal((await call(url, 'GET', '/products/1')).status, 200);
  for (const end = Date.now() + 30_000; childrenOf(app.pid).length < 2 && Date.now() < end; ) {
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  assert.equal(childrenOf(app.pid).length, 2);
  app.kill('SIGTERM');
  assert.equal((await app.exit).code, 0);
});
