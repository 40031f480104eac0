import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { ioredisTargets } from '../../instrumentation/libraries/ioredis';
import { knexTargets } from '../../instrumentation/libraries/knex';
import { hookModules } from '../../instrumentation/libraries/modules';
import { nodeRedisTargets } from '../../instrumentation/libraries/node-redis';
import { pgTargets } from '../../instrumentation/libraries/pg';
import type { DatabaseMeters } from '../../instrumentation/libraries/tools';
import { createLog } from '../../instrumentation/log';
import { type PostgresDatabase, startPostgres } from '../helpers/postgres';
import { type RedisServer, startRedis } from '../helpers/redis';

/** Meters that fail whenever they are used. */
let failures = 0;
const fail = (): never => {
  failures++;
  throw new Error('the meter is broken');
};
const broken: DatabaseMeters = {
  operations: { sql: () => ({ end: fail }), redis: { end: fail } },
  pools: { track: fail },
};

const said: string[] = [];
const hooked = new Set<string>();
const targets = [
  ...knexTargets(broken),
  ...pgTargets(broken),
  ...nodeRedisTargets(broken),
  ...ioredisTargets(broken),
];
const unhook = hookModules(
  targets,
  createLog('warn', line => said.push(line)),
  library => hooked.add(library),
);

// Loaded after the hooks, as an application's own modules are.
const require = createRequire(__filename);
const { knex } = require('knex') as typeof import('knex');
const { Client, Pool } = require('pg') as typeof import('pg');
const { createClient, createClientPool } = require('redis') as typeof import('redis');
const { Redis } = require('ioredis') as typeof import('ioredis');

let postgres: PostgresDatabase;
let redis: RedisServer;
before(async () => {
  [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
});
after(async () => {
  await Promise.all([postgres?.close(), redis?.close()]);
  unhook();
  assert.deepEqual([...hooked].sort(), ['ioredis', 'knex', 'pg', 'redis']);
  // However often it fails, it is said once.
  assert.ok(failures > 20, String(failures));
  assert.deepEqual(said, ['otel-vitals warn: a library hook failed: the meter is broken\n']);
});

/** Runs `work` and gives how often the meters failed meanwhile. */
async function failuresIn(work: () => Promise<void>): Promise<number> {
  const earlier = failures;
  await work();
  return failures - earlier;
}

test('knex runs queries, transactions and streams, and gives its own errors', async () => {
  const count = await failuresIn(async () => {
    const db = knex({ client: 'pg', connection: postgres.url, pool: { min: 0, max: 2 } });
    assert.equal((await db.raw('SELECT 7 AS n')).rows[0].n, 7);
    await assert.rejects(db.raw('SELEC'), { code: '42601' });
    await assert.rejects(db.raw('SELECT pg_sleep(5)').timeout(30), { name: 'KnexTimeoutError' });
    assert.equal(await db.transaction(async trx => (await trx.raw('SELECT 8 AS n')).rows[0].n), 8);
    const rows = [];
    for await (const row of db.select(db.raw('9 AS n')).stream()) rows.push(row.n);
    assert.deepEqual(rows, [9]);
    await db.destroy();
    await assert.rejects(db.raw('SELECT 1'), /Unable to acquire a connection/);
  });
  assert.ok(count >= 8, String(count));
});

test('node-postgres runs queries with promises and callbacks, and gives its own errors', async () => {
  const count = await failuresIn(async () => {
    const pool = new Pool({ connectionString: postgres.url, max: 1, connectionTimeoutMillis: 100 });
    assert.equal((await pool.query('SELECT 7 AS n')).rows[0].n, 7);
    await assert.rejects(pool.query('SELEC'), { code: '42601' });
    const client = await pool.connect();
    await assert.rejects(pool.query('SELECT 1'), /timeout exceeded/);
    const byCallback = await new Promise(resolve => {
      client.query('SELECT 8 AS n', (error, result) => resolve([error, result.rows[0].n]));
    });
    assert.deepEqual(byCallback, [null, 8]);
    client.release();
    await pool.end();

    const direct = new Client({ connectionString: postgres.url });
    await direct.connect();
    assert.equal((await direct.query({ text: 'SELECT $1::int AS n', values: [9] })).rows[0].n, 9);
    await direct.end();
  });
  assert.ok(count >= 5, String(count));
});

test('node-redis runs commands, transactions and pools, and gives its own errors', async () => {
  const count = await failuresIn(async () => {
    const client = createClient({ url: redis.url });
    await assert.rejects(client.get('closed'), { name: 'Error', message: 'The client is closed' });
    await client.connect();
    assert.equal(await client.set('a', '1'), 'OK');
    assert.deepEqual(await client.multi().incr('a').get('a').exec(), [2, '2']);
    await assert.rejects(client.lPush('a', 'x'), /WRONGTYPE/);
    await client.close();

    const pool = createClientPool({ url: redis.url }, { minimum: 1, maximum: 2 });
    await pool.connect();
    assert.equal(await pool.get('a'), '2');
    assert.equal(await pool.execute(async one => one.incr('a')), 3);
    await pool.close();
  });
  assert.ok(count >= 8, String(count));
});

test('ioredis runs commands and pipelines, and gives its own errors', async () => {
  const count = await failuresIn(async () => {
    const client = new Redis(redis.url);
    assert.equal(await client.set('b', '1'), 'OK');
    assert.deepEqual(await client.pipeline().incr('b').get('b').exec(), [
      [null, 2],
      [null, '2'],
    ]);
    await assert.rejects(client.lpush('b', 'x'), /WRONGTYPE/);
    await client.quit();
  });
  assert.ok(count >= 5, String(count));
});
