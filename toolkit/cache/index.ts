export type { HistogramSnapshot } from '../histogram';
export type { MemoryTierOptions } from './memory-tier';
export type { RedisClient, RedisTierOptions } from './redis-tier';
export { L2TimeoutError, L2UnavailableError } from './redis-tier';
export type { CacheStats, EvictionStats, LoadStats, TierStats } from './stats';
export type { TieredCacheOptions } from './tiered-cache';
export { TieredCache } from './tiered-cache';
