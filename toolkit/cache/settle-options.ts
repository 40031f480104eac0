import {
  callable,
  delayMs,
  listener,
  nonEmptyString,
  optionalCallable,
  positiveInteger,
  positiveIntegerOrInfinity,
} from '../options';
import type { LoadLockOptions } from './loading/load-lock';
import { sizeOf } from './memory/size-of';
import type {
  CacheSource,
  FilterOptions,
  MemoryTierOptions,
  PrefetchOptions,
  RedisTierOptions,
  SettledCacheOptions,
  SettledFilter,
  SettledMemoryTier,
  SettledPrefetch,
  SettledRemoteTier,
  TieredCacheOptions,
  WriteMode,
} from './options';
import type { Codec } from './remote/codec';
import { jsonSerializer, msgpackSerializer, type Serializer } from './remote/serializers';
import { settleWriteBack } from './writing/write-back-options';

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
