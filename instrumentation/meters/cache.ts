import { type CacheStats, cacheSource, type TierStats } from '../../toolkit/cache/stats';
import { cacheMetrics as m } from '../catalogue/cache';
import { meterSources, type SourceSeries, seriesOf } from './sources';

const { counter, gauge, histogram } = seriesOf<CacheStats>();

const tier = (tier: 'l1' | 'l2' | 'l3'): SourceSeries<CacheStats>[] => {
  const at = { 'cache.tier': tier };
  const of = (stats: CacheStats): TierStats | undefined => stats[tier];
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
    operation('get', 'stale', tier => tier.stale),
    operation('get', 'negative', tier => tier.negative),
    operation('get', 'miss', tier => tier.misses),
    operation('get', 'error', tier => tier.errors.get),
    operation('get', 'bypassed', tier => tier.bypassed.get),
    operation('set', 'ok', tier => tier.sets),
    operation('set', 'error', tier => tier.errors.set),
    operation('set', 'bypassed', tier => tier.bypassed.set),
    operation('delete', 'ok', tier => tier.deletes),
    operation('delete', 'error', tier => tier.errors.delete),
    operation('delete', 'bypassed', tier => tier.bypassed.delete),
    ...(['capacity', 'expired'] as const).map(reason =>
      counter(m.evictions, { ...at, 'cache.eviction.reason': reason }, stats => of(stats)?.evictions[reason]),
    ),
    gauge(m.entries, at, stats => of(stats)?.entries),
    gauge(m.entriesLimit, at, stats => of(stats)?.limit),
    gauge(m.size, at, stats => of(stats)?.bytes),
    gauge(m.sizeLimit, at, stats => of(stats)?.byteLimit),
    gauge(m.available, at, stats => {
      const breaker = of(stats)?.breaker;
      return breaker && (breaker === 'closed' ? 1 : 0);
    }),
    histogram(m.tierDuration, at, stats => of(stats)?.time),
  ];
};

/** The toolkit's caches. */
export const meterCache = meterSources<CacheStats>(cacheSource, name => ({ 'cache.name': name }), [
  ...tier('l1'),
  ...tier('l2'),
  ...tier('l3'),
  ...(['ok', 'absent', 'error'] as const).map(result =>
    counter(m.loads, { 'cache.load.result': result }, ({ loads }) => loads[result]),
  ),
  ...(['early', 'stale', 'prefetch'] as const).map(reason =>
    counter(m.refreshes, { 'cache.refresh.reason': reason }, ({ refreshes }) => refreshes[reason]),
  ),
  counter(m.suppressed, {}, stats => stats.stampedeSuppressed),
  counter(m.filtered, {}, stats => stats.filtered),
  counter(m.locks, { 'cache.lock.outcome': 'acquired' }, ({ lock }) => lock?.acquired),
  counter(m.locks, { 'cache.lock.outcome': 'waited' }, ({ lock }) => lock?.waited),
  counter(m.locks, { 'cache.lock.outcome': 'timeout' }, ({ lock }) => lock?.timeouts),
  counter(m.locks, { 'cache.lock.outcome': 'error' }, ({ lock }) => lock?.errors),
  ...(['written', 'superseded', 'lost'] as const).map(outcome =>
    counter(m.writes, { 'cache.writeback.outcome': outcome }, ({ writeBack }) => writeBack?.[outcome]),
  ),
  counter(m.writeRetries, {}, ({ writeBack }) => writeBack?.retries),
  gauge(m.queueSize, {}, ({ writeBack }) => writeBack?.pending),
  gauge(m.queueLimit, {}, ({ writeBack }) => writeBack?.limit),
  counter(m.invalidations, { 'cache.invalidation.direction': 'sent' }, stats => stats.invalidations.sent),
  counter(
    m.invalidations,
    { 'cache.invalidation.direction': 'received' },
    stats => stats.invalidations.received,
  ),
  gauge(m.repairs, {}, stats => stats.invalidations.repairs),
  histogram(m.loadDuration, {}, stats => stats.loadTime),
  histogram(m.getDuration, {}, stats => stats.getTime),
]);
