import { FixedHistogram, type HistogramSnapshot } from '../histogram';

/** The registered kind of a cache and the layout of {@link CacheStats}, for whoever reads the registry of sources. */
export const cacheSource = { kind: 'cache', layout: 1 } as const;

/**
 * A cache's counters since it was created, and its present sizes. They are exact:
 *
 * - `gets` = `l1.hits + l1.misses`
 * - `l1.misses` = `l2.hits + l2.misses + l2.errors.get + stampedeSuppressed` where there is an L2
 * - `loads.ok + loads.error` = `loadTime.count`, and `gets` = `getTime.count` once every call has been answered
 */
export interface CacheStats {
  /** Calls of `get` and `getOrLoad`. */
  readonly gets: number;
  readonly l1: TierStats;
  /** Absent where the cache has no second tier. */
  readonly l2?: TierStats;
  readonly loads: LoadStats;
  /** Calls of `getOrLoad` that waited for another call's lookup instead of making their own. */
  readonly stampedeSuppressed: number;
  /** Time of loaders, in seconds. */
  readonly loadTime: HistogramSnapshot;
  /** Time of `get` and of the lookup in `getOrLoad`, loading left out, in seconds. */
  readonly getTime: HistogramSnapshot;
}

/** One tier's share. A failed operation counts under `errors` only. */
export interface TierStats {
  readonly hits: number;
  readonly misses: number;
  readonly sets: number;
  readonly deletes: number;
  readonly errors: { readonly get: number; readonly set: number; readonly delete: number };
  /** Entries held now; absent for a tier that other processes share. */
  readonly entries?: number;
  /** Most entries the tier holds; absent where it has no bound of its own. */
  readonly limit?: number;
  readonly evictions: EvictionStats;
}

/** Entries that left a tier without being asked to. */
export interface EvictionStats {
  /** The tier was full. */
  readonly capacity: number;
  /** The entry's time to live had passed when it was looked at or replaced. */
  readonly expired: number;
}

/** Loader runs by outcome. */
export interface LoadStats {
  readonly ok: number;
  readonly error: number;
}

/** Bucket bounds of lookups, in seconds: from a memory hit (about 1 us) to a Redis that is slow to answer. */
export const getTimeBounds = [
  1e-6, 5e-6, 2.5e-5, 1e-4, 2.5e-4, 5e-4, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1,
];

/** Bucket bounds of loads, in seconds. */
export const loadTimeBounds = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** The counters behind {@link TierStats}, plain numbers so that counting costs nothing. */
export class TierCounters {
  hits = 0;
  misses = 0;
  sets = 0;
  deletes = 0;
  getErrors = 0;
  setErrors = 0;
  deleteErrors = 0;
  capacityEvictions = 0;
  expiredEvictions = 0;

  snapshot(size: { entries?: number; limit?: number }): TierStats {
    return {
      hits: this.hits,
      misses: this.misses,
      sets: this.sets,
      deletes: this.deletes,
      errors: { get: this.getErrors, set: this.setErrors, delete: this.deleteErrors },
      ...size,
      evictions: { capacity: this.capacityEvictions, expired: this.expiredEvictions },
    };
  }
}

/** The counters behind {@link CacheStats} that belong to no tier. */
export class CacheCounters {
  gets = 0;
  loadsOk = 0;
  loadErrors = 0;
  stampedeSuppressed = 0;
  readonly loadTime = new FixedHistogram(loadTimeBounds);
  readonly getTime = new FixedHistogram(getTimeBounds);

  snapshot(l1: TierStats, l2: TierStats | undefined): CacheStats {
    return {
      gets: this.gets,
      l1,
      ...(l2 && { l2 }),
      loads: { ok: this.loadsOk, error: this.loadErrors },
      stampedeSuppressed: this.stampedeSuppressed,
      loadTime: this.loadTime.snapshot(),
      getTime: this.getTime.snapshot(),
    };
  }
}
