import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import type { DatabaseManager } from '../../toolkit/database';
import { assertBooksAreTrue, managerOf, until } from '../helpers/databases';
import { type FaultyProxy, startFaultyProxy } from '../helpers/faulty-proxy';
import { type PostgresDatabase, startPostgres } from '../helpers/postgres';

let postgres: PostgresDatabase;
let observer: DatabaseManager;
const opened: { close(): Promise<unknown> }[] = [];

before(async () => {
  postgres = await startPostgres();
  observer = managerOf(postgres.url, { name: 'observer' });
});
after(async () => {
  await observer?.close();
  await postgres?.close();
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

const open = (options: Parameters<typeof managerOf>[1], url = postgres.url): DatabaseManager => {
  const manager = managerOf(url, options);
  // Forced at once: a test may leave a connection that hangs.
  opened.push({ close: () => manager.close({ timeoutMs: 100 }) });
  return manager;
};

/** The same database behind a network that can be broken. */
async function behindProxy(
  options: Parameters<typeof managerOf>[1],
): Promise<{ manager: DatabaseManager; proxy: FaultyProxy }> {
  const url = new URL(postgres.url);
  const proxy = await startFaultyProxy(Number(url.port));
  url.port = String(proxy.port);
  const manager = open(options, url.href);
  opened.push(proxy);
  return { manager, proxy };
}

/** Statements that the server runs now and that say `mark`. */
async function running(mark: string): Promise<number> {
  const { rows } = await observer.knex.raw(
    "select count(*)::int as n from pg_stat_activity where state = 'active' and query like ? and pid <> pg_backend_pid()",
    [`%${mark}%`],
  );
  return rows[0].n;
}
const pid = async (manager: DatabaseManager): Promise<number> =>
  (await manager.knex.raw('select pg_backend_pid() as pid')).rows[0].pid;

test('a read past its time is ended on the server, and its connection is used again', async () => {
  const manager = open({ readTimeoutMs: 150, pool: { max: 1 } });
  const before = await pid(manager);
  await assert.rejects(
    Promise.resolve(manager.knex.raw("select pg_sleep(60), 'slow read'")),
    (error: Error) => {
      const { code, kind, timeoutMs, query, cancelled } = error as unknown as Record<string, unknown>;
      assert.deepEqual(
        { code, kind, timeoutMs, query, cancelled },
        {
          code: 'DB_QUERY_TIMEOUT',
          kind: 'read',
          timeoutMs: 150,
          query: 'select pg_sleep(?), ?',
          cancelled: true,
        },
      );
      return true;
    },
  );
  assert.equal(await running('slow read'), 0);
  assert.equal(await pid(manager), before);
  assertBooksAreTrue(manager);
  const { queries, connections } = manager.stats();
  assert.deepEqual([queries.count, queries.errors, queries.timeouts, queries.running], [3, 1, 1, 0]);
  assert.equal(connections.closed.broken, 0);
});

test('writes have a time limit of their own, and what one wrote is undone', async () => {
  await observer.knex.schema.createTable('notes', table => table.text('note'));
  const manager = open({ readTimeoutMs: 60_000, writeTimeoutMs: 150 });
  const write = manager.knex.raw("insert into notes select 'slow write' from pg_sleep(60)");
  await assert.rejects(Promise.resolve(write), { code: 'DB_QUERY_TIMEOUT', kind: 'write' });
  await manager.knex.raw('select pg_sleep(0.3)');
  assert.deepEqual(await manager.knex('notes'), []);
  assert.equal(await running('slow write'), 0);
});

test('a transaction whose query ran out of time can be rolled back, and gives its connection back', async () => {
  const manager = open({ readTimeoutMs: 150, pool: { max: 1 } });
  const before = await pid(manager);
  const transaction = manager.knex.transaction(async trx => {
    await trx.raw('create table undone (a int)');
    await trx.raw('select pg_sleep(60)');
  });
  await assert.rejects(transaction, { code: 'DB_QUERY_TIMEOUT' });
  assert.equal(await manager.knex.schema.hasTable('undone'), false);
  assert.equal(await pid(manager), before);
  assertBooksAreTrue(manager);
});

test('many queries past their time at once leave no connection busy', async () => {
  const manager = open({ readTimeoutMs: 200, pool: { max: 5 }, cancelTimeoutMs: 5000 });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 15 }, () => manager.knex.raw("select pg_sleep(60), 'one of many'")),
  );
  for (const outcome of outcomes) {
    assert.equal(outcome.status, 'rejected');
    assert.equal((outcome.reason as { code: string }).code, 'DB_QUERY_TIMEOUT');
  }
  assert.equal(await running('one of many'), 0);
  assertBooksAreTrue(manager);
  const { inUse, open: stillOpen } = manager.stats().connections;
  assert.deepEqual([inUse, stillOpen], [0, 5]);
});

test('a query whose answer came while the event loop was blocked did not run out of time', async () => {
  const manager = open({ readTimeoutMs: 100, pool: { max: 1 } });
  await manager.knex.raw('select 1');
  manager.knex.once('query', () => {
    // It is sent by then.
    setImmediate(() => {
      const end = performance.now() + 300;
      while (performance.now() < end);
    });
  });
  const query = manager.knex.raw('select 7 as seven');
  assert.equal((await query).rows[0].seven, 7);
  assert.equal(manager.stats().queries.timeouts, 0);
});

test("the time limits of knex' own queries are counted as timeouts", async () => {
  const manager = open({});
  const query = manager.knex.raw('select pg_sleep(60)').timeout(100, { cancel: true });
  await assert.rejects(Promise.resolve(query), { name: 'KnexTimeoutError' });
  const { count, errors, timeouts, running: left } = manager.stats().queries;
  assert.deepEqual([count, errors, timeouts, left], [1, 1, 1, 0]);
});

test('where the server hangs a query ends in its time, its connection is closed, and the next after mending works', async () => {
  const { manager, proxy } = await behindProxy({
    readTimeoutMs: 200,
    cancelTimeoutMs: 200,
    pool: { max: 1, connectTimeoutMs: 1000 },
  });
  await manager.knex.raw('select 1');
  proxy.set('hang');
  const began = performance.now();
  await assert.rejects(Promise.resolve(manager.knex.raw('select 2')), {
    code: 'DB_QUERY_TIMEOUT',
    cancelled: false,
  });
  assert.ok(performance.now() - began < 10_000);
  proxy.set('none');
  assert.equal((await manager.knex.raw('select 3 as three')).rows[0].three, 3);
  assertBooksAreTrue(manager);
  const { opened: all, closed } = manager.stats().connections;
  assert.deepEqual([all, closed.broken], [2, 1]);
});

test('a transaction in which the server hangs ends, and holds no connection', async () => {
  const { manager, proxy } = await behindProxy({
    readTimeoutMs: 200,
    writeTimeoutMs: 200,
    cancelTimeoutMs: 100,
  });
  const transaction = manager.knex.transaction(async trx => {
    await trx.raw('select 1');
    proxy.set('hang');
    await trx.raw('select 2');
  });
  await assert.rejects(transaction, { code: 'DB_QUERY_TIMEOUT' });
  await until('the connection to be given back', () => manager.stats().connections.inUse === 0);
});

test('connections that the network cut are closed as broken, idle ones too, and the pool is as good as new', async () => {
  const { manager, proxy } = await behindProxy({ pool: { max: 3 } });
  await Promise.all([1, 2, 3].map(() => manager.knex.raw('select pg_sleep(0.1)')));
  assert.equal(manager.stats().connections.idle, 3);
  proxy.set('reset');
  await until('idle connections to go', () => manager.stats().connections.open === 0);
  assert.equal(manager.stats().connections.closed.broken, 3);
  proxy.set('none');
  const query = Promise.resolve(manager.knex.raw('select pg_sleep(60)'));
  await until('the query to run', () => manager.stats().queries.running === 1);
  proxy.set('reset');
  await assert.rejects(query, /ECONNRESET|terminated/);
  proxy.set('none');
  await manager.knex.raw('select 1');
  assertBooksAreTrue(manager);
});

test('a server that refuses is an error at once, and shows in health and statistics until it is back', async () => {
  const url = new URL(postgres.url);
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address() as { port: number };
  free.close();
  await once(free, 'close');
  const real = url.port;
  url.port = String(port);
  const manager = open({ windowMs: 60_000 }, url.href);
  await assert.rejects(Promise.resolve(manager.knex.raw('select 1')), { code: 'ECONNREFUSED' });
  const health = await manager.healthCheck();
  assert.equal(health.healthy, false);
  assert.equal((health.error as { code: string }).code, 'ECONNREFUSED');
  const { connections } = manager.stats();
  assert.ok(connections.openFailures >= 2);
  assert.equal(connections.acquireFailures, 2);
  assert.ok(manager.health().deductions.some(({ problem }) => problem === 'connect_failures'));
  const proxy = createServer(client => client.pipe(connectTo(Number(real), client)));
  opened.unshift({ close: () => new Promise(done => proxy.close(done)) });
  proxy.listen(port, '127.0.0.1');
  await once(proxy, 'listening');
  await until('the database to be healthy', async () => (await manager.healthCheck()).healthy);
  await manager.close();
});

function connectTo(port: number, client: import('node:net').Socket): import('node:net').Socket {
  const { connect } = require('node:net') as typeof import('node:net');
  const upstream = connect(port, '127.0.0.1');
  upstream.pipe(client);
  for (const socket of [client, upstream]) socket.on('error', () => {});
  return upstream;
}

test('a connection that the server does not answer is given up in its time', async () => {
  const { manager, proxy } = await behindProxy({ pool: { connectTimeoutMs: 200, acquireTimeoutMs: 5000 } });
  proxy.set('hang');
  const began = performance.now();
  await assert.rejects(Promise.resolve(manager.knex.raw('select 1')), /timeout|terminated/i);
  assert.ok(performance.now() - began < 4000, `took ${performance.now() - began} ms`);
  assert.equal(manager.stats().connections.openFailures, 1);
  proxy.set('none');
  await manager.knex.raw('select 1');
});

test('a health check has a deadline where the server hangs and where the pool is empty, and leaves nothing', async () => {
  const { manager, proxy } = await behindProxy({ pool: { max: 1 } });
  assert.equal((await manager.healthCheck()).healthy, true);
  proxy.set('hang');
  const hung = await manager.healthCheck({ timeoutMs: 150 });
  assert.equal(hung.healthy, false);
  const { code, waitedFor } = hung.error as { code: string; waitedFor: string };
  assert.deepEqual([code, waitedFor], ['DB_HEALTH_CHECK_TIMEOUT', 'answer']);
  proxy.set('none');
  await manager.knex.raw('select 1');

  const trx = await manager.knex.transaction();
  const [one, two] = await Promise.all([
    manager.healthCheck({ timeoutMs: 100 }),
    manager.healthCheck({ timeoutMs: 100 }),
  ]);
  assert.equal(one, two);
  assert.equal((one.error as { waitedFor: string }).waitedFor, 'connection');
  await until('nobody to wait', () => manager.stats().connections.waiting === 0);
  await trx.rollback();
  assert.equal((await manager.healthCheck()).healthy, true);
  assertBooksAreTrue(manager);
});

test('time limits of the server are set when a connection is opened', async () => {
  const manager = open({ statementTimeoutMs: 200, lockTimeoutMs: 150, idleInTransactionTimeoutMs: 7000 });
  const { rows } = await manager.knex.raw(
    "select name, setting from pg_settings where name in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout') order by name",
  );
  assert.deepEqual(
    rows.map((row: { setting: string }) => row.setting),
    ['7000', '150', '200'],
  );
  await assert.rejects(Promise.resolve(manager.knex.raw('select pg_sleep(60)')), { code: '57014' });
  assert.equal(manager.stats().queries.timeouts, 1);
});

test('closing fails those who wait, waits for those who run, and closes them when time is up', async () => {
  const manager = managerOf(postgres.url, { pool: { max: 1 } });
  const trx = await manager.knex.transaction();
  const waiting = Promise.resolve(manager.knex.raw('select 1'));
  const refused = assert.rejects(waiting, { code: 'DB_CLOSED' });
  await until('a caller to wait', () => manager.stats().connections.waiting === 1);
  const closing = manager.close({ timeoutMs: 30_000 });
  await refused;
  await trx.raw('select 1');
  await trx.commit();
  assert.deepEqual(await closing, { forced: 0 });
  assert.deepEqual(manager.stats().connections.closed, { idle: 0, lifetime: 0, broken: 0, shutdown: 1 });
  await assert.rejects(Promise.resolve(manager.knex.raw('select 1')), { code: 'DB_CLOSED' });
  assert.equal((await manager.healthCheck()).healthy, false);

  const held = managerOf(postgres.url);
  const stuck = Promise.resolve(held.knex.raw('select pg_sleep(60)'));
  const broken = assert.rejects(stuck);
  await until('the query to run', () => held.stats().queries.running === 1);
  assert.deepEqual(await held.close({ timeoutMs: 50 }), { forced: 1 });
  await broken;
  const { open: left, closed } = held.stats().connections;
  assert.deepEqual([left, closed.shutdown], [0, 1]);
});
