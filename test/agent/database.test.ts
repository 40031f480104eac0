import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { DatabaseStats } from '../../toolkit/database';
import { repository } from '../helpers/app';
import { operations, placeOf, pool, poolNames } from '../helpers/database-metrics';
import { type PostgresDatabase, startPostgres } from '../helpers/postgres';
import type { Samples } from '../helpers/samples';
import { type SteppedApp, startStepped } from '../helpers/stepped-app';

const script = join(repository, 'test', 'fixtures', 'apps', 'use-database', 'app.js');

let postgres: PostgresDatabase;
before(async () => {
  postgres = await startPostgres();
});
after(() => postgres?.close());

const start = (way: 'bare' | 'require', env: Record<string, string> = {}): Promise<SteppedApp> =>
  startStepped(script, { way, env: { DATABASE_URL: postgres.url, ...env } });
const vitals = (metrics: Samples, name: string, manager: string, labels = {}) =>
  metrics.value(`vitals_db_${name}`, { db_client_connection_pool_name: manager, ...labels });

test('an application sees the same of its database manager with the agent as without it', async () => {
  const seen = async (way: 'bare' | 'require') => {
    const app = await start(way);
    await app.step('open', 'shop', { readTimeoutMs: 1000, cancelTimeoutMs: 20_000 });
    const answers = [await app.step('shop', 'shop'), await app.step('timesOut', 'shop')];
    const { queries, connections } = await app.step<DatabaseStats>('stats', 'shop');
    await app.end();
    return [answers, queries.count, queries.errors, connections.acquired, connections.opened];
  };
  assert.deepEqual(await seen('require'), await seen('bare'));
});

test('every pool shows by the name of its manager, and is counted once', async () => {
  const app = await start('require');
  await app.step('open', 'shop', { pool: { min: 1, max: 4 }, readTimeoutMs: 1000, cancelTimeoutMs: 20_000 });
  await app.step('open', 'archive', { pool: { max: 2 } });
  const answers = await app.step('shop', 'shop');
  assert.deepEqual(answers, [{ total: '6' }, '42P01']);
  await app.step('slow', 'archive', 0.001);
  const metrics = await app.metrics();
  assert.deepEqual(poolNames(metrics), ['archive', 'shop']);
  assert.deepEqual(pool(metrics, 'shop'), {
    used: 0,
    idle: 1,
    pending: 0,
    limit: 4,
    idleMin: 1,
    idleMax: 4,
    timeouts: 0,
    created: 1,
    waited: 5,
    returned: 5,
  });
  assert.deepEqual(operations(metrics, 'postgresql'), {
    // Those by which knex learns the server's version are the others.
    SELECT: 3,
    'DROP TABLE orders': 1,
    'CREATE TABLE orders': 1,
    BEGIN: 1,
    'INSERT orders': 1,
    COMMIT: 1,
    'SELECT orders': 1,
    'SELECT nowhere | 42P01': 1,
  });
  const { connections, queries } = await app.step<DatabaseStats>('stats', 'shop');
  assert.deepEqual([connections.acquired, connections.opened, queries.count], [5, 1, 7]);
  assert.equal(vitals(metrics, 'health_score', 'shop'), 100);
  assert.equal(vitals(metrics, 'health_score', 'archive'), 100);

  assert.equal(await app.step('timesOut', 'shop'), 'DB_QUERY_TIMEOUT');
  await app.step('close', 'shop');
  const later = await app.metrics();
  assert.deepEqual(poolNames(later), ['archive']);
  assert.equal(vitals(later, 'health_score', 'shop'), undefined);
  assert.equal(vitals(later, 'query_timeouts_total', 'shop'), 1);
  assert.equal(vitals(later, 'connection_closed_total', 'shop', { vitals_db_close_reason: 'shutdown' }), 1);
  assert.equal(vitals(later, 'connection_closed_total', 'shop', { vitals_db_close_reason: 'idle' }), 0);
  assert.doesNotMatch(later.text, /secret/);
  assert.ok(!later.text.includes(placeOf(postgres.url)));
  await app.end();
});

test('a leak, an N+1 pattern and a slow query are found, with what shows them and without values', async () => {
  const app = await startStepped(script, { env: { DATABASE_URL: postgres.url } });
  await app.step('open', 'shop', {
    slowQueryMs: 500,
    leakDetection: { afterMs: 500, sampleEvery: 1 },
  });
  await app.step('shop', 'shop');
  await app.step('readsOneByOne', 'shop');
  await app.step('slow', 'shop', 0.6);
  await app.step('forgets', 'shop');
  await app.app.printed(
    /finding db_connection_leak: shop .* at .*forgets.*runbooks\/db-connection-leak\.md\n/,
    'stderr',
  );
  await app.app.printed(
    /finding db_n_plus_one: shop, GET \/orders .*select \* from "orders" where "cents" = \?.*most_repeats=?:? ?12.*\n/,
    'stderr',
  );
  await app.app.printed(/finding db_slow_query: shop .*select pg_sleep\(\?\).*\n/, 'stderr');
  const metrics = await app.metrics();
  for (const code of ['db_connection_leak', 'db_n_plus_one', 'db_slow_query']) {
    assert.equal(metrics.value('vitals_findings', { finding_code: code }), 1, code);
  }
  assert.equal(vitals(metrics, 'connection_leaks_total', 'shop'), 1);
  assert.ok(vitals(metrics, 'health_score', 'shop')! < 100);
  app.app.kill('SIGTERM');
  assert.equal((await app.app.exit).signal, 'SIGTERM');
});
