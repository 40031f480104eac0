import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { repository } from '../helpers/app';
import { added, operations, placeOf, pool, poolNames } from '../helpers/database-metrics';
import { type PostgresDatabase, startPostgres } from '../helpers/postgres';
import { type SteppedApp, startStepped } from '../helpers/stepped-app';

const apps = join(repository, 'test', 'fixtures', 'apps', 'use-pg');

let postgres: PostgresDatabase;
let place: string;

before(async () => {
  postgres = await startPostgres();
  place = placeOf(postgres.url);
});
after(() => postgres?.close());

const start = (script: string, way: 'bare' | 'require' | 'import'): Promise<SteppedApp> =>
  startStepped(join(apps, script), { way, env: { DATABASE_URL: postgres.url, VITALS_SLOW_QUERY_MS: '150' } });

it('an application sees the same of node-postgres with the agent as without it', async () => {
  const answers = async (way: 'bare' | 'require') => {
    const app = await start('app.js', way);
    await app.step('open', 'main');
    const seen = [];
    for (const step of ['queries', 'clients', 'submittables', 'behaviour', 'fails']) {
      seen.push(await app.step(step));
    }
    await app.step('open', 'tight', { max: 1, connectionTimeoutMillis: 100 });
    await app.step('hold', 'tight', 1);
    seen.push(await app.step('acquireTimeout', 'tight'));
    await app.step('release');
    await app.end();
    return seen;
  };
  assert.deepEqual(await answers('require'), await answers('bare'));
});

for (const [script, way] of [
  ['app.js', 'require'],
  ['named.mjs', 'import'],
  ['named.mjs', 'require'],
  ['default.mjs', 'import'],
  ['default.mjs', 'require'],
] as const) {
  it(`queries, clients and the pool of ${script} are measured under --${way}`, async () => {
    const app = await start(script, way);
    await app.step('open', 'main');
    await app.step('queries');
    assert.deepEqual(operations(await app.metrics(), 'postgresql'), {
      'DROP TABLE orders': 1,
      'CREATE TABLE orders': 1,
      'INSERT orders': 2,
      'SELECT orders': 3,
    });
    await app.step('clients');
    const metrics = await app.metrics();
    assert.deepEqual(operations(metrics, 'postgresql'), {
      'DROP TABLE orders': 1,
      'CREATE TABLE orders': 1,
      'INSERT orders': 2,
      'SELECT orders': 4,
      SELECT: 2,
      'SELECT | _OTHER': 1,
      BEGIN: 1,
      'UPDATE orders': 1,
      ROLLBACK: 1,
      'DELETE orders': 1,
    });
    assert.deepEqual(pool(metrics, place), {
      used: 0,
      idle: 1,
      pending: 0,
      limit: 3,
      idleMin: 0,
      idleMax: 3,
      timeouts: 0,
      created: 1,
      waited: 9,
      returned: 9,
    });
    await app.end();
  });
}

describe('node-postgres', () => {
  let app: SteppedApp;
  before(async () => {
    app = await start('app.js', 'require');
    await app.step('open', 'main');
    await app.step('queries');
  });
  after(() => app?.end());

  async function addedBy(step: string, ...args: unknown[]): Promise<Record<string, number>> {
    const earlier = operations(await app.metrics(), 'postgresql');
    await app.step(step, ...args);
    return added(earlier, operations(await app.metrics(), 'postgresql'));
  }

  it('measures cursors, streams and query objects once each, to their end', async () => {
    assert.deepEqual(await addedBy('submittables'), {
      'SELECT orders': 2,
      SELECT: 1,
      'SELECT nowhere | 42P01': 1,
    });
  });

  it('says by error.type why a query failed', async () => {
    assert.deepEqual(await addedBy('fails'), {
      '_OTHER | 42601': 1,
      'INSERT orders | 23505': 1,
      'SELECT | timeout': 1,
      'SET SELECT | 57014': 1,
      SET: 1,
      'SELECT | 57P01': 1,
      SELECT: 2,
      'SELECT | _OTHER': 1,
      'SELECT accounts | ECONNREFUSED': 1,
    });
    const lines = (await app.metrics()).text.split('\n').filter(line => /^\w*db_/.test(line));
    assert.doesNotMatch(lines.join('\n'), /secret|ada|grace/);
  });

  it('shows an exhausted pool by the requests that wait for it', async () => {
    await app.step('open', 'small', { max: 2, min: 1 });
    await app.step('hold', 'small', 2);
    await app.step('ask', 'small', 3);
    assert.deepEqual(pool(await app.metrics(), `${place}#2`), {
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
    const { used, idle, pending, waited, returned } = pool(await app.metrics(), `${place}#2`);
    assert.deepEqual(
      { used, idle, pending, waited, returned },
      { used: 0, idle: 2, pending: 0, waited: 5, returned: 5 },
    );
  });

  it('counts a wait for a connection that ran out of time, and the query that it was for', async () => {
    await app.step('open', 'tight', { max: 1, connectionTimeoutMillis: 100 });
    await app.step('hold', 'tight', 1);
    assert.deepEqual(await addedBy('acquireTimeout', 'tight'), { 'SELECT orders | timeout': 1 });
    const { timeouts, pending, used } = pool(await app.metrics(), `${place}#3`);
    assert.deepEqual({ timeouts, pending, used }, { timeouts: 1, pending: 0, used: 1 });
    await app.step('release');
  });

  it('names the pool of another database by it', async () => {
    const url = new URL(postgres.url);
    url.pathname = '/template1';
    await app.step('open', 'other', { url: url.href });
    await app.step('hold', 'other', 1);
    assert.equal(pool(await app.metrics(), placeOf(url.href)).used, 1);
    await app.step('release');
    await app.step('close', 'other');
  });

  it('shows a pool that ends until its last connection has come back', async () => {
    await app.step('hold', 'small', 1);
    await app.step('startClosing', 'small');
    assert.equal(pool(await app.metrics(), `${place}#2`).used, 1);
    await app.step('release');
    assert.deepEqual(
      poolNames(await app.metrics()).filter(name => name.startsWith(place)),
      [place, `${place}#3`],
    );
  });

  it('counts what takes longer than VITALS_SLOW_QUERY_MS as slow', async () => {
    const slow = async () =>
      (await app.metrics()).value('vitals_db_slow_queries_total', { db_query_summary: 'SELECT pg_class' }) ??
      0;
    await app.step('open', 'slow', { max: 1, query_timeout: 250 });
    assert.equal(await slow(), 0);
    await app.step('run', 'slow', 'SELECT pg_sleep(0.2) FROM pg_class LIMIT 1');
    assert.equal(await slow(), 1);
    // One that fails counts as well.
    await app.step('run', 'slow', 'SELECT pg_sleep(1) FROM pg_class LIMIT 1');
    assert.equal(await slow(), 2);
  });
});
