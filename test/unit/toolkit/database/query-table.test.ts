import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Queries } from '../../../../toolkit/database/queries';

const make = (maxQueries: number, slowQueryMs = 100, wallClock?: () => number) =>
  new Queries('postgresql', { maxQueries, slowQueryMs }, wallClock);
const run = (queries: Queries, sql: string, ms: number, outcome: 'ok' | 'error' | 'timeout' = 'ok') =>
  queries.record(sql, queries.groupOf(sql), ms, outcome);

test('runs of one form are counted together, with what took how long and what failed', () => {
  let now = 1000;
  const queries = make(10, 100, () => now++);
  run(queries, "select * from t where a = 'x'", 2);
  run(queries, 'select * from t where a = 7', 100);
  run(queries, 'select * from t where a = $1', 30, 'error');
  run(queries, 'SELECT * FROM t WHERE a = 8', 250, 'timeout');
  assert.deepEqual(queries.top(), [
    {
      query: 'select * from t where a = ?',
      count: 4,
      errors: 2,
      timeouts: 1,
      slow: 2,
      totalMs: 382,
      meanMs: 95.5,
      minMs: 2,
      maxMs: 250,
      p95Ms: 250,
      lastMs: 1003,
      lastSlowMs: 1003,
    },
  ]);
  assert.deepEqual(queries.slowest(), queries.top());
  assert.deepEqual(queries.totals(), {
    count: 4,
    errors: 2,
    timeouts: 1,
    slow: 2,
    totalMs: 382,
    meanMs: 95.5,
    running: 0,
  });
});

test('whatever runs, the table and what it let go are all of it, and who takes most of the time stays in it', () => {
  const limit = 8;
  const runs = fc.array(
    fc.record({
      // Few tables with names of letters, because digits are no part of a literal but make forms differ.
      form: fc.integer({ min: 0, max: 60 }),
      ms: fc.integer({ min: 0, max: 300 }),
      outcome: fc.constantFrom('ok' as const, 'ok' as const, 'error' as const, 'timeout' as const),
    }),
    { maxLength: 400 },
  );
  fc.assert(
    fc.property(runs, all => {
      const queries = make(limit);
      const truth = new Map<string, number>();
      let total = 0;
      for (const { form, ms, outcome } of all) {
        const sql = `select ${'abcdefgh'[form % 8]}${'stuvwxyz'[form >> 3]} from t where id = ${ms}`;
        run(queries, sql, ms, outcome);
        const { query } = queries.groupOf(sql);
        truth.set(query, (truth.get(query) ?? 0) + ms);
        total += ms;
      }
      const top = queries.top();
      const other = queries.other();
      const totals = queries.totals();
      assert.ok(top.length <= limit && queries.table.size <= limit);
      for (const key of ['count', 'errors', 'timeouts', 'slow', 'totalMs'] as const) {
        assert.equal(
          top.reduce((sum, one) => sum + one[key], other[key]),
          totals[key],
          key,
        );
      }
      assert.equal(totals.count, all.length);
      assert.equal(totals.totalMs, total);
      const kept = new Set(top.map(({ query }) => query));
      for (const [query, ms] of truth) {
        if (ms > total / limit) assert.ok(kept.has(query), `${query} took ${ms} of ${total} ms`);
      }
    }),
    { numRuns: 200 },
  );
});

test('texts that are all different take memory that does not grow', () => {
  const queries = make(100);
  for (let i = 0; i < 20_000; i++)
    run(queries, `select * from t_${i} /* ${'x'.repeat(200)} */ where a = ${i}`, 1);
  assert.equal(queries.table.size, 100);
  assert.equal(queries.totals().count, 20_000);
  assert.equal(queries.other().count, 19_900);
});

test('what reads is told from what writes', () => {
  const queries = make(10);
  const reads = ['select 1', '(select 1)', 'with a as (select 1) select * from a', 'values (1)', 'show all'];
  const writes = [
    'insert into t values (1)',
    'update t set a = 1',
    'with a as (delete from t returning *) select * from a',
    'with a as (select 1) insert into t select * from a',
    'select 1 into t',
    'BEGIN;',
    'create table t (a int)',
  ];
  for (const sql of reads) assert.equal(queries.groupOf(sql).isRead, true, sql);
  for (const sql of writes) assert.equal(queries.groupOf(sql).isRead, false, sql);
});
