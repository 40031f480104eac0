import {
  callable,
  delayMs,
  listener,
  nonEmptyString,
  optionalCallable,
  positiveInteger,
  positiveIntegerOrInfinity,
} from '../options';
import type { LifeOptions } from './draft';
import type { RedisSubscriber } from './invalidation/messages';
import type { LoadLockOptions } from './loading/load-lock';
import { sizeOf } from './memory/size-of';
import type { BreakerOptions } from './remote/breaker';
import type { Codec } from './remote/codec';
import type { RedisClient } from './remote/commands';
import type { CompressionAlgorithm } from './remote/compression';
import { jsonSerializer, msgpackSerializer, type Serializer } from './remote/serializers';
import { type SettledWriteBack, settleWriteBack, type WriteBackOptions } from './writing/write-back-options';

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

/** @throws TypeError when an option is not as documented */
export function settleCacheOptions<V>(options: TieredCacheOptions<V>): SettledCacheOptions<V> {
  const name = nonEmptyString('name', options.name);
  const random = optionalCallable('random', options.random) ?? Math.random;
  const l1 = options.l1 === false ? undefined : settleMemory(options.l1 ?? {});
  const l2 = options.l2 && settleRemote(name, 'l2', options.l2, 300_000);
  const l3 = options.l3 && settleRemote(name, 'l3', options.l3, 3_600_000);
  const shared = l2 !== undefined || l3 !== undefined;
  if (l1 === undefined && !shared) throw new TypeError('Expected at least one of l1, l2 and l3, got none');
  const { source, writeMode = 'through', loadLock, invalidation } = options;
  checkSource(source, writeMode);
  needs('a shared tier', shared, { loadLock, invalidation });
  needs('a source', source !== undefined, { prefetch: options.prefetch });
  needs('a memory tier', l1 !== undefined, { prefetch: options.prefetch });
  return {
    name,
    l1,
    l2,
    l3,
    source,
    writeMode,
    writeBack: settleWriteBack(options.writeBack ?? {}),
    life: {
      negativeTtlMs: atLeastZero('negativeTtlMs', options.negativeTtlMs ?? 0),
      staleMs: atLeastZero('staleMs', options.staleMs ?? 0),
      jitter: share('jitter', options.jitter ?? 0.1),
      random,
    },
    earlyRefresh: atLeastZero('earlyRefresh', options.earlyRefresh ?? 0),
    loadLock: loadLock ? settleLock(loadLock === true ? {} : loadLock) : undefined,
    filter: options.filter && settleFilter(options.filter),
    prefetch: options.prefetch && settlePrefetch(options.prefetch, l1!.ttlMs),
    invalidation,
    codec: settleCodec(options),
    maxRepairs: positiveInteger('maxRepairs', options.maxRepairs ?? 10_000),
    onError: listener('onError', options.onError),
    now: optionalCallable('clock', options.clock) ?? (() => performance.now()),
    wallNow: optionalCallable('wallClock', options.wallClock) ?? Date.now,
    random,
  };
}

function settleMemory<V>(options: MemoryTierOptions<V>): SettledMemoryTier<V> {
  const { policy = 'lru', sweepMs = Infinity } = options;
  if (policy !== 'lru' && policy !== 'lfu') {
    throw new TypeError(`Expected l1.policy to be lru or lfu, got ${String(policy)}`);
  }
  return {
    maxEntries: positiveInteger('l1.maxEntries', options.maxEntries ?? 1000),
    maxBytes: positiveIntegerOrInfinity('l1.maxBytes', options.maxBytes ?? Infinity),
    sizeOf: optionalCallable('l1.sizeOf', options.sizeOf) ?? (value => sizeOf(value)),
    policy,
    ttlMs: positiveInteger('l1.ttlMs', options.ttlMs ?? 60_000),
    sweepMs: sweepMs === Infinity ? sweepMs : delayMs('l1.sweepMs', sweepMs),
  };
}

function settleRemote(
  name: string,
  tier: 'l2' | 'l3',
  options: RedisTierOptions,
  ttlMs: number,
): SettledRemoteTier {
  const { failures = 5, openMs = 500, maxOpenMs = 10_000 } = options.breaker ?? {};
  return {
    client: options.client,
    ttlMs: positiveInteger(`${tier}.ttlMs`, options.ttlMs ?? ttlMs),
    timeoutMs: positiveInteger(`${tier}.timeoutMs`, delayMs(`${tier}.timeoutMs`, options.timeoutMs ?? 250)),
    keyPrefix: options.keyPrefix ?? `${name}:`,
    tombstoneMs: positiveInteger(`${tier}.tombstoneMs`, options.tombstoneMs ?? 60_000),
    breaker: {
      failures: positiveIntegerOrInfinity(`${tier}.breaker.failures`, failures),
      openMs: delayMs(`${tier}.breaker.openMs`, openMs),
      maxOpenMs: delayMs(`${tier}.breaker.maxOpenMs`, Math.max(openMs, maxOpenMs)),
    },
  };
}

function checkSource<V>(source: CacheSource<V> | undefined, writeMode: WriteMode): void {
  if (!['through', 'back', 'around'].includes(writeMode)) {
    throw new TypeError(`Expected writeMode to be through, back or around, got ${String(writeMode)}`);
  }
  if (source !== undefined) {
    callable('source.load', source.load);
    optionalCallable('source.write', source.write);
    optionalCallable('source.remove', source.remove);
  }
  if (writeMode !== 'through' && source?.write === undefined) {
    throw new TypeError(`Expected source.write to be a function where writeMode is ${writeMode}, got none`);
  }
}

function settleLock({
  leaseMs = 5000,
  waitMs = 5000,
  pollMs = 20,
}: LoadLockOptions): Required<LoadLockOptions> {
  return {
    leaseMs: positiveInteger('loadLock.leaseMs', leaseMs),
    waitMs: delayMs('loadLock.waitMs', waitMs),
    pollMs: delayMs('loadLock.pollMs', pollMs),
  };
}

function settleFilter(options: FilterOptions): SettledFilter {
  const { refillMs = Infinity } = options;
  const falsePositiveRate = options.falsePositiveRate ?? 0.01;
  if (!(falsePositiveRate > 0 && falsePositiveRate < 1)) {
    throw new TypeError(
      `Expected filter.falsePositiveRate to be between 0 and 1, got ${String(falsePositiveRate)}`,
    );
  }
  return {
    keys: callable('filter.keys', options.keys),
    expectedKeys: positiveInteger('filter.expectedKeys', options.expectedKeys),
    falsePositiveRate,
    refillMs: refillMs === Infinity ? refillMs : delayMs('filter.refillMs', refillMs),
  };
}

function settlePrefetch(options: PrefetchOptions, ttlMs: number): SettledPrefetch {
  return {
    ratio: share('prefetch.ratio', options.ratio),
    everyMs: delayMs('prefetch.everyMs', options.everyMs ?? Math.max(1, ttlMs / 10)),
    minReads: positiveInteger('prefetch.minReads', options.minReads ?? 2),
    concurrency: positiveInteger('prefetch.concurrency', options.concurrency ?? 4),
  };
}

function settleCodec({
  serializer = 'json',
  compression,
}: Pick<TieredCacheOptions, 'serializer' | 'compression'>): Codec {
  const { algorithm = 'gzip', minBytes = 1024 } = typeof compression === 'object' ? compression : {};
  if (algorithm !== 'gzip' && algorithm !== 'brotli') {
    throw new TypeError(`Expected compression.algorithm to be gzip or brotli, got ${String(algorithm)}`);
  }
  return {
    serializer: settleSerializer(serializer),
    compression: compression
      ? { algorithm, minBytes: positiveInteger('compression.minBytes', minBytes) }
      : undefined,
  };
}

function settleSerializer(serializer: 'json' | 'msgpack' | Serializer): Serializer {
  if (serializer === 'json') return jsonSerializer;
  if (serializer === 'msgpack') return msgpackSerializer();
  if (typeof serializer !== 'object') {
    throw new TypeError(`Expected serializer to be json, msgpack or an object, got ${String(serializer)}`);
  }
  const { id, encode, decode } = serializer;
  if (!(Number.isInteger(id) && id >= 1 && id <= 7)) {
    throw new TypeError(`Expected serializer.id to be an integer from 1 to 7, got ${String(id)}`);
  }
  callable('serializer.encode', encode);
  callable('serializer.decode', decode);
  return serializer;
}

function needs(what: string, present: boolean, options: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (value && !present)
      throw new TypeError(`Expected ${what} where there is the option ${name}, got none`);
  }
}

function atLeastZero(name: string, value: number): number {
  if (typeof value === 'number' && value >= 0 && value < Infinity) return value;
  throw new TypeError(`Expected ${name} to be a number of zero or more, got ${String(value)}`);
}

function share(name: string, value: number): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  throw new TypeError(`Expected ${name} to be a number from 0 to 1, got ${String(value)}`);
}
