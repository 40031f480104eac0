import { getTimeBounds, loadTimeBounds } from '../../toolkit/cache/stats';
import { attribute, metric } from './define';

const meter = 'cache';
const cacheName = attribute('cache.name', "The cache's name as its maker gave it", {
  bound: 'caches the application makes',
});
const tier = attribute('cache.tier', 'Tier of the cache', { values: ['l1', 'l2', 'l3'] });
const operation = attribute('cache.operation', 'What was asked of the tier', {
  values: ['get', 'set', 'delete'],
});
const result = attribute('cache.result', 'How it ended', {
  values: ['hit', 'miss', 'stale', 'negative', 'ok', 'error', 'bypassed'],
});
const loadResult = attribute('cache.load.result', 'How the loader ended', {
  values: ['ok', 'absent', 'error'],
});
const reason = attribute('cache.eviction.reason', 'Why the entry left', {
  bound: 'the reasons of the toolkit, about five',
});

const refreshReason = attribute('cache.refresh.reason', 'Why it was loaded again in the background', {
  values: ['early', 'stale', 'prefetch'],
});
const lockOutcome = attribute('cache.lock.outcome', 'What came of asking for the lock', {
  values: ['acquired', 'waited', 'timeout', 'error'],
});
const writeOutcome = attribute('cache.writeback.outcome', 'What became of the write', {
  values: ['written', 'superseded', 'lost'],
});
const direction = attribute('cache.invalidation.direction', 'Whether others were told or told this process', {
  values: ['sent', 'received'],
});

export const cacheMetrics = {
  operations: metric(
    meter,
    'vitals.cache.operations',
    'counter',
    '{operation}',
    'Operations on a tier of a cache',
    {
      attributes: [cacheName, tier, operation, result],
    },
  ),
  entries: metric(
    meter,
    'vitals.cache.entries',
    'gauge',
    '{entry}',
    'Entries a tier holds, where it can tell',
    {
      attributes: [cacheName, tier],
    },
  ),
  entriesLimit: metric(meter, 'vitals.cache.entries.limit', 'gauge', '{entry}', 'Most entries a tier holds', {
    attributes: [cacheName, tier],
  }),
  size: metric(meter, 'vitals.cache.size', 'gauge', 'By', 'Bytes that a tier holds, where bytes bound it', {
    attributes: [cacheName, tier],
  }),
  sizeLimit: metric(meter, 'vitals.cache.size.limit', 'gauge', 'By', 'Most bytes a tier holds', {
    attributes: [cacheName, tier],
  }),
  available: metric(
    meter,
    'vitals.cache.tier.available',
    'gauge',
    '{tier}',
    'Shared tiers that are asked: of one cache 1, or 0 while its circuit breaker is open',
    { attributes: [cacheName, tier] },
  ),
  tierDuration: metric(
    meter,
    'vitals.cache.tier.duration',
    'histogram',
    's',
    'Time of a read of a shared tier',
    {
      attributes: [cacheName, tier],
      buckets: getTimeBounds,
    },
  ),
  evictions: metric(
    meter,
    'vitals.cache.evictions',
    'counter',
    '{entry}',
    'Entries dropped by the cache itself',
    {
      attributes: [cacheName, tier, reason],
    },
  ),
  loads: metric(
    meter,
    'vitals.cache.loads',
    'counter',
    '{load}',
    'Values loaded from the source behind the cache',
    {
      attributes: [cacheName, loadResult],
    },
  ),
  loadDuration: metric(meter, 'vitals.cache.load.duration', 'histogram', 's', 'Time the loader took', {
    attributes: [cacheName],
    buckets: loadTimeBounds,
  }),
  getDuration: metric(
    meter,
    'vitals.cache.operation.duration',
    'histogram',
    's',
    'Time of a lookup over all tiers, without the load that follows a miss',
    { attributes: [cacheName], buckets: getTimeBounds },
  ),
  suppressed: metric(
    meter,
    'vitals.cache.stampede.suppressed',
    'counter',
    '{load}',
    'Loads not made because one for the same key was under way',
    { attributes: [cacheName] },
  ),
  refreshes: metric(
    meter,
    'vitals.cache.refreshes',
    'counter',
    '{refresh}',
    'Entries loaded again in the background',
    { attributes: [cacheName, refreshReason] },
  ),
  filtered: metric(
    meter,
    'vitals.cache.filtered',
    'counter',
    '{lookup}',
    'Lookups that the filter of existing keys answered',
    { attributes: [cacheName] },
  ),
  locks: metric(
    meter,
    'vitals.cache.load.locks',
    'counter',
    '{lock}',
    'Requests for the lock under which processes load',
    { attributes: [cacheName, lockOutcome] },
  ),
  writes: metric(
    meter,
    'vitals.cache.writeback.writes',
    'counter',
    '{write}',
    'Writes accepted to be written back, once it is known what became of them',
    { attributes: [cacheName, writeOutcome] },
  ),
  writeRetries: metric(
    meter,
    'vitals.cache.writeback.retries',
    'counter',
    '{attempt}',
    'Attempts to write back that failed and are repeated',
    { attributes: [cacheName] },
  ),
  queueSize: metric(
    meter,
    'vitals.cache.writeback.queue.size',
    'gauge',
    '{key}',
    'Keys whose value is still to be written back',
    { attributes: [cacheName] },
  ),
  queueLimit: metric(
    meter,
    'vitals.cache.writeback.queue.limit',
    'gauge',
    '{key}',
    'Most keys whose value may be still to be written back',
    { attributes: [cacheName] },
  ),
  invalidations: metric(
    meter,
    'vitals.cache.invalidations',
    'counter',
    '{invalidation}',
    'Messages between processes of what was written',
    { attributes: [cacheName, direction] },
  ),
  repairs: metric(
    meter,
    'vitals.cache.repairs.pending',
    'gauge',
    '{key}',
    'Keys that a shared tier has outdated until it can be reached again',
    { attributes: [cacheName] },
  ),
} as const;
