import type { PoolKind, TrackedPool } from '../meters/db-pool';
import { errorType } from './error-type';
import { measureSubmittable, textOf, wrapCallback } from './pg-query';
import { type AnyFunction, type Patcher, prototypeOf, type Target } from './target';
import { type DatabaseMeters, measuredAbove, placeName, placeOf } from './tools';

interface PgPool {
  readonly options: { min?: number; max: number };
  readonly _clients: readonly object[];
  readonly ended: boolean;
  readonly ending: boolean;
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
  on(event: string, listener: (...args: never[]) => void): void;
}

const poolKind: PoolKind<PgPool> = {
  read: pool =>
    pool.ended || (pool.ending && pool.totalCount === 0)
      ? undefined
      : {
          used: pool.totalCount - pool.idleCount,
          idle: pool.idleCount,
          pending: pool.waitingCount,
          limit: pool.options.max,
          idleMin: pool.options.min ?? 0,
          idleMax: pool.options.max,
        },
  name(pool, settle) {
    // A client knows what the driver made of the options, of the environment and of its defaults.
    const place = placeOf(pool._clients[0], pool.options);
    if (!settle && (place.host === undefined || place.database === undefined)) return undefined;
    return placeName({ ...place, port: place.port ?? 5432 });
  },
};

/** node-postgres: every pg.Pool, and the operations of every client outside of knex. */
export function pgTargets({ operations, pools }: DatabaseMeters): Target[] {
  const recorder = operations?.sql('postgresql');
  /** The text that Pool.query, now on the stack, wants a client for. */
  let wanted: string | undefined;

  const hookQuery = (exports: unknown, patcher: Patcher): void => {
    if (recorder === undefined) return;
    patcher.wrap(
      prototypeOf(exports, '', 'Client', 'default'),
      'query',
      original =>
        function (this: object, ...args) {
          if (measuredAbove.active || args[0] == null) return original.apply(this, args);
          const startMs = performance.now();
          const text = textOf(args[0]);
          let done = false;
          const end = (error?: unknown): void => {
            if (done) return;
            done = true;
            try {
              recorder.end(text, startMs, error);
            } catch (failure) {
              patcher.failed(failure);
            }
          };
          if (measureSubmittable(args[0], end)) return original.apply(this, args);
          wrapCallback(args, end);
          const result = original.apply(this, args);
          if (typeof result?.then !== 'function') return result;
          // A promise of its own, because listening on the driver's would hide a rejection that nobody handles.
          return result.then(
            (value: unknown) => {
              end();
              return value;
            },
            (error: unknown) => {
              end(error ?? null);
              throw error;
            },
          );
        },
    );
  };

  /** A connection has come, or will not. */
  const connected = (
    patcher: Patcher,
    tracked: TrackedPool | undefined,
    text: string | undefined,
    startMs: number,
    error: unknown,
  ): void => {
    try {
      if (error == null) tracked?.waited((performance.now() - startMs) / 1000);
      else {
        if (errorType(error) === 'timeout') tracked?.timedOut();
        if (text !== undefined) recorder?.end(text, startMs, error);
      }
    } catch (failure) {
      patcher.failed(failure);
    }
  };

  const connectHook =
    (patcher: Patcher) =>
    (original: AnyFunction): AnyFunction =>
      function (this: PgPool, ...args) {
        const startMs = performance.now();
        const text = wanted;
        wanted = undefined;
        let tracked: TrackedPool | undefined;
        try {
          tracked = listen(this);
        } catch (failure) {
          patcher.failed(failure);
        }
        const callback = args[0];
        if (typeof callback === 'function') {
          args[0] = function (this: unknown, ...results: unknown[]) {
            connected(patcher, tracked, text, startMs, results[0]);
            return callback.apply(this, results);
          };
          return original.apply(this, args);
        }
        const result = original.apply(this, args);
        if (typeof result?.then !== 'function') return result;
        return result.then(
          (client: unknown) => {
            connected(patcher, tracked, text, startMs, undefined);
            return client;
          },
          (error: unknown) => {
            connected(patcher, tracked, text, startMs, error ?? new Error());
            throw error;
          },
        );
      };

  const known = new WeakMap<object, TrackedPool>();
  const creating = new WeakMap<object, number>();
  const listen = (pool: PgPool): TrackedPool | undefined => {
    const found = known.get(pool);
    if (found !== undefined || pools === undefined) return found;
    const tracked = pools.track(pool, poolKind);
    known.set(pool, tracked);
    const using = new WeakMap<object, number>();
    const since = (from: WeakMap<object, number>, client: object): number | undefined => {
      const start = from.get(client);
      from.delete(client);
      return start === undefined ? undefined : (performance.now() - start) / 1000;
    };
    pool.on('connect', (client: object) => {
      const seconds = since(creating, client);
      if (seconds !== undefined) tracked.created(seconds);
    });
    pool.on('acquire', (client: object) => using.set(client, performance.now()));
    pool.on('release', (_error: unknown, client: object) => {
      const seconds = since(using, client);
      if (seconds !== undefined) tracked.used(seconds);
    });
    return tracked;
  };

  const hookPool = (exports: unknown, patcher: Patcher): void => {
    const prototype = prototypeOf(exports, '', 'Pool', 'default');
    patcher.wrap(prototype, 'connect', connectHook(patcher));
    patcher.wrap(
      prototype,
      'newClient',
      original =>
        function (this: PgPool, ...args) {
          const startMs = performance.now();
          const result = original.apply(this, args);
          patcher.guard(() => {
            const client = this._clients[this._clients.length - 1];
            if (client !== undefined) creating.set(client, startMs);
          });
          return result;
        },
    );
    patcher.wrap(
      prototype,
      'query',
      original =>
        function (this: PgPool, ...args) {
          wanted = textOf(args[0]);
          try {
            return original.apply(this, args);
          } finally {
            wanted = undefined;
          }
        },
    );
  };

  return [
    { library: 'pg', package: 'pg', file: /^lib\/client\.js$/, hook: hookQuery },
    { library: 'pg', package: 'pg', file: /^lib\/native\/client\.js$/, hook: hookQuery },
    { library: 'pg', package: 'pg-pool', file: /^index\.js$/, hook: hookPool },
  ];
}
