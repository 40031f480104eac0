import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusal } from '../../../../toolkit/database/plan';
import { filteredColumns, missingIndexes } from '../../../../toolkit/database/plan-reading';

test('columns of a filter are those compared by themselves, for equality first', () => {
  for (const [filter, columns] of [
    ["((orders.customer_id = $1) AND (orders.status = 'x'::text))", ['customer_id', 'status']],
    ["((created >= '2020-01-01'::date) AND (created < now()) AND (kind = 3))", ['kind', 'created']],
    ["((status)::text = 'new'::text)", ['status']],
    ["((o.status)::text = ANY ('{a,b}'::text[]))", ['status']],
    ["(lower(email) = 'x'::text)", []],
    ['("Total" > 5)', ['"Total"']],
    ["((note)::character varying = 'a = b'::text)", ['note']],
    ['(active)', []],
  ] as const) {
    assert.deepEqual(filteredColumns(filter), columns, filter);
  }
});

test('an index is suggested for a large table of which little is kept', () => {
  const scan = { table: 'app."Orders"', rows: 10_000, kept: 999, columns: ['a', 'b'] };
  assert.deepEqual(missingIndexes([scan], 'select ?'), [
    {
      table: 'app."Orders"',
      columns: ['a', 'b'],
      rows: 10_000,
      query: 'select ?',
      statement: 'create index concurrently on app."Orders" (a, b)',
    },
  ]);
  for (const unlike of [{ rows: 9999 }, { kept: 1000 }, { columns: [] }]) {
    assert.deepEqual(missingIndexes([{ ...scan, ...unlike }], 'select ?'), []);
  }
});

test('a plan is asked for nothing that would run', () => {
  for (const sql of [
    'select 1',
    '(select 1);',
    'WITH a AS (select 1) select 1',
    'insert into t values (1)',
    "select ';' -- ;",
  ]) {
    assert.equal(refusal(sql), undefined, sql);
  }
  for (const sql of [
    'select 1; drop table t',
    "select ''; delete from t",
    'analyze select 1',
    'ANALYZE VERBOSE t',
    '/* select */ drop table t',
    'explain analyze select 1',
    'create table t as select 1',
    'execute s',
    '',
  ]) {
    assert.notEqual(refusal(sql), undefined, sql);
  }
});
