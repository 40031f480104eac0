import { databaseNameKey } from '../../toolkit/database/stats';
import type { PoolKind, TrackedPool } from '../meters/db-pool';
import type { KnexClient } from './knex';
import { placeName, placeOf } from './tools';

/** The pool that knex uses: https://github.com/vincit/tarn.js */
export interface TarnPool {
  readonly min: number;
  readonly max: number;
  readonly destroyed: boolean;
  readonly used: readonly { resource?: unknown }[];
  readonly free: readonly { resource?: unknown }[];
  numUsed(): number;
  numFree(): number;
  numPendingAcquires(): number;
  on(event: string, listener: (...args: never[]) => void): void;
}

/** Whether it is such a pool, and not only something that acquires and releases. */
export function isTarn(pool: Partial<TarnPool>): pool is TarnPool {
  return typeof pool.numUsed === 'function' && typeof pool.on === 'function' && Array.isArray(pool.used);
}

/** Ephemerons: neither the pool nor its client lives longer for being here. */
const clients = new WeakMap<TarnPool, KnexClient>();

/** Notes whose pool it is, for the name. */
export function rememberClient(pool: TarnPool, client: KnexClient): void {
  clients.set(pool, client);
}

const ports: Readonly<Record<string, number>> = {
  pg: 5432,
  mysql: 3306,
  mysql2: 3306,
  mssql: 1433,
  tedious: 1433,
  oracledb: 1521,
};

export const knexPoolKind: PoolKind<TarnPool> = {
  read: pool =>
    pool.destroyed
      ? undefined
      : {
          used: pool.numUsed(),
          idle: pool.numFree(),
          pending: pool.numPendingAcquires(),
          limit: pool.max,
          idleMin: pool.min,
          idleMax: pool.max,
        },
  name(pool, settle) {
    const client = clients.get(pool);
    // The toolkit's manager is hooked as every knex is, and only the name is its own.
    const given = (client as { [databaseNameKey]?: unknown } | undefined)?.[databaseNameKey];
    if (typeof given === 'string' && given !== '') return given;
    const settings = client?.connectionSettings;
    const driver = String(client?.driverName);
    const resource = (pool.used[0] ?? pool.free[0])?.resource as Record<string, unknown> | undefined;
    const { filename, socketPath } = (settings ?? {}) as Record<string, unknown>;
    if (typeof filename === 'string') return `${driver}/${filename.split(/[\\/]/).pop()}`;
    // The settings may be a function's, known only when it has run, and may leave what the driver fills in.
    const place = placeOf(settings, resource, resource?.['config']);
    if (!settle && (place.host === undefined || place.database === undefined)) return undefined;
    const host = place.host ?? socketPath;
    return placeName({ ...place, host, port: place.port ?? ports[driver] });
  },
};

/** Times creating, waiting and use by the pool's events. */
export function listenToTarn(pool: TarnPool, tracked: TrackedPool): void {
  const creating = new Map<number, number>();
  const waiting = new Map<number, number>();
  const using = new WeakMap<object, number>();
  if (listening.has(pool)) return;
  listening.add(pool);

  pool.on('createRequest', (id: number) => creating.set(id, performance.now()));
  pool.on('createSuccess', (id: number) => {
    tracked.created(since(creating.get(id)));
    creating.delete(id);
  });
  pool.on('createFail', (id: number) => creating.delete(id));
  pool.on('acquireRequest', (id: number) => waiting.set(id, performance.now()));
  pool.on('acquireSuccess', (id: number, resource: object) => {
    const now = performance.now();
    tracked.waited((now - (waiting.get(id) ?? now)) / 1000);
    waiting.delete(id);
    using.set(resource, now);
  });
  pool.on('acquireFail', (id: number, error: unknown) => {
    waiting.delete(id);
    if ((error as Error | null)?.constructor?.name === 'TimeoutError') tracked.timedOut();
  });
  pool.on('release', (resource: object) => {
    const start = using.get(resource);
    if (start === undefined) return;
    using.delete(resource);
    tracked.used(since(start));
  });
}

/** A pool may be shared by several knex instances. */
const listening = new WeakSet<TarnPool>();

function since(startMs: number | undefined): number {
  return startMs === undefined ? 0 : (performance.now() - startMs) / 1000;
}
