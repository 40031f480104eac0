import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import { after, before, test } from 'node:test';
import express from 'express';
import type { DatabaseManager } from '../../toolkit/database';
import { assertBooksAreTrue, assertConnectionLaws, managerOf, until } from '../helpers/databases';
import { type PostgresDatabase, startPostgres } from '../helpers/postgres';

let postgres: PostgresDatabase;
let main: DatabaseManager;
before(async () => {
  postgres = await startPostgres();
  main = managerOf(postgres.url, { name: 'main' });
  await main.knex.schema.createTable('orders', table => {
    table.increments('id');
    table.integer('customer_id').notNullable();
    table.text('status').defaultTo('new');
  });
});
after(async () => {
  await main?.close();
  await postgres?.close();
});

/** Runs `work` with a manager of its own. */
async function withManager(
  options: Parameters<typeof managerOf>[1],
  work: (manager: DatabaseManager) => Promise<void>,
): Promise<void> {
  const manager = managerOf(postgres.url, options);
  try {
    await work(manager);
  } finally {
    await manager.close({ timeoutMs: 1000 });
    assertConnectionLaws(manager.stats().connections);
  }
}

test('whatever runs at once, the books are true at every moment, and in the end to the last query', async () => {
  await withManager({ pool: { max: 4 } }, async manager => {
    const { knex } = manager;
    const works = [
      () => knex('orders').select('id').limit(1),
      () => knex.raw('select pg_sleep(0.005)'),
      () => knex.raw('select * from nowhere').catch(() => {}),
      () => knex.transaction(async trx => void (await trx('orders').insert({ customer_id: 1 }))),
      () =>
        knex
          .transaction(async trx => {
            await trx('orders').limit(1);
            throw new Error('no');
          })
          .catch(() => {}),
    ];
    let over = false;
    const watching = (async () => {
      while (!over) {
        assertConnectionLaws(manager.stats().connections);
        await new Promise(resolve => setImmediate(resolve));
      }
    })();
    await Promise.all(Array.from({ length: 100 }, (_, i) => works[i % works.length]!()));
    over = true;
    await watching;
    assertBooksAreTrue(manager);
    const { queries, connections, distinctQueries } = manager.stats();
    // Of five kinds twenty each; a transaction is BEGIN, one query, and COMMIT or ROLLBACK.
    assert.deepEqual([queries.count, queries.errors, queries.running], [180, 20, 0]);
    assert.deepEqual([connections.acquired, connections.released, connections.mostInUse], [100, 100, 4]);
    assert.ok(connections.waitCount >= 90 && connections.waitDurationMs > 0);
    const counts = Object.fromEntries(manager.queries().map(({ query, count }) => [query, count]));
    assert.deepEqual(counts, {
      'select "id" from "orders" limit ?': 20,
      'select pg_sleep(?)': 20,
      'select * from nowhere': 20,
      'insert into "orders"("customer_id") values (?)': 20,
      'select * from "orders" limit ?': 20,
      begin: 40,
      commit: 20,
      rollback: 20,
    });
    assert.equal(distinctQueries, 8);
    const fails = manager.queries().find(({ query }) => query.includes('nowhere'))!;
    assert.equal(fails.errors, 20);
  });
});

test('a caller waits when all connections are in use, and no caller for whom one is free or may be opened', async () => {
  await withManager({ pool: { max: 2, acquireTimeoutMs: 1500 } }, async manager => {
    const [one, two] = [await manager.knex.transaction(), await manager.knex.transaction()];
    assert.equal(manager.stats().connections.waitCount, 0);
    const failed = Promise.resolve(manager.knex.raw('select 1'));
    await assert.rejects(failed, (error: Error) => {
      const { code, timeoutMs, pool, cause } = error as unknown as Record<string, unknown>;
      assert.deepEqual(
        [code, timeoutMs, pool],
        ['DB_ACQUIRE_TIMEOUT', 1500, { inUse: 2, waiting: 0, max: 2 }],
      );
      assert.equal((cause as Error).name, 'KnexTimeoutError');
      return true;
    });
    const served = manager.knex.raw('select 1');
    const done = served.then(() => {});
    await until('a caller to wait', () => manager.stats().connections.waiting === 1);
    await one.commit();
    await done;
    await two.rollback();
    const { waitCount, waitDurationMs, acquireTimeouts, acquired, requested } = manager.stats().connections;
    assert.deepEqual([waitCount, acquireTimeouts, acquired, requested], [2, 1, 3, 4]);
    assert.ok(waitDurationMs >= 1495, String(waitDurationMs));
    assert.ok(manager.health().deductions.some(({ problem }) => problem === 'acquire_timeouts'));
    assertBooksAreTrue(manager);
  });
});

test('a connection is closed when it was idle for too long, down to the least that is kept', async () => {
  await withManager({ pool: { min: 1, max: 3, idleTimeoutMs: 100 } }, async manager => {
    await Promise.all([1, 2, 3].map(() => manager.knex.raw('select pg_sleep(0.1)')));
    assert.equal(manager.stats().connections.open, 3);
    await until('idle connections to be closed', () => manager.stats().connections.open === 1);
    assert.deepEqual(manager.stats().connections.closed, { idle: 2, lifetime: 0, broken: 0, shutdown: 0 });
    assertBooksAreTrue(manager);
  });
});

test('a connection is closed when it is too old, whether idle or given back, and never while in use', async () => {
  let now = 0;
  const pool = { min: 2, max: 2, lifetimeMs: 1000, idleTimeoutMs: 2000 };
  await withManager({ pool, clock: () => now }, async manager => {
    const pid = async (knex = manager.knex) => (await knex.raw('select pg_backend_pid() as pid')).rows[0].pid;
    const trx = await manager.knex.transaction();
    const [held, idle] = [await pid(trx), await pid()];
    assert.notEqual(held, idle);
    now = 899;
    assert.equal(await pid(), idle);
    now = 1001;
    await until('the idle one to be closed', () => manager.stats().connections.closed.lifetime === 1);
    assert.equal(await pid(trx), held);
    await trx.commit();
    const next = await pid();
    assert.ok(next !== held && next !== idle);
    assert.deepEqual(manager.stats().connections.closed, { idle: 0, lifetime: 2, broken: 0, shutdown: 0 });
    assertBooksAreTrue(manager);
  });
});

test('the means of connecting, waiting and querying are those of what was done', async () => {
  let now = 0;
  await withManager({ clock: () => now, slowQueryMs: 300 }, async manager => {
    const pool = (manager.knex.client as { pool: { on(event: string, listener: () => void): void } }).pool;
    pool.on('createRequest', () => (now += 40));
    manager.knex.on('query', () => (now += 10));
    manager.knex.on('query-response', () => {});
    await manager.knex.raw('select 1');
    await manager.knex.raw('select 2');
    const { connections, queries } = manager.stats();
    // The clock moves on after opening was noted, and after a query's begin was.
    assert.equal(connections.meanConnectMs, 40);
    assert.equal(connections.waitTime.sum, 0.04);
    assert.deepEqual([queries.totalMs, queries.meanMs, queries.count], [20, 10, 2]);
    assert.equal(manager.health().recent.inUseMs, 20);
  });
});

test('a slow query is told, listed, and has a plan that is asked for without running it', async () => {
  const told: unknown[] = [];
  await withManager({ slowQueryMs: 50, onSlowQuery: slow => told.push(slow) }, async manager => {
    const { knex } = manager;
    await main.insertMany(
      'orders',
      (function* () {
        for (let i = 0; i < 20_000; i++) yield { customer_id: i % 5000, status: 'old' };
      })(),
    );
    await main.knex.raw('analyze orders');
    await main.knex.raw('create table effects (n int)');
    await main.knex.raw(
      `create function effect(int) returns int language sql as 'insert into effects values ($1) returning n'`,
    );
    await manager.route('GET /orders', () =>
      knex.raw("select *, pg_sleep(0.06) from orders where customer_id = ? and status = 'old' limit 1", [7]),
    );
    const [slow] = manager.slowQueries();
    assert.equal(
      slow?.query,
      'select *, pg_sleep(?) from orders where customer_id = ? and status = ? limit ?',
    );
    assert.deepEqual([slow.count, slow.slow], [1, 1]);
    const [{ ms, ...rest }] = told as [{ ms: number }];
    assert.deepEqual(rest, { database: 'shop', query: slow.query, route: 'GET /orders' });
    assert.ok(ms >= 60);

    const plan = await manager.plan(slow.query);
    assert.equal(plan.query, slow.query);
    assert.equal(plan.scans[0]?.table, 'orders');
    assert.ok(plan.scans[0]!.rows > 15_000);
    assert.deepEqual(plan.scans[0]!.columns, ['customer_id', 'status']);
    const missing = manager.recommendations().find(({ code }) => code === 'missing_index');
    assert.equal(missing?.subject, 'orders');
    assert.match(missing.advice, /create index concurrently on orders \(customer_id, status\)$/);

    await main.knex.raw('create index on orders (customer_id, status)');
    assert.deepEqual((await manager.plan(slow.query, { bindings: [7] })).scans, []);
    await manager.plan('select effect(id) from orders');
    await manager.plan('insert into effects select effect(id) from orders');
    await manager.plan('delete from orders where id = $1', { bindings: [1] });
    assert.deepEqual(await knex('effects'), []);
    for (const sql of ['select 1; delete from orders', 'analyze select effect(1)', 'drop table effects']) {
      await assert.rejects(manager.plan(sql), { code: 'DB_EXPLAIN_REFUSED' });
    }
    await knex('orders').limit(1);
    await assert.rejects(manager.plan('select * from "orders" limit ?'), { code: 'DB_EXPLAIN_REFUSED' });
  });
});

test('a route that reads one by one is found, and not one that reads all at once or another beside it', async () => {
  await withManager({ nPlusOneAfter: 5, pool: { max: 3 } }, async manager => {
    const { knex } = manager;
    assert.deepEqual(manager.stats().nPlusOne, []);
    const oneByOne = () =>
      manager.route('GET /orders', async () => {
        const ids = await knex('orders').limit(6).pluck('id');
        for (const id of ids) await knex('orders').where({ id }).first();
      });
    const atOnce = () =>
      manager.route('GET /report', async () => {
        const ids = await knex('orders').limit(6).pluck('id');
        await knex('orders').whereIn('id', ids);
        for (let i = 0; i < 4; i++) await knex('orders').where({ id: i }).first();
      });
    const writes = () =>
      manager.route('POST /orders', async () => {
        for (let i = 0; i < 6; i++) await knex('orders').insert({ customer_id: i });
      });
    const nowhere = async () => {
      for (let i = 0; i < 6; i++) await knex('orders').where({ id: i }).first();
    };
    await Promise.all([oneByOne(), atOnce(), oneByOne(), writes(), atOnce(), nowhere()]);
    assert.throws(() =>
      manager.route('broken', () => {
        throw new Error('broken');
      }),
    );
    const [pattern, ...others] = manager.stats().nPlusOne;
    assert.deepEqual(others, []);
    assert.deepEqual(
      { ...pattern, lastMs: 0 },
      {
        route: 'GET /orders',
        query: 'select * from "orders" where "id" = ? limit ?',
        after: 'select "id" from "orders" limit ?',
        runs: 2,
        mostRepeats: 6,
        lastMs: 0,
      },
    );
    const found = manager.recommendations().filter(({ code }) => code === 'n_plus_one');
    assert.deepEqual(
      found.map(({ subject }) => subject),
      ['GET /orders'],
    );
  });
});

test('the middleware names routes of express by their patterns, and counts each request apart', async () => {
  await withManager({ nPlusOneAfter: 3 }, async manager => {
    const app = express();
    app.use(manager.middleware());
    const shop = express.Router();
    shop.get('/:id', async (request, response) => {
      const times = Number(request.params.id);
      for (let i = 0; i < times; i++) await manager.knex('orders').where({ id: i }).first();
      response.end();
    });
    app.use('/shop', shop);
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const ask = async (times: number): Promise<void> => {
      const [response] = await once(get(`http://127.0.0.1:${port}/shop/${times}`), 'response');
      response.resume();
      await once(response, 'end');
    };
    await Promise.all([ask(2), ask(2), ask(2), ask(4)]);
    await until('the pattern', () => manager.stats().nPlusOne.length > 0);
    const [pattern] = manager.stats().nPlusOne;
    assert.deepEqual([pattern!.route, pattern!.runs, pattern!.mostRepeats], ['GET /shop/:id', 1, 4]);
    server.close();
    server.closeAllConnections();
  });
});

test('a transaction that is never ended is found, with the code that began it', async () => {
  const leaks: { database: string; heldMs: number; stack: string }[] = [];
  const leakDetection = {
    afterMs: 50,
    sampleEvery: 1,
    onLeak: (leak: (typeof leaks)[number]) => leaks.push(leak),
  };
  await withManager({ leakDetection }, async manager => {
    async function beginsAndForgets() {
      const trx = await manager.knex.transaction();
      await trx.raw('select 1');
      return trx;
    }
    await manager.knex.transaction(async trx => void (await trx.raw('select 1')));
    const forgotten = await beginsAndForgets();
    await until('the leak', () => leaks.length > 0);
    assert.equal(leaks.length, 1);
    assert.equal(leaks[0]!.database, 'shop');
    assert.match(leaks[0]!.stack, /beginsAndForgets/);
    assert.doesNotMatch(leaks[0]!.stack, /node_modules.knex/);
    assert.equal(manager.stats().connections.leaks, 1);
    assert.ok(manager.health().deductions.some(({ problem }) => problem === 'connections_leaked'));
    const found = manager.recommendations().find(({ code }) => code === 'connection_leak');
    assert.match(String(found?.evidence['stack']), /beginsAndForgets/);
    await forgotten.rollback();
    assert.ok(!manager.health().deductions.some(({ problem }) => problem === 'connections_leaked'));
  });
});

test('a prepared statement is prepared once on a connection, and gives rows and counts', async () => {
  await withManager({ pool: { max: 1 } }, async manager => {
    const byId = manager.prepare<{ customer_id: number }>('select customer_id from orders where id = ?');
    const rename = manager.prepare('update orders set status = ? where id in (?, ?)');
    const [{ id }, { id: other }] = await manager
      .knex('orders')
      .insert([{ customer_id: 901 }, { customer_id: 902 }])
      .returning('id');
    assert.deepEqual(await byId.rows([id]), [{ customer_id: 901 }]);
    assert.deepEqual(await byId.first([other]), { customer_id: 902 });
    assert.equal(await byId.first([-1]), undefined);
    assert.equal(await rename.run(['sent', id, other]), 2);
    await manager.knex
      .transaction(async trx => {
        assert.equal(await rename.run(['lost', id, other], { transaction: trx }), 2);
        throw new Error('back');
      })
      .catch(() => {});
    assert.deepEqual(await manager.knex('orders').whereIn('id', [id, other]).pluck('status'), [
      'sent',
      'sent',
    ]);
    const { rows } = await manager.knex.raw('select name from pg_prepared_statements order by name');
    assert.deepEqual(
      rows.map((row: { name: string }) => row.name),
      [byId.name, rename.name].sort(),
    );
    const counted = manager.queries().find(({ query }) => query.startsWith('select customer_id'));
    assert.equal(counted?.count, 3);
  });
});

test('many rows are inserted by few statements, all or none, from whatever gives them', async () => {
  await withManager({}, async manager => {
    const { knex } = manager;
    await knex.raw('create table goods (id int primary key, name text, price int default 5)');
    async function* goods(from: number, to: number) {
      for (let id = from; id < to; id++) yield id % 2 === 0 ? { id, name: `g${id}` } : { id, price: 7 };
    }
    assert.deepEqual(await manager.insertMany('goods', goods(0, 2500)), { inserted: 2500, batches: 3 });
    assert.deepEqual(await knex('goods').whereIn('id', [2, 3]).orderBy('id'), [
      { id: 2, name: 'g2', price: 5 },
      { id: 3, name: null, price: 7 },
    ]);
    await assert.rejects(manager.insertMany('goods', goods(2499, 5000)), { code: '23505' });
    assert.equal((await knex('goods').count().first())?.['count'], '2500');
    assert.deepEqual(await manager.insertMany('goods', goods(2495, 2510), { onConflict: 'ignore' }), {
      inserted: 10,
      batches: 1,
    });
    assert.deepEqual(await manager.insertMany('goods', []), { inserted: 0, batches: 0 });
    const columns = Array.from({ length: 100 }, (_, i) => `c${i}`);
    await knex.raw(`create table wide (${columns.map(column => `${column} int`).join(', ')})`);
    const wide = Array.from({ length: 1000 }, () => Object.fromEntries(columns.map(column => [column, 1])));
    assert.deepEqual(await manager.insertMany('wide', wide), { inserted: 1000, batches: 2 });
    await assert.rejects(manager.insertMany('goods', [], { batchRows: 0 }), TypeError);
  });
});

test('a stream is counted once, whether it is read to its end or left, and its connection is given back', async () => {
  await withManager({ pool: { max: 1 } }, async manager => {
    let rows = 0;
    for await (const _ of manager.knex('orders').limit(50).stream()) rows++;
    assert.equal(rows, 50);
    for await (const _ of manager.knex('orders').stream()) break;
    await until('the connection to be given back', () => manager.stats().connections.inUse === 0);
    await manager.knex.raw('select 1');
    const { count, running } = manager.stats().queries;
    assert.deepEqual([count, running], [3, 0]);
    assertBooksAreTrue(manager);
  });
});

test('options that are not as documented are refused with what was expected', () => {
  const refused: [Parameters<typeof managerOf>[1], RegExp][] = [
    [{ name: '' }, /name/],
    [{ pool: { max: 0 } }, /pool\.max/],
    [{ pool: { min: 11 } }, /pool\.min/],
    [{ pool: { lifetimeMs: -1 } }, /pool\.lifetimeMs/],
    [{ pool: { idleTimeoutMs: 2 ** 31 } }, /pool\.idleTimeoutMs/],
    [{ readTimeoutMs: 0 }, /readTimeoutMs/],
    [{ slowQueryMs: Number.NaN }, /slowQueryMs/],
    [{ maxQueries: 1.5 }, /maxQueries/],
    [{ onSlowQuery: 'x' as never }, /onSlowQuery/],
  ];
  for (const [options, message] of refused) {
    assert.throws(
      () => managerOf(postgres.url, options),
      { name: 'TypeError', message },
      JSON.stringify(options),
    );
  }
});
