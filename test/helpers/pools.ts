import assert from 'node:assert/strict';
import {
  BufferPool,
  ConnectionPool,
  HttpResponsePool,
  ObjectPool,
  type PoolKind,
  type PoolStats,
} from '../../toolkit/object-pool';

/** A pool of any kind as the contract sees it. */
export interface PoolSubject {
  readonly pool: object;
  acquire(): Promise<object>;
  release(object: object): void;
  use<R>(fn: (object: object) => R | Promise<R>): Promise<R>;
  stats(): PoolStats;
  clear(): void;
  close(): Promise<unknown>;
}

/** Makes a pool of a name; `idleTimeoutMs` is for the kind that has such a thing. */
export const poolSubjects: Readonly<Record<PoolKind, (name: string, idleTimeoutMs?: number) => PoolSubject>> =
  {
    object: name => {
      const pool = new ObjectPool<object>({ name, create: () => ({}) });
      return asynchronous(pool, () => pool.acquire());
    },
    buffer: name => {
      const pool = new BufferPool({ name });
      return {
        ...asynchronous(pool as unknown as Synchronous, () => pool.acquire(10)),
        use: async fn => pool.use(10, fn),
      };
    },
    http_response: name => {
      const pool = new HttpResponsePool({ name });
      return asynchronous(pool as unknown as Synchronous, () => pool.acquire());
    },
    connection: (name, idleTimeoutMs = 30_000) => {
      const create = async (): Promise<object> => ({});
      const pool = new ConnectionPool<object>({ name, create, ping: async () => true, idleTimeoutMs });
      return asynchronous(pool as unknown as Synchronous, () => pool.acquire());
    },
  };

interface Synchronous {
  release(object: object): void;
  use<R>(fn: (object: object) => R): R;
  stats(): PoolStats;
  clear(): void;
  close(): unknown;
}

function asynchronous(pool: Synchronous, acquire: () => object | Promise<object>): PoolSubject {
  return {
    pool,
    acquire: async () => acquire(),
    release: object => pool.release(object),
    use: async fn => pool.use(fn),
    stats: () => pool.stats(),
    clear: () => pool.clear(),
    close: async () => pool.close(),
  };
}

/** The laws that a pool's statistics obey at any moment. */
export function assertPoolLaws(stats: PoolStats): void {
  const { acquired, reused, released, created, destroyed, leaked, idle, used } = stats;
  assert.equal(acquired, released + leaked + used, `acquired: ${JSON.stringify(stats)}`);
  assert.equal(created, destroyed + leaked + idle + used, `created: ${JSON.stringify(stats)}`);
  assert.ok(reused <= acquired && idle >= 0 && used >= 0, JSON.stringify(stats));
  if (stats.limit !== undefined) assert.ok(idle + used <= stats.limit, JSON.stringify(stats));
  if (stats.useTime !== undefined) assert.equal(stats.useTime.count, released);
  if (stats.waitTime !== undefined) assert.equal(stats.waitTime.count, acquired);
  if (stats.pending !== undefined) assert.ok(stats.pending >= 0);
  for (const [what, count] of Object.entries(stats.failures)) assert.ok(count >= 0, what);
}
