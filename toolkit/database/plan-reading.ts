import { sqlTokens } from './sql-tokens';

/** A node of a plan, as PostgreSQL writes it with FORMAT JSON. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly Schema?: string;
  readonly 'Relation Name'?: string;
  readonly Alias?: string;
  readonly Filter?: string;
  readonly 'Plan Rows'?: number;
  readonly 'Total Cost'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** A table that a plan reads from beginning to end. */
export interface SequentialScan {
  /** `schema.table`, quoted where it must be. */
  readonly table: string;
  /** Rows of the table, as the server estimates them; 0 where it never counted. */
  readonly rows: number;
  /** Rows that are left of them. */
  readonly kept: number;
  /** Columns that the rows are chosen by. */
  readonly columns: readonly string[];
}

/** An index that may be missing: a guess from one plan, to be tried where it does no harm. */
export interface MissingIndex {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: number;
  /** The query, normalised. */
  readonly query: string;
  /** What would make it. */
  readonly statement: string;
}

/** All nodes of a plan, outermost first. */
export function nodesOf(plan: PlanNode): PlanNode[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}

/** `name` as it must be written. */
export function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

const comparisons = new Set(['=', '<', '>', '<=', '>=']);

/**
 * The columns that a filter compares with something else, those compared for equality first. Columns within functions
 * are none: an index of the column would not help there.
 */
export function filteredColumns(filter: string): string[] {
  const tokens = sqlTokens(filter, 'postgresql');
  const equal = new Set<string>();
  const ranged = new Set<string>();
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (token.kind !== 'operator' || !comparisons.has(token.text)) continue;
    const column = columnBefore(i - 1);
    if (column !== undefined) (token.text === '=' ? equal : ranged).add(column);
  }
  return [...new Set([...equal, ...ranged])];

  /** The column that ends at `i`: `c`, `t.c`, and `(c)::text` with its cast. */
  function columnBefore(i: number): string | undefined {
    let at = i;
    // A cast, to a type of one or more words.
    const cast = tokens.slice(0, at + 1).findLastIndex(({ text }) => text === '::');
    if (cast >= 0 && tokens.slice(cast + 1, at + 1).every(({ kind }) => kind === 'word')) at = cast - 1;
    if (tokens[at]?.text === ')') {
      if (tokens[at - 2]?.text !== '(' || tokens[at - 3]?.kind === 'word') {
        if (tokens[at - 4]?.text !== '(' || tokens[at - 2]?.text !== '.') return undefined;
      }
      at--;
    }
    const token = tokens[at];
    if (token?.kind !== 'word' && token?.kind !== 'name') return undefined;
    return token.text;
  }
}

/** Rows past which reading all of a table is worth an index, where fewer than a tenth of them is kept. */
const largeTable = 10_000;
const keptShare = 0.1;

/** The indexes that a plan's scans of large tables may lack. */
export function missingIndexes(scans: readonly SequentialScan[], query: string): MissingIndex[] {
  return scans
    .filter(({ rows, kept, columns }) => rows >= largeTable && kept < rows * keptShare && columns.length > 0)
    .map(({ table, columns, rows }) => ({
      table,
      columns,
      rows,
      query,
      statement: `create index concurrently on ${table} (${columns.join(', ')})`,
    }));
}
