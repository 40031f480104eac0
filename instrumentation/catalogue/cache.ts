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
  values: ['hit', 'miss', 'stale', 'negative', 'ok', 'error'],
});
const loadResult = attribute('cache.load.result', 'How the loader ended', { values: ['ok', 'error'] });
const reason = attribute('cache.eviction.reason', 'Why the entry left', {
  bound: 'the reasons of the toolkit, about five',
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
  limit: metric(meter, 'vitals.cache.size.limit', 'gauge', '{entry}', 'Most entries a tier holds', {
    attributes: [cacheName, tier],
  }),
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
} as const;
