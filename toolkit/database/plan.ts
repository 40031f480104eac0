import type { Knex } from 'knex';
import { ExplainRefusedError } from './errors';
import { normalizeQuery } from './normalize';
import {
  filteredColumns,
  type MissingIndex,
  missingIndexes,
  nodesOf,
  type PlanNode,
  quoted,
  type SequentialScan,
} from './plan-reading';
import { type SqlDialect, sqlTokens } from './sql-tokens';

/** How a server would run a query. It was not run for it. */
export interface QueryPlan {
  /** The query, normalised. */
  readonly query: string;
  /** As the server gives it. May show values of the query. */
  readonly plan: PlanNode;
  /** Tables that are read from beginning to end for some of their rows. */
  readonly scans: readonly SequentialScan[];
  readonly missingIndexes: readonly MissingIndex[];
}

/** What a plan is asked of: a text with the driver's placeholders, or with `?`, and its values where it has any. */
export interface PlanRequest {
  readonly sql: string;
  readonly bindings: readonly unknown[];
  /** How long it is waited for, in milliseconds. */
  readonly timeoutMs: number;
}

const explainable = new Set([
  'select',
  'insert',
  'update',
  'delete',
  'merge',
  'with',
  'values',
  'table',
  '(',
]);

/** The reason why asking for the plan of a text could run it or something else; undefined where it can't. */
export function refusal(sql: string): string | undefined {
  const tokens = sqlTokens(sql, 'postgresql');
  const end = tokens.findIndex(({ kind, text }) => kind === 'mark' && text === ';');
  if (end >= 0 && end < tokens.length - 1) return 'it has more than one statement';
  const first = tokens[0];
  if (first === undefined || !explainable.has(first.text)) return 'it is no query, insert, update or delete';
  return undefined;
}

/**
 * Asks the server for a plan with EXPLAIN, never with ANALYZE, which runs the query.
 *
 * For PostgreSQL a text with placeholders and without values gets the plan for any values, from version 16 on.
 *
 * @throws ExplainRefusedError
 */
export async function explain(
  knex: Knex,
  database: string,
  dialect: SqlDialect,
  { sql, bindings, timeoutMs }: PlanRequest,
): Promise<QueryPlan> {
  const reason = dialect === 'postgresql' ? refusal(sql) : 'only the plans of PostgreSQL are known here';
  if (reason !== undefined) throw new ExplainRefusedError(database, reason);
  const query = normalizeQuery(sql);
  const text = sql.replace(/;\s*$/, '');
  const positioned = /\$\d/.test(text) || bindings.length === 0 ? text : positionedBy(knex, text);
  const open = /\$\d/.test(positioned) && bindings.length === 0;
  const options = ['format json', 'verbose', ...(open ? ['generic_plan'] : [])].join(', ');
  // What is left of question marks are operators, which knex would take for placeholders; and values go to the driver.
  const answer = await knex
    .raw(`explain (${options}) ${positioned.replaceAll('?', '\\?')}`)
    .options({ values: bindings })
    .timeout(timeoutMs);
  const [row] = (answer as { rows: { 'QUERY PLAN': { Plan: PlanNode }[] }[] }).rows;
  const plan = row!['QUERY PLAN'][0]!.Plan;
  const scans = await scansOf(knex, plan, timeoutMs);
  return { query, plan, scans, missingIndexes: missingIndexes(scans, query) };
}

/** A text with `$1` and so on in the place of knex' `?`. */
function positionedBy(knex: Knex, sql: string): string {
  return (knex.client as { positionBindings(sql: string): string }).positionBindings(sql);
}

async function scansOf(knex: Knex, plan: PlanNode, timeoutMs: number): Promise<SequentialScan[]> {
  const nodes = nodesOf(plan).filter(node => node['Node Type'] === 'Seq Scan' && node.Filter !== undefined);
  if (nodes.length === 0) return [];
  const tables = [...new Set(nodes.map(tableOf))];
  const answer = await knex
    .raw(
      'select name, reltuples::float8 as rows from unnest(?::text[]) name join pg_class on oid = name::regclass',
      [tables] as never,
    )
    .timeout(timeoutMs);
  const rows = new Map(
    (answer as { rows: { name: string; rows: number }[] }).rows.map(row => [row.name, Math.max(0, row.rows)]),
  );
  return nodes.map(node => ({
    table: tableOf(node),
    rows: rows.get(tableOf(node)) ?? 0,
    kept: node['Plan Rows'] ?? 0,
    columns: filteredColumns(node.Filter!),
  }));
}

function tableOf(node: PlanNode): string {
  const name = quoted(node['Relation Name'] ?? '');
  return node.Schema === undefined || node.Schema === 'public' ? name : `${quoted(node.Schema)}.${name}`;
}
