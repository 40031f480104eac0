import type { PoolKind, TrackedPool } from '../meters/db-pool';
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

/**
 * node-redis 4, 5 and 6: all commands pass one queue, those of pipelines and MULTI one by one. A command that a
 * client of version 4 refuses by itself is not seen.
 */
export function nodeRedisTargets({ operations, pools }: DatabaseMeters): Target[] {
  const targets: Target[] = [];
  const target = (file: RegExp, hook: Target['hook']) =>
    targets.push({ library: 'redis', package: '@redis/client', file, hook });

  if (operations !== undefined) {
    const { redis } = operations;
    const end = (patcher: Patcher, words: readonly unknown[], startMs: number, error?: unknown): void => {
      try {
        redis.end(String(words[0]), startMs, error);
      } catch (failure) {
        patcher.failed(failure);
      }
    };
    /** Whether the command that a client is sending, now on the stack, has got as far as its queue. */
    let queued = false;

    target(/^dist\/lib\/client\/commands-queue\.js$/, (exports, patcher) =>
      patcher.wrap(
        prototypeOf(exports, 'default'),
        'addCommand',
        original =>
          function (this: unknown, ...args) {
            const startMs = performance.now();
            const result = original.apply(this, args);
            queued = true;
            const words = args[0];
            if (typeof result?.then !== 'function' || isIntroduction(words)) return result;
            return result.then(
              (reply: unknown) => {
                end(patcher, words, startMs);
                return reply;
              },
              (error: unknown) => {
                end(patcher, words, startMs, error ?? null);
                throw error;
              },
            );
          },
      ),
    );
    // A client that is closed, or offline and keeps no queue, refuses commands by itself.
    target(/^dist\/lib\/client\/index\.js$/, (exports, patcher) =>
      patcher.wrap(
        prototypeOf(exports, 'default'),
        'sendCommand',
        original =>
          function (this: unknown, ...args) {
            const startMs = performance.now();
            queued = false;
            const result = original.apply(this, args);
            const words = args[0];
            if (queued || !Array.isArray(words) || typeof result?.then !== 'function') return result;
            return result.catch((error: unknown) => {
              end(patcher, words, startMs, error ?? null);
              throw error;
            });
          },
      ),
    );
  }
  if (pools === undefined) return targets;

  /** The pool that makes clients now on the stack; it counts them itself. */
  let making: ClientPool | undefined;
  const within = <T>(pool: ClientPool | undefined, run: () => T): T => {
    const outer = making;
    making = pool;
    try {
      return run();
    } finally {
      making = outer;
    }
  };
  const names = new WeakMap<ClientPool, string>();

  const note = createConnectionGroups(pools, client => (client as Client).isReady === true);
  target(/^dist\/lib\/client\/index\.js$/, (exports, patcher) =>
    patcher.wrap(
      prototypeOf(exports, 'default'),
      'connect',
      original =>
        function (this: Client, ...args) {
          patcher.guard(() => {
            const client = this._self ?? this;
            if (making === undefined) note(client, placeOfClient(client));
            else if (!names.has(making)) names.set(making, placeOfClient(client));
          });
          return original.apply(this, args);
        },
    ),
  );

  const poolKind: PoolKind<ClientPool> = {
    read: pool =>
      pool.isOpen
        ? { used: pool.clientsInUse, idle: pool.idleClients, pending: pool.tasksQueueLength }
        : undefined,
    name: (pool, settle) => names.get(pool) ?? (settle ? 'redis' : undefined),
  };
  const hookPool = (exports: unknown, patcher: Patcher): void => {
    const prototype = prototypeOf(exports, 'RedisClientPool', 'default');
    patcher.wrap(
      prototype,
      'connect',
      original =>
        function (this: ClientPool, ...args) {
          const pool = this._self ?? this;
          const result = within(pool, () => original.apply(this, args));
          patcher.guard(() => pools.track(pool, poolKind));
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
          let tracked: TrackedPool | undefined;
          try {
            tracked = pools.track(pool, poolKind);
          } catch (failure) {
            patcher.failed(failure);
          }
          const timed = function (this: unknown, ...given: unknown[]) {
            begun = true;
            const begin = performance.now();
            tracked?.waited((begin - startMs) / 1000);
            // Clients that the task makes are its own.
            const result = within(undefined, () => task.apply(this, given));
            const end = (): void => tracked?.used((performance.now() - begin) / 1000);
            // The pool itself listens on this promise, so listening as well hides nothing.
            if (result instanceof Promise) result.then(end, end);
            else end();
            return result;
          };
          const result = within(pool, () => original.call(this, timed, ...rest));
          if (begun || typeof result?.then !== 'function') return result;
          return result.catch((error: unknown) => {
            if (!begun && (error as Error | null)?.constructor?.name === 'TimeoutError') tracked?.timedOut();
            throw error;
          });
        },
    );
  };
  target(/^dist\/lib\/client\/pool\.js$/, hookPool);
  return targets;
}

/** What a client tells a new connection of itself: older servers refuse it, and nobody minds. */
const introductions = new Set(['SETINFO', 'MAINT_NOTIFICATIONS']);

function isIntroduction(words: readonly unknown[]): boolean {
  return words?.[0] === 'CLIENT' && introductions.has(String(words[1]).toUpperCase());
}
