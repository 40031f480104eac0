import type { TrackedPool } from '../meters/db-pool';
import { isTarn, knexPoolKind, listenToTarn, rememberClient, type TarnPool } from './knex-pool';
import { type AnyFunction, type Patcher, prototypeOf, type Target } from './target';
import { type DatabaseMeters, measuredAbove } from './tools';

/** What of knex' client is used here; all dialects share it. */
export interface KnexClient {
  readonly dialect?: unknown;
  readonly driverName?: unknown;
  readonly connectionSettings?: unknown;
  readonly pool?: TarnPool;
}

interface Query {
  readonly sql?: unknown;
  readonly timeout?: unknown;
}

interface Runner {
  readonly connection?: unknown;
  readonly client: KnexClient;
  readonly builder?: { sql?: unknown; _method?: unknown; _single?: { table?: unknown } };
}

/** `db.system.name` by knex' name of the dialect. */
const systems: Readonly<Record<string, string>> = {
  postgresql: 'postgresql',
  pgnative: 'postgresql',
  cockroachdb: 'cockroachdb',
  redshift: 'aws.redshift',
  mysql: 'mysql',
  mysql2: 'mysql',
  mariadb: 'mariadb',
  sqlite3: 'sqlite',
  'better-sqlite3': 'sqlite',
  mssql: 'microsoft.sql_server',
  oracle: 'oracle.db',
  oracledb: 'oracle.db',
};

const systemOf = (client: KnexClient): string =>
  systems[String(client.dialect)] ?? systems[String(client.driverName)] ?? 'other_sql';

/** A query with a timeout of its own: who waits for it is told by the runner, whatever becomes of it below. */
interface Timed {
  readonly end: (error?: unknown) => void;
  /** What the driver said, where the runner has not given up on the query. */
  error: unknown;
}

/**
 * knex: pools and operations of every instance.
 *
 * Operations are measured where all dialects, streams and transactions pass, BEGIN and COMMIT included. One that
 * runs out of knex' own timeout settles nowhere below, or as cancelled, so the runner ends its measurement.
 */
export function knexTargets({ operations, pools }: DatabaseMeters): Target[] {
  const timed = new WeakMap<object, Timed>();

  const measured =
    (patcher: Patcher, runs: 'query' | 'stream') =>
    (original: AnyFunction): AnyFunction =>
      function (this: KnexClient, ...args) {
        const param = args[1];
        const startMs = performance.now();
        let done = false;
        const end = (error?: unknown): void => {
          if (done) return;
          done = true;
          try {
            operations!.sql(systemOf(this)).end(sqlOf(param), startMs, error);
          } catch (failure) {
            patcher.failed(failure);
          }
        };
        const entry: Timed | undefined =
          runs === 'query' && hasTimeout(param) ? { end, error: undefined } : undefined;
        if (entry !== undefined) timed.set(param, entry);
        const outer = measuredAbove.active;
        measuredAbove.active = true;
        let promise: Promise<unknown>;
        try {
          promise = original.apply(this, args);
        } catch (error) {
          end(error);
          throw error;
        } finally {
          measuredAbove.active = outer;
        }
        if (typeof promise?.then !== 'function') return promise;
        return promise.then(
          result => {
            end();
            return result;
          },
          error => {
            if (entry === undefined) end(error ?? null);
            else entry.error = error ?? null;
            throw error;
          },
        );
      };

  const hookClient = (exports: unknown, patcher: Patcher): void => {
    const prototype = prototypeOf(exports, '', 'default');
    if (pools !== undefined) {
      patcher.wrap(
        prototype,
        'initializePool',
        original =>
          function (this: KnexClient, ...args) {
            const result = original.apply(this, args);
            patcher.guard(() => {
              const { pool } = this;
              // A pool that the application brings, or the wrapper that knex makes of the driver's, may be another's.
              if (pool === undefined || !isTarn(pool)) return;
              rememberClient(pool, this);
              const tracked: TrackedPool = pools.track(pool, knexPoolKind);
              listenToTarn(pool, tracked);
            });
            return result;
          },
      );
    }
    if (operations === undefined) return;
    patcher.wrap(prototype, 'query', measured(patcher, 'query'));
    patcher.wrap(prototype, 'stream', measured(patcher, 'stream'));
  };

  const hookRunner = (exports: unknown, patcher: Patcher): void => {
    if (operations === undefined) return;
    const prototype = prototypeOf(exports, '', 'default');
    patcher.wrap(
      prototype,
      'query',
      original =>
        function (this: Runner, ...args) {
          const result = original.apply(this, args);
          const query = args[0];
          if (!hasTimeout(query)) return result;
          return result.catch((error: unknown) => {
            const entry = timed.get(query);
            entry?.end((error as Error | null)?.name === 'KnexTimeoutError' ? error : (entry.error ?? error));
            throw error;
          });
        },
    );
    patcher.wrap(
      prototype,
      'ensureConnection',
      original =>
        function (this: Runner, ...args) {
          const startMs = performance.now();
          const result: Promise<unknown> = original.apply(this, args);
          // Failed without a connection: the query never ran, but its caller has waited and got an error.
          return result.catch((error: unknown) => {
            if (this.connection === undefined) {
              patcher.guard(() =>
                operations.sql(systemOf(this.client)).end(sqlOfBuilder(this), startMs, error ?? null),
              );
            }
            throw error;
          });
        },
    );
  };

  return [
    { library: 'knex', package: 'knex', file: /^lib\/client\.js$/, hook: hookClient },
    { library: 'knex', package: 'knex', file: /^lib\/execution\/runner\.js$/, hook: hookRunner },
  ];
}

const isQuery = (param: unknown): param is Query => typeof param === 'object' && param !== null;
/** Builders write `false` where there is none. */
const hasTimeout = (param: unknown): param is Query => isQuery(param) && Boolean(param.timeout);

function sqlOf(param: unknown): string {
  if (typeof param === 'string') return param;
  return isQuery(param) && typeof param.sql === 'string' ? param.sql : '';
}

const verbs: Readonly<Record<string, string>> = {
  insert: 'INSERT INTO',
  update: 'UPDATE',
  del: 'DELETE FROM',
  truncate: 'TRUNCATE',
};

/** Enough of a query that was never compiled; compiling it now would run the application's callbacks in it. */
function sqlOfBuilder({ builder }: Runner): string {
  if (typeof builder?.sql === 'string') return builder.sql;
  if (typeof builder?._method !== 'string') return '';
  const table = builder._single?.table;
  const verb = verbs[builder._method] ?? 'SELECT * FROM';
  return typeof table === 'string' ? `${verb} ${table}` : verb;
}
