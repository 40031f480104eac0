import { FixedHistogram, type HistogramSnapshot } from '../histogram';
import type { BreakerState } from './remote/breaker';

/** The registered kind of a cache and the layout of {@link CacheStats}, for whoever reads the registry of sources. */
export const cacheSource = { kind: 'cache', layout: 1 } as const;

/**
 * A cache's counters since it was created, and its present sizes. Where all calls have been answered, and no refresh
 * runs, they are exact:
 *
 * - `gets = filtered + dirtyHits + l1.hits + l1.stale + l1.negative + l1.misses` where there is an L1
 * - `gets = getTime.count`, `hits + absent <= gets`
 * - `loads.ok + loads.absent + loads.error = loadTime.count`
 * - of a shared tier, the reads that callers, refreshes and waits for the lock made of it:
 *   `hits + stale + negative + misses + errors.get + bypassed`
 */
export interface CacheStats {
  /** Calls of `get` and `getOrLoad`. */
  readonly gets: number;
  /** Calls answered from a tier with a value, or with a value that waits to be written back. */
  readonly hits: number;
  /** `hits / gets`; 0 before the first call. */
  readonly hitRatio: number;
  /** Calls answered from a tier, or by the filter, with the knowledge that the source has no such value. */
  readonly absent: number;
  readonly l1?: TierStats;
  readonly l2?: TierStats;
  readonly l3?: TierStats;
  readonly loads: LoadStats;
  /** Loads in the background: before their time, because the entry was stale, and by observed access. */
  readonly refreshes: { readonly early: number; readonly stale: number; readonly prefetch: number };
  /** Calls that waited for another call's lookup or load instead of making their own. */
  readonly stampedeSuppressed: number;
  /** Calls that the filter answered. */
  readonly filtered: number;
  /** Calls answered by a value that waits to be written back and is in no tier any more. */
  readonly dirtyHits: number;
  /** Absent where loads are not locked across processes. */
  readonly lock?: LoadLockStats;
  /** Absent where nothing is written back. */
  readonly writeBack?: WriteBackStats;
  readonly invalidations: InvalidationStats;
  /** Time of loaders, in seconds. */
  readonly loadTime: HistogramSnapshot;
  /** Time of `get` and of the lookup in `getOrLoad`, loading left out, in seconds. */
  readonly getTime: HistogramSnapshot;
}

/** One tier's share. A failed operation counts under `errors` only. */
export interface TierStats {
  readonly hits: number;
  /** Found past its time, within `staleMs`. */
  readonly stale: number;
  /** Found to be absent at the source. */
  readonly negative: number;
  readonly misses: number;
  /** `(hits + stale) / reads that were answered`; 0 before the first. */
  readonly hitRatio: number;
  readonly sets: number;
  readonly deletes: number;
  readonly errors: { readonly get: number; readonly set: number; readonly delete: number };
  /** Operations not tried, because the breaker is open or the tier is known to be outdated. */
  readonly bypassed: { readonly get: number; readonly set: number; readonly delete: number };
  /** Entries held now; absent for a tier that other processes share. */
  readonly entries?: number;
  /** Most entries the tier holds; absent where it has no bound of its own. */
  readonly limit?: number;
  /** About how many bytes it holds, and most; absent where bytes do not bound it. */
  readonly bytes?: number;
  readonly byteLimit?: number;
  readonly evictions: EvictionStats;
  /** Time of reads, in seconds; absent for the memory tier, whose reads take as long as a call. */
  readonly time?: HistogramSnapshot;
  /** Absent for the memory tier. */
  readonly breaker?: BreakerState;
  /** How often the breaker has opened. */
  readonly opened?: number;
}

/** Entries that left a tier without being asked to. */
export interface EvictionStats {
  /** The tier was full. */
  readonly capacity: number;
  /** The entry's time to live had passed when it was looked at, swept or replaced. */
  readonly expired: number;
}

/** Loader runs by outcome: a value, none, or an error. */
export interface LoadStats {
  readonly ok: number;
  readonly absent: number;
  readonly error: number;
}

/** Loads under the lock that processes share. */
export interface LoadLockStats {
  /** Locks taken. */
  readonly acquired: number;
  /** Loads that found the lock taken. */
  readonly waited: number;
  /** Lookups while waiting. */
  readonly polls: number;
  /** Waits that ended without a value, after which this process loaded by itself. */
  readonly timeouts: number;
  /** Locks that could not be asked for; this process loaded by itself. */
  readonly errors: number;
}

/** Writes that go to the source later. `accepted = written + superseded + lost + pending`. */
export interface WriteBackStats {
  readonly accepted: number;
  /** Keys whose value waits or is being written. */
  readonly pending: number;
  readonly limit: number;
  /** Callers that wait for room. */
  readonly waiting: number;
  readonly written: number;
  /** Writes that a later one to the same key made needless. */
  readonly superseded: number;
  /** Attempts that failed and are repeated. */
  readonly retries: number;
  /** Writes given up, each of which `onLost` was told of. */
  readonly lost: number;
}

/** Invalidations. */
export interface InvalidationStats {
  /** Keys, tags and prefixes that this cache told others of. */
  readonly sent: number;
  /** Of others that this cache was told of. */
  readonly received: number;
  /** Keys that a shared tier has outdated, because it could not be reached, and that will be deleted there. */
  readonly repairs: number;
}

/** Bucket bounds of lookups, in seconds: from a memory hit (about 1 us) to a Redis that is slow to answer. */
export const getTimeBounds = [
  1e-6, 5e-6, 2.5e-5, 1e-4, 2.5e-4, 5e-4, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1,
];

/** Bucket bounds of loads, in seconds. */
export const loadTimeBounds = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

type Size = Pick<TierStats, 'entries' | 'limit' | 'bytes' | 'byteLimit' | 'breaker' | 'opened' | 'time'>;

/** The counters behind {@link TierStats}, plain numbers so that counting costs nothing. */
export class TierCounters {
  hits = 0;
  stale = 0;
  negative = 0;
  misses = 0;
  sets = 0;
  deletes = 0;
  getErrors = 0;
  setErrors = 0;
  deleteErrors = 0;
  bypassed = 0;
  bypassedSets = 0;
  bypassedDeletes = 0;
  capacityEvictions = 0;
  expiredEvictions = 0;

  snapshot(size: Size): TierStats {
    const { hits, stale, negative, misses } = this;
    return {
      hits,
      stale,
      negative,
      misses,
      hitRatio: ratio(hits + stale, hits + stale + negative + misses),
      sets: this.sets,
      deletes: this.deletes,
      errors: { get: this.getErrors, set: this.setErrors, delete: this.deleteErrors },
      bypassed: { get: this.bypassed, set: this.bypassedSets, delete: this.bypassedDeletes },
      ...size,
      evictions: { capacity: this.capacityEvictions, expired: this.expiredEvictions },
    };
  }
}

/** Those of a tier that processes share. */
export class RemoteCounters extends TierCounters {
  readonly time = new FixedHistogram(getTimeBounds);

  override snapshot(size: Size): TierStats {
    return super.snapshot({ ...size, time: this.time.snapshot() });
  }
}

/** The counters behind {@link CacheStats} that belong to no tier. */
export class CacheCounters {
  gets = 0;
  hits = 0;
  absent = 0;
  loadsOk = 0;
  loadsAbsent = 0;
  loadErrors = 0;
  early = 0;
  staleRefreshes = 0;
  prefetched = 0;
  stampedeSuppressed = 0;
  filtered = 0;
  dirtyHits = 0;
  sent = 0;
  received = 0;
  repairs = 0;
  readonly loadTime = new FixedHistogram(loadTimeBounds);
  readonly getTime = new FixedHistogram(getTimeBounds);

  snapshot(parts: Pick<CacheStats, 'l1' | 'l2' | 'l3' | 'lock' | 'writeBack'>): CacheStats {
    return {
      gets: this.gets,
      hits: this.hits,
      hitRatio: ratio(this.hits, this.gets),
      absent: this.absent,
      ...parts,
      loads: { ok: this.loadsOk, absent: this.loadsAbsent, error: this.loadErrors },
      refreshes: { early: this.early, stale: this.staleRefreshes, prefetch: this.prefetched },
      stampedeSuppressed: this.stampedeSuppressed,
      filtered: this.filtered,
      dirtyHits: this.dirtyHits,
      invalidations: { sent: this.sent, received: this.received, repairs: this.repairs },
      loadTime: this.loadTime.snapshot(),
      getTime: this.getTime.snapshot(),
    };
  }
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
