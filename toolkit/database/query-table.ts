import { FixedHistogram, type HistogramSnapshot } from '../histogram';

/** Bucket bounds of how long queries take, in milliseconds. */
export const queryTimeBounds = [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000];

/** How the run of a query ended. */
export type QueryOutcome = 'ok' | 'error' | 'timeout';

/** What is counted of queries that differ only in their values. Times in milliseconds. */
export interface QueryStats {
  /** The queries, normalised: see `normalizeQuery`. */
  readonly query: string;
  /** Runs that ended, failed ones included. */
  readonly count: number;
  /** Of `count`, those that failed, timeouts included. */
  readonly errors: number;
  readonly timeouts: number;
  /** Of `count`, those that took `slowQueryMs` or more. */
  readonly slow: number;
  readonly totalMs: number;
  readonly meanMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** Upper bound of the histogram's bucket in which 95 of 100 runs are, but no more than `maxMs`. */
  readonly p95Ms: number;
  /** When the last run ended, in milliseconds since 1970. */
  readonly lastMs: number;
  /** When the last slow run ended; 0 where none was. */
  readonly lastSlowMs: number;
}

/** The counters of one normalised query. */
export class QueryGroup {
  count = 0;
  errors = 0;
  timeouts = 0;
  slow = 0;
  totalMs = 0;
  minMs = Infinity;
  maxMs = 0;
  lastMs = 0;
  lastSlowMs = 0;
  /** In the table, and counting. */
  live = false;
  /** What the table ranks it by: its time, and at most so much more as it may have had before it was let in. */
  rank = 0;
  /** The text of a slow run, for its plan; may hold literals, and leaves the process nowhere. */
  sample: string | undefined = undefined;
  times = new FixedHistogram(queryTimeBounds);

  constructor(
    readonly query: string,
    readonly isRead: boolean,
  ) {}

  record(ms: number, outcome: QueryOutcome, isSlow: boolean, endedMs: number): void {
    this.count++;
    this.totalMs += ms;
    this.rank += ms;
    if (ms < this.minMs) this.minMs = ms;
    if (ms > this.maxMs) this.maxMs = ms;
    if (isSlow) {
      this.slow++;
      this.lastSlowMs = endedMs;
    }
    if (outcome !== 'ok') this.errors++;
    if (outcome === 'timeout') this.timeouts++;
    this.lastMs = endedMs;
    this.times.record(ms);
  }

  reset(rank: number): void {
    this.count = this.errors = this.timeouts = this.slow = this.totalMs = this.maxMs = this.lastMs = 0;
    this.lastSlowMs = 0;
    this.minMs = Infinity;
    this.rank = rank;
    this.sample = undefined;
    this.times = new FixedHistogram(queryTimeBounds);
  }

  snapshot(): QueryStats {
    const { query, count, errors, timeouts, slow, totalMs, maxMs, lastMs, lastSlowMs } = this;
    const minMs = count === 0 ? 0 : this.minMs;
    const meanMs = count === 0 ? 0 : totalMs / count;
    const p95Ms = Math.min(quantile(this.times.snapshot(), 0.95), maxMs);
    return { query, count, errors, timeouts, slow, totalMs, meanMs, minMs, maxMs, p95Ms, lastMs, lastSlowMs };
  }
}

function quantile({ bounds, counts, count }: HistogramSnapshot, share: number): number {
  let below = 0;
  for (let i = 0; i < bounds.length; i++) {
    below += counts[i]!;
    if (below >= count * share) return bounds[i]!;
  }
  return Infinity;
}

/** What the table let go, added up. */
export interface OtherQueries {
  count: number;
  errors: number;
  timeouts: number;
  slow: number;
  totalMs: number;
}

/**
 * The queries that take most of the time, at most `limit` of them, in memory that does not grow.
 *
 * Space-Saving (Metwally, Agrawal, El Abbadi: Efficient computation of frequent and top-k elements in data streams,
 * 2005) by time: a query that is new takes the place of the one ranked last, and takes over its rank, since that much
 * it may have had before. So a query that takes more than one `limit`-th of all time is always in the table. What is
 * let go is added up in `other`: the table and `other` together are all that ran.
 */
export class QueryTable {
  readonly limit: number;
  readonly other: OtherQueries = { count: 0, errors: 0, timeouts: 0, slow: 0, totalMs: 0 };
  readonly #groups = new Map<string, QueryGroup>();

  constructor(limit: number) {
    this.limit = limit;
  }

  get size(): number {
    return this.#groups.size;
  }

  find(query: string): QueryGroup | undefined {
    return this.#groups.get(query);
  }

  /** Takes a group in that is not in the table. */
  enter(group: QueryGroup): void {
    let rank = 0;
    if (this.#groups.size >= this.limit) {
      const last = this.#last();
      rank = last.rank;
      this.#groups.delete(last.query);
      last.live = false;
      this.other.count += last.count;
      this.other.errors += last.errors;
      this.other.timeouts += last.timeouts;
      this.other.slow += last.slow;
      this.other.totalMs += last.totalMs;
    }
    group.reset(rank);
    group.live = true;
    this.#groups.set(group.query, group);
  }

  groups(): IterableIterator<QueryGroup> {
    return this.#groups.values();
  }

  #last(): QueryGroup {
    let last: QueryGroup | undefined;
    for (const group of this.#groups.values()) {
      if (last === undefined || group.rank < last.rank) last = group;
    }
    return last!;
  }
}
