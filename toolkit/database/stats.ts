import type { DatabaseHealth } from './health';
import type { ConnectionStats } from './pool-ledger';
import type { QueryTotals } from './queries';
import type { OtherQueries } from './query-table';
import type { Recommendation } from './recommendations';
import type { NPlusOne } from './routes';

/** The registered kind of a database manager and the layout of {@link DatabaseStats}, for who reads the registry. */
export const databaseSource = { kind: 'database', layout: 1 } as const;

/**
 * Under this name the client of a manager's knex has the manager's name, so that the agent, which knows every pool of
 * knex, shows this one by it. The value is the same in every copy of the package.
 */
export const databaseNameKey = Symbol.for('otel-vitals.database.name');

/** Statistics of a database manager since it was made, but for `health`, which is about the last while. */
export interface DatabaseStats {
  readonly connections: ConnectionStats;
  readonly queries: QueryTotals;
  /** Queries in the table of `queries()`, and what it let go: both together are `queries`. */
  readonly distinctQueries: number;
  readonly otherQueries: OtherQueries;
  readonly health: DatabaseHealth;
  readonly nPlusOne: readonly NPlusOne[];
  /** What to do about all this; empty where there is nothing. */
  readonly recommendations: readonly Recommendation[];
}
