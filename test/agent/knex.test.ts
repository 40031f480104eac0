import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { repository } from '../helpers/app';
import {
  added as addedTo,
  operations as operationsOf,
  placeOf,
  poolNames,
  pool as poolOf,
} from '../helpers/database-metrics';
import { type PostgresDatabase, startPostgres } from '../helpers/postgres';
import type { Samples } from '../helpers/samples';
import { type SteppedApp, startStepped } from '../helpers/stepped-app';

const apps = join(repository, 'test', 'fixtures', 'apps', 'use-knex');
const operation = 'db_client_operation_duration_seconds';
const slowMs = 400;

let postgres: PostgresDatabase;
/** `host:port/database` of the server. */
let place: string;

before(async () => {
  postgres = await startPostgres();
  place = placeOf(postgres.url);
});
after(() => postgres?.close());

const start = (script: string, way: 'bare' | 'require' | 'import'): Promise<SteppedApp> =>
  startStepped(join(apps, script), {
    way,
    env: { DATABASE_URL: postgres.url, VITALS_SLOW_QUERY_MS: String(slowMs) },
  });

const operations = (metrics: Samples) => operationsOf(metrics, 'postgresql');
const pool = (metrics: Samples, name = place) => poolOf(metrics, name);

/** What `shop` runs on a new pool; knex asks each new connection for the server's version. */
const shop = {
  SELECT: 1,
  'DROP TABLE orders': 1,
  'CREATE TABLE orders': 1,
  'INSERT orders': 1,
  'SELECT orders': 3,
  'UPDATE orders': 1,
  'DELETE orders': 1,
};

it('an application sees the same of knex with the agent as without it', async () => {
  const answers = async (way: 'bare' | 'require') => {
    const app = await start('app.js', way);
    const seen = [await app.step('open', 'main')];
    for (const step of ['shop', 'transaction', 'stream', 'builder', 'fails', 'textsOnly']) {
      seen.push(await app.step(step));
    }
    seen.push(await app.step('open', 'tight', { pool: { min: 0, max: 1 }, acquireConnectionTimeout: 100 }));
    await app.step('hold', 'tight', 1);
    seen.push(await app.step('acquireTimeout', 'tight'));
    await app.step('release');
    seen.push(await app.step('reopen', 'main'));
    await app.end();
    return seen;
  };
  assert.deepEqual(await answers('require'), await answers('bare'));
});

for (const [script, way] of [
  ['app.js', 'require'],
  ['app.mjs', 'import'],
  ['app.mjs', 'require'],
] as const) {
  it(`queries and the pool of ${script} are measured under --${way}`, async () => {
    const app = await start(script, way);
    await app.step('open', 'main');
    await app.step('shop');
    const metrics = await app.metrics();
    assert.deepEqual(operations(metrics), shop);
    assert.deepEqual(pool(metrics), {
      used: 0,
      idle: 1,
      pending: 0,
      limit: 3,
      idleMin: 0,
      idleMax: 3,
      timeouts: 0,
      created: 1,
      waited: 8,
      returned: 8,
    });
    await app.end();
  });
}

describe('knex over PostgreSQL', () => {
  let app: SteppedApp;
  before(async () => {
    app = await start('app.js', 'require');
    await app.step('open', 'main');
    await app.step('shop');
  });
  after(() => app?.end());

  /** What a step adds to the counts of operations. */
  async function added(step: string, ...args: unknown[]): Promise<Record<string, number>> {
    const earlier = operations(await app.metrics());
    await app.step(step, ...args);
    return addedTo(earlier, operations(await app.metrics()));
  }

  it('measures BEGIN, COMMIT, ROLLBACK and savepoints of transactions, and what runs inside', async () => {
    assert.deepEqual(await added('transaction'), {
      BEGIN: 3,
      COMMIT: 2,
      ROLLBACK: 1,
      SAVEPOINT: 1,
      RELEASE: 1,
      'INSERT orders': 2,
      'SELECT orders': 3,
    });
  });

  it('measures a stream once', async () => {
    assert.deepEqual(await added('stream'), { 'SELECT orders': 1 });
  });

  it('says by error.type why a query failed, a timeout of knex included', async () => {
    assert.deepEqual(await added('fails'), {
      '_OTHER | 42601': 2,
      'SELECT nowhere | 42P01': 1,
      'INSERT orders | 23505': 1,
      'SELECT | KnexTimeoutError': 2,
      // The connection whose query timed out was replaced by a new one.
      SELECT: 1,
    });
  });

  it('has one series for a query whatever its values, and shows none of them', async () => {
    assert.deepEqual(await added('manyValues', 50), { 'SELECT orders': 50 });
    const lines = (await app.metrics()).text.split('\n').filter(line => /^\w*db_/.test(line));
    assert.ok(lines.length > 100);
    assert.doesNotMatch(lines.join('\n'), /secret|hunter2|ada|grace|alan/);
  });

  it('counts what takes longer than VITALS_SLOW_QUERY_MS as slow', async () => {
    await app.step('slow', (slowMs + 200) / 1000);
    const metrics = await app.metrics();
    const select = { db_query_summary: 'SELECT snails' };
    assert.equal(
      metrics.value('vitals_db_slow_queries_total', { ...select, db_operation_name: 'SELECT' }),
      1,
      metrics.text,
    );
    const seconds = metrics.value(`${operation}_sum`, select)!;
    assert.ok(seconds >= (slowMs + 190) / 1000 && seconds < 20, `took ${seconds} s`);
  });

  it('shows an exhausted pool by the requests that wait for it', async () => {
    await app.step('open', 'small', { pool: { min: 1, max: 2 } });
    const name = `${place}#2`;
    await app.step('hold', 'small', 2);
    await app.step('ask', 'small', 3);
    assert.deepEqual(pool(await app.metrics(), name), {
      used: 2,
      idle: 0,
      pending: 3,
      limit: 2,
      idleMin: 1,
      idleMax: 2,
      timeouts: 0,
      created: 2,
      waited: 2,
      returned: undefined,
    });
    await app.step('release');
    const freed = pool(await app.metrics(), name);
    assert.deepEqual(
      [freed.used, freed.idle, freed.pending, freed.waited, freed.returned],
      [0, 2, 0, 5, 5],
      JSON.stringify(freed),
    );
  });

  it('counts a wait for a connection that ran out of time, and the query that it was for', async () => {
    await app.step('open', 'tight', { pool: { min: 0, max: 1 }, acquireConnectionTimeout: 100 });
    await app.step('hold', 'tight', 1);
    assert.deepEqual(await added('acquireTimeout', 'tight'), { 'SELECT orders | KnexTimeoutError': 1 });
    const { timeouts, pending, used } = pool(await app.metrics(), `${place}#3`);
    assert.deepEqual([timeouts, pending, used], [1, 0, 1]);
    await app.step('release');
  });

  it('tells a second instance of the same database apart, and ends its series with it', async () => {
    const names = async () => poolNames(await app.metrics());
    assert.deepEqual(await names(), [place, `${place}#2`, `${place}#3`]);
    await app.step('destroy', 'small');
    assert.deepEqual(await names(), [place, `${place}#3`]);
    assert.equal(pool(await app.metrics(), `${place}#2`).returned, undefined);
    await app.step('open', 'later');
    await app.step('hold', 'later', 1);
    assert.equal(pool(await app.metrics(), `${place}#2`).used, 1);
    await app.step('release');
  });

  it('measures the pool that initialize() makes after destroy(), under the same name', async () => {
    const { waited } = pool(await app.metrics());
    assert.ok(waited! > 8);
    await app.step('reopen', 'main');
    assert.deepEqual(pool(await app.metrics()), {
      used: 0,
      idle: 1,
      pending: 0,
      limit: 3,
      idleMin: 0,
      idleMax: 3,
      timeouts: 0,
      created: 1,
      waited: 1,
      returned: 1,
    });
  });

  it('bounds the summaries, however many tables the texts name', async () => {
    await app.step('manyTables', 300);
    const metrics = await app.metrics();
    const summaries = metrics.labels(`${operation}_count`, 'db_query_summary');
    assert.ok(summaries.length >= 199 && summaries.length <= 200, String(summaries.length));
    assert.ok(
      metrics.value(`${operation}_count`, { db_query_summary: '_OTHER', db_operation_name: 'SELECT' })! > 100,
    );
  });
});
