/** A value in a tier, with what is known of it. Times are milliseconds of the cache's monotonic clock. */
export interface CacheEntry<V> {
  /** `undefined` says that the source has no such value. */
  readonly value: V | undefined;
  /** Names this write of the key, and no other: eight bytes as latin1. */
  readonly version: string;
  /** Until when it is served as it is. */
  readonly freshUntil: number;
  /** Until when it is served while a newer one is loaded. */
  readonly until: number;
  /** How long the loader took, in milliseconds; 0 where it was set. */
  readonly loadMs: number;
  readonly tags: readonly string[] | undefined;
  /** What of the log of invalidations the shared tiers knew when the value was read at its source. */
  readonly position: LogPosition;
  /** How much of this process's copy of the log it has been held against. */
  mark: number;
  /** Reads since it was stored here. */
  reads: number;
}

/** A place in the log of invalidations: the id of an entry of a Redis stream. */
export interface LogPosition {
  readonly ms: number;
  readonly seq: number;
}

/** Before all invalidations. */
export const logStart: LogPosition = { ms: 0, seq: 0 };

/** Whether `a` comes after `b`. */
export function isAfter(a: LogPosition, b: LogPosition): boolean {
  return a.ms > b.ms || (a.ms === b.ms && a.seq > b.seq);
}
