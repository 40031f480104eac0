import { LRUCache } from 'lru-cache';
import { positiveInteger } from '../options';
import type { TierStats } from './stats';
import { TierCounters } from './stats';

/** The first tier: least recently used entries in this process. */
export interface MemoryTierOptions {
  /** Most entries held. @default 1000 */
  readonly maxEntries?: number;
  /** How long an entry is served, in milliseconds. @default 60000 */
  readonly ttlMs?: number;
}

/** Boxed, because lru-cache keeps no null or undefined. */
interface Entry<V> {
  readonly value: V;
}

/** L1: an lru-cache that counts. */
export class MemoryTier<V> {
  /** Reads the counters and holds no entry, so that it may outlive the tier. */
  readonly stats: () => TierStats;
  readonly #entries: LRUCache<string, Entry<V>>;
  readonly #counters = new TierCounters();

  constructor({ maxEntries = 1000, ttlMs = 60_000 }: MemoryTierOptions, clock: (() => number) | undefined) {
    const counters = this.#counters;
    const entries = new LRUCache<string, Entry<V>>({
      max: positiveInteger('l1.maxEntries', maxEntries),
      ttl: positiveInteger('l1.ttlMs', ttlMs),
      dispose: (_entry, _key, reason) => {
        if (reason === 'evict') counters.capacityEvictions++;
        else if (reason === 'expire') counters.expiredEvictions++;
      },
      // lru-cache remembers the time for ttlResolution milliseconds, which a clock of the caller's would not notice.
      ...(clock && { perf: { now: clock }, ttlResolution: 0 }),
    });
    this.#entries = entries;
    const held = new WeakRef(entries);
    this.stats = () => counters.snapshot({ entries: held.deref()?.size ?? 0, limit: maxEntries });
  }

  get(key: string): Entry<V> | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) this.#counters.misses++;
    else this.#counters.hits++;
    return entry;
  }

  set(key: string, value: V): void {
    this.#entries.set(key, { value });
    this.#counters.sets++;
  }

  delete(key: string): void {
    this.#entries.delete(key);
    this.#counters.deletes++;
  }

  clear(): void {
    this.#entries.clear();
  }
}
