import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { summarize } from '../../../instrumentation/libraries/sql/summary';

const table: [sql: string, summary: string, operation?: string][] = [
  ['select * from "users" where id = $1 limit 1', 'SELECT users'],
  ['SELECT * FROM songs s, artists AS a JOIN x.y ON s.id = a.id', 'SELECT songs artists x.y'],
  ["SELECT 'a from b', e'it\\'s from z', $$ from q $$, $t$ from r $t$ FROM songs", 'SELECT songs'],
  ['insert into "orders" ("a","b") values ($1,$2) returning *', 'INSERT orders'],
  ['INSERT INTO details (id) SELECT id, address FROM orders', 'INSERT details SELECT orders'],
  ['update public.users set a = (select max(x) from t2) where id in (1,2)', 'UPDATE public.users SELECT t2'],
  ['delete from a using b where a.id = b.id', 'DELETE a'],
  [
    'WITH x AS (SELECT * FROM a), y AS (INSERT INTO z VALUES (1) RETURNING *) SELECT * FROM x',
    'SELECT a INSERT z SELECT x',
    'SELECT',
  ],
  ['BEGIN;', 'BEGIN'],
  ['ROLLBACK TO SAVEPOINT a', 'ROLLBACK'],
  ['select extract(year from at), substring(a from 1) from generate_series(1,10) g, t', 'SELECT t'],
  ['select * from a where b is distinct from c', 'SELECT a'],
  ['create table if not exists "foo" (id int)', 'CREATE TABLE foo'],
  ['CREATE UNIQUE INDEX CONCURRENTLY idx ON t (a)', 'CREATE INDEX idx'],
  ['truncate a', 'TRUNCATE a'],
  ['-- from x\n/* from x /* y */ */ select 1', 'SELECT'],
  ['SELECT id FROM (select * from inner_t) q', 'SELECT SELECT inner_t'],
  ['explain analyze select * from t', 'EXPLAIN SELECT t'],
  ['select * from t1 left join lateral (select * from t2) z on true', 'SELECT t1 SELECT t2'],
  ['insert into t (a) values (1) on conflict (a) do update set b = excluded.b', 'INSERT t'],
  ['select replace(a, $1, $2) from t', 'SELECT t'],
  ['COPY t FROM STDIN', 'COPY t'],
  ['select 1; delete from t', 'SELECT DELETE t', 'SELECT'],
  ["SET password = 'hunter2'", 'SET'],
  ["'secret'", '_OTHER'],
  ['', '_OTHER'],
];

test('a query is summarised by its operations and tables', () => {
  for (const [sql, summary, operation] of table) {
    assert.deepEqual(
      summarize(sql),
      { operation: operation ?? summary.split(' ')[0], summary },
      `summary of ${sql}`,
    );
  }
});

test('names in backticks and brackets are read as their databases write them', () => {
  assert.equal(summarize('SELECT `id` FROM `db`.`tbl` # from x', 'mysql').summary, 'SELECT db.tbl');
  assert.equal(summarize('SELECT [id] FROM [dbo].[tbl]', 'microsoft.sql_server').summary, 'SELECT dbo.tbl');
});

test('a summary stays within 255 characters and ends with a whole name', () => {
  const names = Array.from({ length: 60 }, (_, i) => `table_number_${i}`);
  const { summary } = summarize(`select * from ${names.join(', ')}`);
  assert.ok(summary.length <= 255);
  assert.ok(names.includes(summary.split(' ').at(-1)!));
});

/** A value as it stands in a query, holding a word that must not come out, with all that could end it early. */
const secret = 'sEcReT';
const hostile = fc
  .array(
    fc.constantFrom(
      "'",
      '"',
      '\\',
      '$$',
      '$t$',
      '--',
      '\n',
      '/*',
      '*/',
      '#',
      '`',
      '[',
      ']',
      ';',
      ' from ',
      ' join ',
      '(',
    ),
    {
      maxLength: 8,
    },
  )
  .map(parts => `${parts.join('')} from ${secret} ${parts.toReversed().join('')}`);
const doubled = (text: string) => `'${text.replaceAll("'", "''")}'`;
const escaped = (text: string) => text.replaceAll('\\', '\\\\').replaceAll("'", "\\'");

const literals: [system: string, write: (text: string) => string][] = [
  ['postgresql', doubled],
  ['postgresql', text => `E'${escaped(text)}'`],
  ['postgresql', text => `$q$${text.replaceAll('$', '')}$q$`],
  ['mysql', text => `'${escaped(text)}'`],
  ['mysql', text => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`],
  ['microsoft.sql_server', text => `N${doubled(text)}`],
  ['sqlite', doubled],
  ['oracle.db', doubled],
];

test('no literal comes out in a summary, however it is written', () => {
  fc.assert(
    fc.property(fc.constantFrom(...literals), hostile, hostile, ([system, write], a, b) => {
      const [first, second] = [write(a), write(b)];
      for (const sql of [
        `SELECT ${first}, ${second} FROM t WHERE x = ${first} AND y IN (${second}, 12345)`,
        `INSERT INTO t (a, b) VALUES (${first}, ${second})`,
        `UPDATE t SET a = ${first} WHERE b = ${second}`,
        `CALL p(${first}, ${second})`,
        `${first} ${second}`,
      ]) {
        const { summary, operation } = summarize(sql, system);
        assert.ok(!summary.includes(secret), `${sql} gave ${summary}`);
        assert.ok(!summary.includes('12345'));
        assert.ok(/^([A-Z]+|_OTHER)$/.test(operation));
      }
    }),
    { numRuns: 3000 },
  );
});

test('no text makes it throw or take long', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.constantFrom('postgresql', 'mysql', 'sqlite'),
      (text, system) => {
        assert.equal(typeof summarize(text, system).summary, 'string');
      },
    ),
  );
  for (const piece of ['(', "'", '$a', '/*', 'from a,', '((select', '"', '\\', '--', '.', 'a.']) {
    const text = `select ${piece.repeat(100_000)}`;
    // Time of the processor, because others may be at work on the machine.
    const begin = process.cpuUsage();
    summarize(text);
    assert.ok(process.cpuUsage(begin).user < 200_000, `took too long over ${piece}`);
  }
});
