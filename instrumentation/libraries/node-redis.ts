import type { PoolKind } from '../meters/db-pool';
import { createConnectionGroups } from './redis-connections';
import { type Patcher, prototypeOf, type Target } from './target';
import { type DatabaseMeters, placeName } from './tools';

interface Client {
  /** A client may be used through objects that inherit from it. */
  readonly _self?: Client;
  readonly isReady?: boolean;
  readonly options?: {
    readonly socket?: { host?: unknown; port?: unknown; path?: unknown };
    readonly database?: unknown;
  };
}

interface ClientPool {
  readonly _self?: ClientPool;
  readonly isOpen: boolean;
  readonly idleClients: number;
  readonly clientsInUse: number;
  readonly tasksQueueLength: number;
}

function placeOfClient({ options }: Client): string {
  const { host, port, path } = options?.socket ?? {};
  return placeName({
    host: host ?? path,
    port: port ?? (path === undefined ? 6379 : undefined),
    database: Number(options?.database ?? 0),
  });
}

/** node-redis 4, 5 and 6: all commands pass one queue, those of pipelines and MULTI one by one. */
export function nodeRedisTargets({ operations, pools }: DatabaseMeters): Target[] {
  const targets: Target[] = [];
  const target = (file: RegExp, hook: Target['hook']) =>
    targets.push({ library: 'redis', package: '@redis/client', file, hook });

  if (operations !== undefined) {
    const { redis } = operations;
    target(/^dist\/lib\/client\/commands-queue\.js$/, (exports, patcher) =>
      patcher.wrap(
        prototypeOf(exports, 'default'),
        'addCommand',
        original =>
          function (this: unknown, ...args) {
            const startMs = performance.now();
            const result = original.apply(this, args);
            const words = args[0];
            if (typeof result?.then !== 'function' || isIntroduction(words)) return result;
            const end = (error?: unknown): void => {
              try {
                redis.end(String(words[0]), startMs, error);
              } catch (failure) {
                patcher.guard(() => {
                  throw failure;
                });
              }
            };
            return result.then(
              (reply: unknown) => {
                end();
                return reply;
              },
              (error: unknown) => {
                end(error ?? null);
                throw error;
              },
            );
          },
      ),
    );
  }
  if (pools === undefined) return targets;

  /** Whether a pool, now on the stack, makes clients; it counts them itself. */
  let insidePool = false;
  const asPool = <T>(run: () => T): T => {
    const outer = insidePool;
    insidePool = true;
    try {
      return run();
    } finally {
      insidePool = outer;
    }
  };

  const note = createConnectionGroups(pools, client => (client as Client).isReady === true);
  target(/^dist\/lib\/client\/index\.js$/, (exports, patcher) =>
    patcher.wrap(
      prototypeOf(exports, 'default'),
      'connect',
      original =>
        function (this: Client, ...args) {
          if (!insidePool) {
            patcher.guard(() => {
              const client = this._self ?? this;
              note(client, placeOfClient(client));
            });
          }
          return original.apply(this, args);
        },
    ),
  );

  const names = new WeakMap<ClientPool, string>();
  const poolKind: PoolKind<ClientPool> = {
    read: pool =>
      pool.isOpen
        ? { used: pool.clientsInUse, idle: pool.idleClients, pending: pool.tasksQueueLength }
        : undefined,
    name: pool => names.get(pool) ?? 'redis',
  };
  const hookPool = (exports: unknown, patcher: Patcher): void => {
    const prototype = prototypeOf(exports, 'RedisClientPool', 'default');
    patcher.wrap(
      prototype,
      'connect',
      original =>
        function (this: ClientPool, ...args) {
          const result = asPool(() => original.apply(this, args));
          patcher.guard(() => pools.track(this._self ?? this, poolKind));
          return result;
        },
    );
    patcher.wrap(
      prototype,
      'execute',
      original =>
        function (this: ClientPool, task: unknown, ...rest) {
          if (typeof task !== 'function') return original.call(this, task, ...rest);
          const startMs = performance.now();
          let begun = false;
          const pool = this._self ?? this;
          const tracked = pools.track(pool, poolKind);
          const timed = function (this: unknown, client: Client, ...more: unknown[]) {
            begun = true;
            const begin = performance.now();
            patcher.guard(() => {
              if (!names.has(pool)) names.set(pool, placeOfClient(client._self ?? client));
              tracked.waited((begin - startMs) / 1000);
            });
            const outer = insidePool;
            insidePool = false;
            try {
              const result = task.call(this, client, ...more);
              // The pool itself listens on this promise, so listening as well hides nothing.
              const end = (): void => patcher.guard(() => tracked.used((performance.now() - begin) / 1000));
              if (result instanceof Promise) result.then(end, end);
              else end();
              return result;
            } finally {
              insidePool = outer;
            }
          };
          const result = asPool(() => original.call(this, timed, ...rest));
          if (begun || typeof result?.then !== 'function') return result;
          return result.catch((error: unknown) => {
            if (!begun && (error as Error | null)?.constructor?.name === 'TimeoutError') {
              patcher.guard(() => tracked.timedOut());
            }
            throw error;
          });
        },
    );
  };
  target(/^dist\/lib\/client\/pool\.js$/, hookPool);
  return targets;
}

/** `CLIENT SETINFO`, with which a client introduces itself: older servers refuse it, and nobody minds. */
export function isIntroduction(words: readonly unknown[]): boolean {
  return words?.[0] === 'CLIENT' && String(words[1]).toUpperCase() === 'SETINFO';
}
