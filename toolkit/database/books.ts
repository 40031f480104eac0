import { Deadlines } from './deadlines';
import { healthOf } from './health';
import type { Leaks } from './leaks';
import type { BookOptions } from './options';
import type { MissingIndex } from './plan-reading';
import { PoolLedger } from './pool-ledger';
import { Queries } from './queries';
import { recommend } from './recommendations';
import { Routes } from './routes';
import type { SqlDialect } from './sql-tokens';
import type { DatabaseStats } from './stats';
import { RecentWindow } from './window';

const mostIndexes = 50;
/** Slow queries that advice is given about. */
const mostSlow = 5;

/** All that is counted of a database. Holds neither the manager nor knex, so that it may outlive both. */
export class Books {
  readonly window: RecentWindow;
  readonly ledger: PoolLedger;
  readonly queries: Queries;
  readonly routes: Routes;
  readonly readDeadlines: Deadlines;
  readonly writeDeadlines: Deadlines;
  readonly #indexes = new Map<string, MissingIndex>();
  readonly #beganMs: number;

  constructor(
    readonly options: BookOptions,
    readonly leaks: Leaks,
    dialect: SqlDialect,
  ) {
    const { clock, windowMs, max, lifetimeMs, nPlusOneAfter } = options;
    this.#beganMs = clock();
    this.window = new RecentWindow(windowMs, clock);
    // Each lives up to a tenth less, so that those that were opened together are not closed together.
    const lifetime = (): number => lifetimeMs * (1 - Math.random() / 10);
    this.ledger = new PoolLedger(max, this.window, leaks, lifetime, clock);
    this.queries = new Queries(dialect, options);
    this.routes = new Routes(nPlusOneAfter);
    this.readDeadlines = new Deadlines(options.readTimeoutMs, clock);
    this.writeDeadlines = new Deadlines(options.writeTimeoutMs, clock);
  }

  /** Remembers indexes that seem to be missing. */
  foundMissing(indexes: readonly MissingIndex[]): void {
    for (const index of indexes) {
      this.#indexes.delete(index.statement);
      this.#indexes.set(index.statement, index);
      if (this.#indexes.size > mostIndexes) this.#indexes.delete(this.#indexes.keys().next().value!);
    }
  }

  stats(): DatabaseStats {
    const { options, ledger, queries, routes, window, leaks } = this;
    const { name, max, leakDetection, clock } = options;
    const held = leakDetection === undefined ? 0 : ledger.heldFor(leakDetection.afterMs ?? 30_000);
    const connections = ledger.stats();
    const health = healthOf(window.read(), max, held);
    const nPlusOne = routes.patterns();
    return {
      connections,
      queries: queries.totals(),
      distinctQueries: queries.table.size,
      otherQueries: queries.other(),
      health,
      nPlusOne,
      recommendations: recommend({
        name,
        health,
        connections,
        slow: queries.slowest(mostSlow),
        patterns: nPlusOne,
        leaks: leaks.found,
        missingIndexes: [...this.#indexes.values()],
        ageMs: clock() - this.#beganMs,
        nowMs: Date.now(),
      }),
    };
  }
}
