import { normalizeQuery } from './normalize';
import { type OtherQueries, QueryGroup, type QueryOutcome, type QueryStats, QueryTable } from './query-table';
import type { SqlDialect } from './sql-tokens';
import { TextCache } from './text-cache';

/** Totals over all queries. Times in milliseconds. */
export interface QueryTotals {
  /** Runs that ended, failed ones included. */
  readonly count: number;
  readonly errors: number;
  readonly timeouts: number;
  readonly slow: number;
  readonly totalMs: number;
  /** 0 where nothing ran. */
  readonly meanMs: number;
  /** Runs under way. */
  readonly running: number;
}

const reads = /^(?:\(\s*)*(?:select|show|values|table|explain|with)\b/;
/** A WITH that writes, and a SELECT that makes a table, say so in a word of their own. */
const writes = /\b(?:insert into|update|delete from|merge into|replace into|select\b.*\binto)\b/;

/** Longer texts are not kept for a plan: there may be as many of them as there are queries. */
const longestSample = 10_000;

/** Statistics of queries by what they have in common. */
export class Queries {
  readonly table: QueryTable;
  readonly #dialect: SqlDialect;
  readonly #slowMs: number;
  readonly #known = new TextCache<QueryGroup>();
  readonly #wallClock: () => number;
  #count = 0;
  #errors = 0;
  #timeouts = 0;
  #slow = 0;
  #totalMs = 0;
  running = 0;

  constructor(
    dialect: SqlDialect,
    { maxQueries, slowQueryMs }: { maxQueries: number; slowQueryMs: number },
    wallClock: () => number = Date.now,
  ) {
    this.#dialect = dialect;
    this.#slowMs = slowQueryMs;
    this.table = new QueryTable(maxQueries);
    this.#wallClock = wallClock;
  }

  /** The group of a text, which may not be in the table. */
  groupOf(sql: string): QueryGroup {
    let group = this.#known.get(sql);
    if (group === undefined) {
      const query = normalizeQuery(sql, this.#dialect);
      group = this.table.find(query) ?? new QueryGroup(query, reads.test(query) && !writes.test(query));
      this.#known.set(sql, group);
    }
    return group;
  }

  /** Counts a run that ended; true where it was slow. */
  record(sql: string, group: QueryGroup, ms: number, outcome: QueryOutcome): boolean {
    let into = group;
    if (!into.live) {
      // Another text of the same form may have brought it back.
      const found = this.table.find(group.query);
      if (found !== undefined) into = found;
      else this.table.enter(into);
    }
    const isSlow = ms >= this.#slowMs;
    into.record(ms, outcome, isSlow, this.#wallClock());
    if (isSlow) {
      if (sql.length <= longestSample) into.sample ??= sql;
      this.#slow++;
    }
    this.#count++;
    this.#totalMs += ms;
    if (outcome !== 'ok') this.#errors++;
    if (outcome === 'timeout') this.#timeouts++;
    return isSlow;
  }

  totals(): QueryTotals {
    const count = this.#count;
    return {
      count,
      errors: this.#errors,
      timeouts: this.#timeouts,
      slow: this.#slow,
      totalMs: this.#totalMs,
      meanMs: count === 0 ? 0 : this.#totalMs / count,
      running: this.running,
    };
  }

  other(): OtherQueries {
    return { ...this.table.other };
  }

  /** Those that take most time first. */
  top(most = Infinity): QueryStats[] {
    return this.#sorted(
      [...this.table.groups()].filter(({ count }) => count > 0),
      most,
    );
  }

  /** Those that were slow, by their time. */
  slowest(most = Infinity): QueryStats[] {
    return this.#sorted(
      [...this.table.groups()].filter(({ slow }) => slow > 0),
      most,
    );
  }

  #sorted(groups: QueryGroup[], most: number): QueryStats[] {
    return groups
      .sort((a, b) => b.totalMs - a.totalMs)
      .slice(0, most)
      .map(group => group.snapshot());
  }
}
