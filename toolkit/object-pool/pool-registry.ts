import type { PoolStats } from './stats';

/** What a {@link PoolRegistry} needs of a pool; all pools of this package have it. */
export interface RegistrablePool {
  readonly name: string;
  stats(): PoolStats;
  clear(): void;
  close(): unknown;
}

/** A pool of that name is registered already. */
export class DuplicatePoolError extends Error {
  readonly code = 'POOL_DUPLICATE';
  override readonly name = 'DuplicatePoolError';
  constructor(readonly pool: string) {
    super(`Expected a name that no registered pool has, got "${pool}"`);
  }
}

/** The pools of an application by name, to be read, cleared and closed together. */
export class PoolRegistry {
  readonly #pools = new Map<string, RegistrablePool>();

  /**
   * Adds a pool under its own name.
   *
   * @returns the pool
   * @throws DuplicatePoolError
   */
  register<P extends RegistrablePool>(pool: P): P {
    if (this.#pools.has(pool.name)) throw new DuplicatePoolError(pool.name);
    this.#pools.set(pool.name, pool);
    return pool;
  }

  /** Takes a pool out without closing it; false when there is none of that name. */
  unregister(name: string): boolean {
    return this.#pools.delete(name);
  }

  get(name: string): RegistrablePool | undefined {
    return this.#pools.get(name);
  }

  names(): string[] {
    return [...this.#pools.keys()];
  }

  /** The statistics of every pool by its name. */
  stats(): Record<string, PoolStats> {
    return Object.fromEntries([...this.#pools].map(([name, pool]) => [name, pool.stats()]));
  }

  /** Lets the idle objects of every pool go. */
  clearAll(): void {
    for (const pool of this.#pools.values()) pool.clear();
  }

  /** Takes every pool out and closes it; resolves when all are closed. Rejects with what failed, after all were tried. */
  async closeAll(): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    const outcomes = await Promise.allSettled(pools.map(async pool => pool.close()));
    const errors = outcomes.flatMap(one => (one.status === 'rejected' ? [one.reason as unknown] : []));
    if (errors.length > 0) throw new AggregateError(errors, `${errors.length} pools failed to close`);
  }
}
