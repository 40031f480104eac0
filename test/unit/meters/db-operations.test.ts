import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { createOperations, type Operations } from '../../../instrumentation/meters/db-operations';
import { type MeterUnderTest, runMeter } from '../../helpers/http-meter';

const duration = 'db.client.operation.duration';
const slow = 'vitals.db.slow_queries';

let meter: MeterUnderTest;
let operations: Operations;
beforeEach(() => {
  meter = runMeter(
    context => {
      operations = createOperations(context);
      return () => {};
    },
    { config: { slowQueryMs: 1000 }, cardinalityLimit: 5000 },
  );
});

const now = () => performance.now();
const values = (label: string): Set<unknown> =>
  new Set(meter.series(duration).map(({ attributes }) => attributes[label]));

test('a query is one series by its system, operation and summary, whatever its values', () => {
  const sql = operations.sql('postgresql');
  for (let i = 0; i < 100; i++)
    sql.end(`SELECT * FROM orders WHERE id = ${i} AND name = 'secret ${i}'`, now());
  assert.deepEqual(
    meter.series(duration).map(({ attributes }) => ({ ...attributes })),
    [{ 'db.system.name': 'postgresql', 'db.operation.name': 'SELECT', 'db.query.summary': 'SELECT orders' }],
  );
  assert.equal(meter.total(duration), 100);
});

test('a failure has its type, and none of its message', () => {
  const sql = operations.sql('postgresql');
  sql.end('DELETE FROM orders', now(), Object.assign(new Error('secret'), { code: '23503' }));
  sql.end('DELETE FROM orders', now(), null);
  assert.deepEqual([...values('error.type')], ['23503', '_OTHER']);
  assert.doesNotMatch(JSON.stringify(meter.series(duration)), /secret/);
});

test('what took longer than the threshold is counted as slow, a failure too, but no command that waits', () => {
  const sql = operations.sql('postgresql');
  sql.end('SELECT 1', now() - 1500);
  sql.end('SELECT 1', now() - 1500, new Error());
  sql.end('SELECT 1', now() - 500);
  operations.redis.end('BLPOP', now() - 5000);
  operations.redis.end('GET', now() - 5000);
  assert.equal(meter.total(slow, { 'db.operation.name': 'SELECT' }), 2);
  assert.equal(meter.total(slow, { 'db.operation.name': 'GET' }), 1);
  assert.equal(meter.total(slow, { 'db.operation.name': 'BLPOP' }), 0);
});

test('summaries are bounded over all systems, and the rest is counted as _OTHER', () => {
  for (const system of ['postgresql', 'mysql']) {
    for (let i = 0; i < 300; i++) operations.sql(system).end(`SELECT * FROM t${i}_${system}`, now());
  }
  assert.equal(values('db.query.summary').size, 200);
  assert.equal(meter.total(duration), 600);
});

test('commands are Redis own, those of its modules up to a bound, and _OTHER', () => {
  for (const name of ['get', 'GET', 'Get', 'NOSUCH', 'secret value', 'x'.repeat(100), 'FT.SEARCH']) {
    operations.redis.end(name, now());
  }
  assert.deepEqual([...values('db.operation.name')].sort(), ['FT.SEARCH', 'GET', '_OTHER']);
  for (let i = 0; i < 500; i++) {
    const letters = String.fromCharCode(65 + (i % 26), 65 + Math.floor(i / 26));
    operations.redis.end(`JSON.${letters}`, now());
  }
  assert.ok(values('db.operation.name').size <= 103, String(values('db.operation.name').size));
  assert.equal(meter.total(duration), 507);
});

test('kinds of failure are bounded over the life of the process', () => {
  const sql = operations.sql('postgresql');
  for (let i = 0; i < 300; i++) sql.end('SELECT 1', now(), Object.assign(new Error(), { code: `E${i}` }));
  assert.ok(values('error.type').size <= 101, String(values('error.type').size));
  assert.equal(meter.total(duration), 300);
});
