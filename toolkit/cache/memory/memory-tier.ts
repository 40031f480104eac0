import type { CacheEntry } from '../entry';
import type { InvalidationLog } from '../invalidation/log';
import type { SettledMemoryTier } from '../options';
import type { TierStats } from '../stats';
import { TierCounters } from '../stats';
import { LfuStore } from './lfu-store';
import { LruStore } from './lru-store';
import type { Store } from './store';

/** Bytes of an entry beside its key and value. */
const entryBytes = 200;
/** Entries that a sweep looks at in one go, some tenths of a millisecond. */
const sweptAtOnce = 1000;

/** The first tier: entries in this process. */
export class MemoryTier<V> {
  /** Reads the counters and holds no entry, so that it may outlive the tier. */
  readonly stats: () => TierStats;
  readonly counters = new TierCounters();
  readonly ttlMs: number;
  readonly #store: Store<CacheEntry<V>>;
  readonly #sizeOf: ((value: V | undefined, key: string) => number) | undefined;
  readonly #sweeper: NodeJS.Timeout | undefined;

  constructor(options: SettledMemoryTier<V>, now: () => number) {
    const { maxEntries, maxBytes, policy, ttlMs, sizeOf, sweepMs } = options;
    const { counters } = this;
    this.ttlMs = ttlMs;
    this.#sizeOf = maxBytes === Infinity ? undefined : sizeOf;
    const evicted = (): void => {
      counters.capacityEvictions++;
    };
    const limits = { maxEntries, maxBytes };
    const store =
      policy === 'lfu'
        ? new LfuStore<CacheEntry<V>>(limits, evicted)
        : new LruStore<CacheEntry<V>>(limits, evicted);
    this.#store = store;
    const held = new WeakRef(store);
    this.stats = () => {
      const store = held.deref();
      return counters.snapshot({
        entries: store?.count ?? 0,
        limit: maxEntries,
        ...(maxBytes !== Infinity && { bytes: store?.bytes ?? 0, byteLimit: maxBytes }),
      });
    };
    if (sweepMs !== Infinity) this.#sweeper = sweepEvery(sweepMs, held, counters, now);
  }

  /** The entry that may be served, stale or fresh, and counted so. */
  look(key: string, now: number, log: InvalidationLog): CacheEntry<V> | undefined {
    const { counters } = this;
    const entry = this.#store.get(key);
    if (entry !== undefined) {
      if (log.outdates(key, entry)) this.drop(key);
      else if (now < entry.until) {
        if (now >= entry.freshUntil) counters.stale++;
        else if (entry.value === undefined) counters.negative++;
        else counters.hits++;
        entry.reads++;
        return entry;
      } else this.expire(key);
    }
    counters.misses++;
    return undefined;
  }

  peek(key: string): CacheEntry<V> | undefined {
    return this.#store.peek(key);
  }

  set(key: string, entry: CacheEntry<V>): void {
    const size =
      this.#sizeOf === undefined
        ? 0
        : Math.ceil(this.#sizeOf(entry.value, key)) + 2 * key.length + entryBytes;
    this.#store.set(key, entry, size);
    this.counters.sets++;
  }

  delete(key: string): void {
    this.#store.delete(key);
    this.counters.deletes++;
  }

  /** Takes out what is not to be served any more, and was asked for by nobody. */
  drop(key: string): boolean {
    return this.#store.delete(key);
  }

  expire(key: string): void {
    if (this.#store.delete(key)) this.counters.expiredEvictions++;
  }

  clear(): void {
    this.#store.clear();
  }

  entries(): Iterable<[string, CacheEntry<V>]> {
    return this.#store.entries();
  }

  get count(): number {
    return this.#store.count;
  }

  close(): void {
    clearInterval(this.#sweeper);
    this.#store.clear();
  }
}

/** Keeps neither the process nor the store alive. */
function sweepEvery<V>(
  ms: number,
  held: WeakRef<Store<CacheEntry<V>>>,
  counters: TierCounters,
  now: () => number,
): NodeJS.Timeout {
  let sweeping = false;
  const sweep = async (): Promise<void> => {
    let looked = 0;
    for (const [key, { until }] of held.deref()?.entries() ?? []) {
      if (until <= now() && held.deref()?.delete(key)) counters.expiredEvictions++;
      if (++looked % sweptAtOnce === 0) await new Promise(resolve => setImmediate(resolve));
    }
  };
  const timer = setInterval(() => {
    if (held.deref() === undefined) clearInterval(timer);
    if (sweeping) return;
    sweeping = true;
    void sweep().finally(() => {
      sweeping = false;
    });
  }, ms);
  return timer.unref();
}
