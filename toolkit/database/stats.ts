import type { DatabaseHealth } from './health';
import type { ConnectionStats } from './pool-ledger';
import type { QueryTotals } from './queries';
import type { OtherQueries, QueryStats } from './query-table';
import type { NPlusOne } from './routes';

/** The registered kind of a database manager and the layout of {@link DatabaseStats}, for who reads the registry. */
export const databaseSource = { kind: 'database', layout: 1 } as const;

/** Statistics of a database manager since it was made, but for `health`, which is about the last while. */
export interface DatabaseStats {
  readonly connections: ConnectionStats;
  readonly queries: QueryTotals;
  /** Queries in the table of `queries()`, and what it let go: both together are `queries`. */
  readonly distinctQueries: number;
  readonly otherQueries: OtherQueries;
  readonly health: DatabaseHealth;
  /** The query that was slow and took most time. */
  readonly slowest: QueryStats | undefined;
  readonly nPlusOne: readonly NPlusOne[];
}
