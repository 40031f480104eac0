import type { LifeOptions } from './draft';
import type { RedisSubscriber } from './invalidation/messages';
import type { LoadLockOptions } from './loading/load-lock';
import type { BreakerOptions } from './remote/breaker';
import type { Codec } from './remote/codec';
import type { RedisClient } from './remote/commands';
import type { CompressionAlgorithm } from './remote/compression';
import type { Serializer } from './remote/serializers';
import type { SettledWriteBack, WriteBackOptions } from './writing/write-back-options';

/** Which entry leaves a full memory tier: the one whose last use is longest ago, or the one used least often. */
export type EvictionPolicy = 'lru' | 'lfu';

/** The first tier: entries in this process. */
export interface MemoryTierOptions<V = unknown> {
  /** Most entries held. @default 1000 */
  readonly maxEntries?: number;
  /** Most bytes held, as `sizeOf` has them. @default no bound */
  readonly maxBytes?: number;
  /** Bytes of a value. @default an estimate of the heap that it takes */
  readonly sizeOf?: (value: V | undefined, key: string) => number;
  /** @default 'lru' */
  readonly policy?: EvictionPolicy;
  /** How long an entry is served, in milliseconds. @default 60000 */
  readonly ttlMs?: number;
  /** How often entries are looked for whose time is up. Others leave when they are asked for or the tier is full. @default never */
  readonly sweepMs?: number;
}

/** A tier that processes share: the second, one Redis, or the third, a Redis Cluster. Either takes both. */
export interface RedisTierOptions {
  /** A node-redis client or cluster; connecting, its `error` events and closing stay with its owner. */
  readonly client: RedisClient;
  /** How long an entry is kept, in milliseconds. @default 300000, of l3 3600000 */
  readonly ttlMs?: number;
  /** How long one operation is waited for, in milliseconds. @default 250 */
  readonly timeoutMs?: number;
  /** Put before every key. @default the cache's name and a colon */
  readonly keyPrefix?: string;
  /** When the tier is left alone after failures. */
  readonly breaker?: BreakerOptions;
  /**
   * For how long a deletion is remembered, in milliseconds. A value that took more than half of it to be looked up and
   * loaded is not stored in the tier. @default 60000
   */
  readonly tombstoneMs?: number;
}

/** Where values come from and go to, such as a database. */
export interface CacheSource<V> {
  /** The value of a key, `undefined` where there is none. `get` loads what no tier has. */
  readonly load: (key: string) => Promise<V | undefined> | V | undefined;
  /** Stores a value; what it throws reaches the caller of `set`, or with write-back has the write tried again. */
  readonly write?: (key: string, value: V) => unknown;
  /** As `write`, of `delete`. @default keys are only deleted from the tiers */
  readonly remove?: (key: string) => unknown;
}

/**
 * How `set` treats the source: writes to it and then to the tiers; writes to the tiers now and to the source later;
 * writes to it and takes the key out of the tiers.
 */
export type WriteMode = 'through' | 'back' | 'around';

/** Options of the filter over the keys that the source has. */
export interface FilterOptions {
  /** All keys of the source, walked in the background. */
  readonly keys: () => Iterable<string> | AsyncIterable<string>;
  /** As many keys as it is made for. */
  readonly expectedKeys: number;
  /** Share of absent keys that are asked for all the same. @default 0.01 */
  readonly falsePositiveRate?: number;
  /** How often it is filled anew, which forgets deleted keys. @default never */
  readonly refillMs?: number;
}

/** Options of loading again what is read most, before its time is up. Needs a source. */
export interface PrefetchOptions {
  /** The share of the memory tier's entries, those read most since they were stored, that is kept fresh. */
  readonly ratio: number;
  /** How often it is looked for them, in milliseconds. @default a tenth of the memory tier's time to live */
  readonly everyMs?: number;
  /** Fewest reads. @default 2 */
  readonly minReads?: number;
  /** Loads at a time. @default 4 */
  readonly concurrency?: number;
}

/** Options of telling other processes what was written. */
export interface InvalidationOptions {
  /** A connected client to listen with; without one this process tells others and hears of nothing. */
  readonly subscriber?: RedisSubscriber;
  /** The channel of messages. @default the prefix of keys of the outermost tier and `invalidations` */
  readonly channel?: string;
}

/** Options of {@link TieredCache}. */
export interface TieredCacheOptions<V = unknown> {
  /** Names the cache in statistics and prefixes its keys in Redis. */
  readonly name: string;
  /** False: no memory tier. @default a memory tier of 1000 entries */
  readonly l1?: MemoryTierOptions<V> | false;
  /** Absent: none. */
  readonly l2?: RedisTierOptions;
  /** Absent: none. */
  readonly l3?: RedisTierOptions;
  /** Absent: `get` gives undefined for what no tier has, and `set` and `delete` end at the tiers. */
  readonly source?: CacheSource<V>;
  /** Needs a source that writes, but for `'through'`. @default 'through' */
  readonly writeMode?: WriteMode;
  readonly writeBack?: WriteBackOptions<V>;
  /** How long it is remembered that the source does not have a key, in milliseconds. @default 0, which is not at all */
  readonly negativeTtlMs?: number;
  /** Share by which times to live are shortened at random, so that what was stored together does not expire together. @default 0.1 */
  readonly jitter?: number;
  /** For how long past its time an entry is served while a newer one is loaded, in milliseconds. @default 0 */
  readonly staleMs?: number;
  /**
   * Has a read load an entry again before its time is up, the likelier the nearer and the longer loading takes (Vattani,
   * Chierichetti, Lowenstein, "Optimal probabilistic cache stampede prevention", 2015). 1 is their optimum, more is
   * earlier. @default 0, which is never
   */
  readonly earlyRefresh?: number;
  /** Has one process load while others wait. Needs a shared tier. @default false */
  readonly loadLock?: LoadLockOptions | boolean;
  readonly filter?: FilterOptions;
  readonly prefetch?: PrefetchOptions;
  /** Needs a shared tier. @default other processes are not told */
  readonly invalidation?: InvalidationOptions;
  /** How values are written in shared tiers. @default 'json' */
  readonly serializer?: 'json' | 'msgpack' | Serializer;
  /** Has values of at least `minBytes` (1024) written compressed where that is shorter. @default false */
  readonly compression?: { readonly algorithm?: CompressionAlgorithm; readonly minBytes?: number } | boolean;
  /** Most keys remembered that a shared tier could not be told of; past it the whole tier is invalidated. @default 10000 */
  readonly maxRepairs?: number;
  /** Told of every failed operation of a shared tier, and of failed loads in the background. @default nothing */
  readonly onError?: (error: unknown) => void;
  /** Milliseconds of a clock that never goes back. @default performance.now */
  readonly clock?: () => number;
  /** Milliseconds since 1970. @default Date.now */
  readonly wallClock?: () => number;
  /** A number from 0 up to 1. @default Math.random */
  readonly random?: () => number;
}

/** The options of tiers with their defaults, checked. */
export type SettledMemoryTier<V> = Required<MemoryTierOptions<V>>;
export type SettledRemoteTier = Required<Omit<RedisTierOptions, 'breaker'>> & {
  readonly breaker: Required<BreakerOptions>;
};
export type SettledFilter = Required<FilterOptions>;
export type SettledPrefetch = Required<PrefetchOptions>;

/** The options with their defaults, checked. */
export interface SettledCacheOptions<V> {
  readonly name: string;
  readonly l1: SettledMemoryTier<V> | undefined;
  readonly l2: SettledRemoteTier | undefined;
  readonly l3: SettledRemoteTier | undefined;
  readonly source: CacheSource<V> | undefined;
  readonly writeMode: WriteMode;
  readonly writeBack: SettledWriteBack<V>;
  readonly life: LifeOptions;
  readonly earlyRefresh: number;
  readonly loadLock: Required<LoadLockOptions> | undefined;
  readonly filter: SettledFilter | undefined;
  readonly prefetch: SettledPrefetch | undefined;
  readonly invalidation: InvalidationOptions | undefined;
  readonly codec: Codec;
  readonly maxRepairs: number;
  readonly onError: (error: unknown) => void;
  readonly now: () => number;
  readonly wallNow: () => number;
  readonly random: () => number;
}
