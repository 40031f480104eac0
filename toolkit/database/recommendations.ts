import { type DatabaseHealth, fewestForRate, utilization } from './health';
import type { FoundLeak } from './leaks';
import type { MissingIndex } from './plan-reading';
import type { ConnectionStats } from './pool-ledger';
import type { QueryStats } from './query-table';
import type { NPlusOne } from './routes';

/** What is recommended. Codes are stable. */
export type RecommendationCode =
  | 'pool_too_small'
  | 'pool_too_large'
  | 'connection_leak'
  | 'n_plus_one'
  | 'slow_query'
  | 'error_rate'
  | 'missing_index';

/** Something to do, with what it rests on. */
export interface Recommendation {
  readonly code: RecommendationCode;
  /** What it is about: the database, a route, a query or a table. No values. */
  readonly subject: string;
  readonly advice: string;
  readonly evidence: Readonly<Record<string, number | string>>;
}

export interface Observations {
  readonly name: string;
  readonly health: DatabaseHealth;
  readonly connections: ConnectionStats;
  readonly slow: readonly QueryStats[];
  readonly patterns: readonly NPlusOne[];
  readonly leaks: readonly FoundLeak[];
  readonly missingIndexes: readonly MissingIndex[];
  /** How long the manager has been there, and the time, in milliseconds since 1970. */
  readonly ageMs: number;
  readonly nowMs: number;
}

/** A pool is too large only when it has been for this long. */
const wellKnownMs = 600_000;
/** What was not seen for so long is over. */
const lastsMs = 600_000;

/** What to do about what was observed. Pure; empty where there is nothing. */
export function recommend(seen: Observations): Recommendation[] {
  const { name, health, connections } = seen;
  const { recent } = health;
  const found: Recommendation[] = [];
  const { max, opened, mostInUse } = connections;
  const isRecent = (atMs: number): boolean => seen.nowMs - atMs < lastsMs;
  const used = utilization(recent, max);
  const meanWaitMs = recent.acquired === 0 ? 0 : recent.waitMs / recent.acquired;
  if (used > 0.7 && (recent.acquireTimeouts > 0 || meanWaitMs > 20)) {
    found.push({
      code: 'pool_too_small',
      subject: name,
      advice:
        'First see that no connection is held while something else is waited for, and that queries are fast. Then ' +
        'raise pool.max, as far as the server takes the connections of all processes together.',
      evidence: {
        max,
        utilization: used,
        mean_wait_ms: meanWaitMs,
        waiting: connections.waiting,
        acquire_timeouts: recent.acquireTimeouts,
      },
    });
  }
  const needed = Math.max(1, Math.ceil(mostInUse * 1.5));
  if (seen.ageMs >= wellKnownMs && opened > 0 && max >= 4 && needed < max / 2) {
    found.push({
      code: 'pool_too_large',
      subject: name,
      advice: `Lower pool.max to ${needed}: idle connections cost the server memory, and a burst of all of them its speed.`,
      evidence: { max, most_in_use: mostInUse, observed_minutes: Math.round(seen.ageMs / 60_000) },
    });
  }
  for (const { heldMs, stack } of seen.leaks.filter(({ foundMs }) => isRecent(foundMs))) {
    found.push({
      code: 'connection_leak',
      subject: name,
      advice:
        'See that the code at the stack commits or rolls back on every path. knex.transaction(fn) does so by itself.',
      evidence: { held_ms: Math.round(heldMs), stack },
    });
  }
  for (const { route, query, after, runs, mostRepeats, lastMs } of seen.patterns) {
    if (!isRecent(lastMs)) continue;
    found.push({
      code: 'n_plus_one',
      subject: route,
      advice: 'Read all at once: with a join, with an IN list of the keys, or through a loader that batches.',
      evidence: { query, ...(after !== undefined && { after }), most_repeats: mostRepeats, runs },
    });
  }
  for (const { query, slow, meanMs, maxMs } of seen.slow.filter(({ lastSlowMs }) => isRecent(lastSlowMs))) {
    found.push({
      code: 'slow_query',
      subject: query,
      advice: 'Look at its plan: plan(query). Add an index, read fewer rows, or keep the answer.',
      evidence: { slow, mean_ms: meanMs, max_ms: maxMs },
    });
  }
  const errorRate = recent.queries >= fewestForRate ? recent.errors / recent.queries : 0;
  if (errorRate > 0.01) {
    found.push({
      code: 'error_rate',
      subject: name,
      advice: 'See in queries() which fail, and in the log of the server why.',
      evidence: {
        error_rate: errorRate,
        errors: recent.errors,
        timeouts: recent.timeouts,
        queries: recent.queries,
      },
    });
  }
  for (const { table, columns, rows, query, statement } of seen.missingIndexes) {
    found.push({
      code: 'missing_index',
      subject: table,
      advice: `All of the table is read for a few of its rows. An index may help: ${statement}`,
      evidence: { query, columns: columns.join(', '), rows },
    });
  }
  return found;
}
