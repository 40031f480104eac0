export type { HistogramSnapshot } from '../histogram';
export type { CacheTier } from './errors';
export {
  CacheBacklogError,
  CacheClosedError,
  CacheEntryUnreadableError,
  CachePackageMissingError,
  CacheTierTimeoutError,
  CacheTierUnavailableError,
} from './errors';
export type { RedisSubscriber } from './invalidation/messages';
export type { LoadLockOptions } from './loading/load-lock';
export type { EntryOptions } from './loading/loader';
export type { WarmUpOptions, WarmUpProgress } from './loading/warm-up';
export type {
  CacheSource,
  EvictionPolicy,
  FilterOptions,
  InvalidationOptions,
  MemoryTierOptions,
  PrefetchOptions,
  RedisTierOptions,
  TieredCacheOptions,
  WriteMode,
} from './options';
export type { BreakerOptions, BreakerState } from './remote/breaker';
export type { RedisClient } from './remote/commands';
export type { CompressionAlgorithm } from './remote/compression';
export type { ProtobufType, Serializer } from './remote/serializers';
export { jsonSerializer, msgpackSerializer, protobufSerializer } from './remote/serializers';
export type {
  CacheStats,
  EvictionStats,
  InvalidationStats,
  LoadLockStats,
  LoadStats,
  TierStats,
  WriteBackStats,
} from './stats';
export { TieredCache } from './tiered-cache';
export type { LostWrite, UnwrittenWrite, WriteBackOptions } from './writing/write-back-options';
