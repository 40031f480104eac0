import { prototypeOf, type Target } from './target';

/** undici's pool of connections to one origin; its agents are made of such. */
interface Pool {
  readonly destroyed: boolean;
  readonly stats?: { readonly queued: number };
}

const pools = new Set<WeakRef<Pool>>();
const known = new WeakSet<Pool>();

/**
 * undici as a package: notes its pools. A request for which a pool has no free connection waits inside of the pool,
 * and undici's channels tell of it only when it has got one. Node's own undici never makes one wait.
 */
export function undiciTargets(): Target[] {
  return [
    {
      library: 'undici',
      package: 'undici',
      file: /^lib\/(dispatcher\/)?pool\.js$/,
      hook: (exports, patcher) =>
        patcher.wrap(
          prototypeOf(exports, ''),
          'dispatch',
          original =>
            function (this: Pool, ...args) {
              if (!known.has(this)) {
                known.add(this);
                pools.add(new WeakRef(this));
              }
              return original.apply(this, args);
            },
        ),
    },
  ];
}

/** Gives `add` the requests that wait inside of pools, by the origin that they are for. */
export function queuedInUndici(add: (origin: string, requests: number) => void): void {
  for (const reference of pools) {
    const pool = reference.deref();
    if (pool === undefined || pool.destroyed) {
      pools.delete(reference);
      continue;
    }
    const queued = pool.stats?.queued ?? 0;
    const origin = queued > 0 ? originOf(pool) : undefined;
    if (origin !== undefined) add(origin, queued);
  }
}

/** A pool keeps its URL under a symbol of its own. */
function originOf(pool: Pool): string | undefined {
  const key = Object.getOwnPropertySymbols(pool).find(({ description }) => description === 'url');
  const url = key === undefined ? undefined : (pool as unknown as Record<symbol, unknown>)[key];
  return url instanceof URL ? url.origin : undefined;
}
