import { listener, nonEmptyString } from '../options';
import { registerSource } from '../sources';
import type { MemoryTierOptions } from './memory-tier';
import { MemoryTier } from './memory-tier';
import type { RedisTierOptions } from './redis-tier';
import { RedisTier } from './redis-tier';
import type { CacheStats } from './stats';
import { CacheCounters, cacheSource } from './stats';

/** Options of {@link TieredCache}. */
export interface TieredCacheOptions {
  /** Names the cache in statistics and prefixes its keys in Redis. */
  readonly name: string;
  readonly l1?: MemoryTierOptions;
  /** Absent: the cache lives in this process only. */
  readonly l2?: RedisTierOptions;
  /** Told of every failed L2 operation; the call that met it goes on without. @default nothing */
  readonly onError?: (error: unknown) => void;
  /** Milliseconds of a clock that never goes back. @default performance.now */
  readonly clock?: () => number;
}

/** Reads and loads of one key that are under way, which a write to that key makes outdated. */
interface Reading {
  readers: number;
  outdated: boolean;
}

/**
 * A cache of memory (L1) before Redis (L2).
 *
 * Values must survive JSON, and are shared by reference while in L1: do not change what you got. `undefined` means
 * absent and cannot be stored; `null` can. An L2 that fails or is slow makes a call slower by at most its timeout and
 * never fails it. A value is served for at most the sum of both TTLs after it was written elsewhere.
 */
export class TieredCache<V> {
  readonly name: string;
  readonly #l1: MemoryTier<V>;
  readonly #l2: RedisTier<V> | undefined;
  readonly #now: () => number;
  readonly #flights = new Map<string, Promise<V>>();
  readonly #readings = new Map<string, Reading>();
  readonly #counters = new CacheCounters();
  readonly #stats: () => CacheStats;
  readonly #unregister: () => void;

  /** @throws TypeError when an option is not as documented */
  constructor({ name, l1 = {}, l2, onError, clock }: TieredCacheOptions) {
    this.name = nonEmptyString('name', name);
    const told = listener('onError', onError);
    this.#l1 = new MemoryTier(l1, clock);
    this.#l2 = l2 && new RedisTier(name, l2, told);
    this.#now = clock ?? (() => performance.now());
    const counters = this.#counters;
    const { stats: l1Stats } = this.#l1;
    const l2Stats = this.#l2?.stats;
    // Neither the cache nor a callback of the application's: the registry would keep a dropped cache alive.
    this.#stats = () => counters.snapshot(l1Stats(), l2Stats?.());
    this.#unregister = registerSource({ ...cacheSource, name, stats: this.#stats }, this);
  }

  /** The value of `key`, or undefined. */
  async get(key: string): Promise<V | undefined> {
    const start = this.#now();
    this.#counters.gets++;
    const entry = this.#l1.get(key) ?? (await this.#fromL2(key));
    this.#endGet(start);
    return entry?.value;
  }

  /**
   * The value of `key`, made by `loader` and stored when it is absent. Callers that ask for the same absent key at the
   * same time share one lookup and one run of the loader. What the loader throws reaches all of them and is not
   * stored; neither is `undefined`, nor a value that a `set` or `delete` overtook.
   */
  async getOrLoad(key: string, loader: (key: string) => Promise<V> | V): Promise<V> {
    const start = this.#now();
    this.#counters.gets++;
    const entry = this.#l1.get(key);
    if (entry !== undefined) {
      this.#endGet(start);
      return entry.value;
    }
    const underWay = this.#flights.get(key);
    if (underWay !== undefined) {
      this.#counters.stampedeSuppressed++;
      this.#endGet(start);
      return underWay;
    }
    const flight = this.#lookUpAndLoad(key, loader, start);
    this.#flights.set(key, flight);
    try {
      return await flight;
    } finally {
      // A write may have ended this flight's standing already, and a newer one may fly.
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    }
  }

  /**
   * Stores `value` in every tier.
   *
   * @throws TypeError when `value` is undefined
   */
  async set(key: string, value: V): Promise<void> {
    if (value === undefined) throw new TypeError(`Expected a value to store under "${key}", got undefined`);
    this.#outdate(key);
    this.#l1.set(key, value);
    await this.#l2?.set(key, value);
  }

  /** Removes `key` from every tier. An L2 that cannot be reached keeps its entry until its TTL passes. */
  async delete(key: string): Promise<void> {
    this.#outdate(key);
    this.#l1.delete(key);
    await this.#l2?.delete(key);
  }

  /** Counters and sizes, as documented at {@link CacheStats}. */
  stats(): CacheStats {
    return this.#stats();
  }

  /** Empties the memory tier and takes the cache out of the statistics. The Redis client is its owner's to close. */
  close(): void {
    this.#unregister();
    this.#l1.clear();
  }

  async #lookUpAndLoad(key: string, loader: (key: string) => Promise<V> | V, start: number): Promise<V> {
    const reading = this.#beginReading(key);
    try {
      const entry = await this.#fromL2(key);
      this.#endGet(start);
      if (entry !== undefined) return entry.value;
      const value = await this.#load(key, loader);
      if (value !== undefined && !reading.outdated) {
        this.#l1.set(key, value);
        await this.#l2?.set(key, value);
      }
      return value;
    } finally {
      this.#endReading(key, reading);
    }
  }

  async #fromL2(key: string): Promise<{ readonly value: V } | undefined> {
    if (this.#l2 === undefined) return undefined;
    const reading = this.#beginReading(key);
    const entry = await this.#l2.get(key);
    if (entry !== undefined && !reading.outdated) this.#l1.set(key, entry.value);
    this.#endReading(key, reading);
    return entry;
  }

  async #load(key: string, loader: (key: string) => Promise<V> | V): Promise<V> {
    const start = this.#now();
    try {
      const value = await loader(key);
      this.#counters.loadsOk++;
      return value;
    } catch (error) {
      this.#counters.loadErrors++;
      throw error;
    } finally {
      this.#counters.loadTime.record((this.#now() - start) / 1000);
    }
  }

  #beginReading(key: string): Reading {
    let reading = this.#readings.get(key);
    if (reading === undefined) {
      reading = { readers: 0, outdated: false };
      this.#readings.set(key, reading);
    }
    reading.readers++;
    return reading;
  }

  #endReading(key: string, reading: Reading): void {
    if (--reading.readers === 0 && this.#readings.get(key) === reading) this.#readings.delete(key);
  }

  /** What is being read of `key` is older than the write that calls this: it must not be stored over it. */
  #outdate(key: string): void {
    const reading = this.#readings.get(key);
    if (reading === undefined) return;
    reading.outdated = true;
    this.#readings.delete(key);
    this.#flights.delete(key);
  }

  #endGet(start: number): void {
    this.#counters.getTime.record((this.#now() - start) / 1000);
  }
}
