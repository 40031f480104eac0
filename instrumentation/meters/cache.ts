import { type CacheStats, cacheSource, type TierStats } from '../../toolkit/cache/stats';
import { cacheMetrics as m } from '../catalogue/cache';
import { meterSources, type SourceSeries, seriesOf } from './sources';

const { counter, gauge, histogram } = seriesOf<CacheStats>();

const tier = (
  tier: 'l1' | 'l2',
  of: (stats: CacheStats) => TierStats | undefined,
): SourceSeries<CacheStats>[] => {
  const at = { 'cache.tier': tier };
  const operation = (
    operation: string,
    result: string,
    read: (tier: TierStats) => number,
  ): SourceSeries<CacheStats> =>
    counter(m.operations, { ...at, 'cache.operation': operation, 'cache.result': result }, stats => {
      const tier = of(stats);
      return tier && read(tier);
    });
  return [
    operation('get', 'hit', tier => tier.hits),
    operation('get', 'miss', tier => tier.misses),
    operation('get', 'error', tier => tier.errors.get),
    operation('set', 'ok', tier => tier.sets),
    operation('set', 'error', tier => tier.errors.set),
    operation('delete', 'ok', tier => tier.deletes),
    operation('delete', 'error', tier => tier.errors.delete),
    ...(['capacity', 'expired'] as const).map(reason =>
      counter(m.evictions, { ...at, 'cache.eviction.reason': reason }, stats => of(stats)?.evictions[reason]),
    ),
    gauge(m.entries, at, stats => of(stats)?.entries),
    gauge(m.limit, at, stats => of(stats)?.limit),
  ];
};

/** The toolkit's caches. */
export const meterCache = meterSources<CacheStats>(cacheSource, name => ({ 'cache.name': name }), [
  ...tier('l1', stats => stats.l1),
  ...tier('l2', stats => stats.l2),
  counter(m.loads, { 'cache.load.result': 'ok' }, stats => stats.loads.ok),
  counter(m.loads, { 'cache.load.result': 'error' }, stats => stats.loads.error),
  counter(m.suppressed, {}, stats => stats.stampedeSuppressed),
  histogram(m.loadDuration, {}, stats => stats.loadTime),
  histogram(m.getDuration, {}, stats => stats.getTime),
]);
