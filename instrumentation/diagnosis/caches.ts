import { type CacheStats, cacheSource, type TierStats } from '../../toolkit/cache/stats';
import { liveSources, type Source } from '../../toolkit/sources';
import { guarded } from '../guard';
import type { Log } from '../log';
import type { Findings } from './findings';
import { createRises } from './rises';

/** Lookups between two looks from which a share says something: 100 a second. */
const muchTraffic = 1000;
/** Share of lookups below which a cache spares little. */
const lowHitRatio = 0.5;
/** Callers that met behind one another's loads between two looks, and per load, from which they are a crowd. */
const crowd = 100;
const crowdPerLoad = 10;
/** Share of the queue of writes from which it is about to be full. */
const nearlyFull = 0.8;

/** Finds caches that spare little, whose callers crowd before absent keys, that fall behind or have lost a tier. */
export function watchCaches(findings: Findings, log: Log): { look(): void } {
  const getsOf = createRises();
  const answeredBy = createRises();
  const suppressedBy = createRises();
  const loadsOf = createRises();
  const lostBy = createRises();

  const lookAtTraffic = (
    { name }: Source,
    rises: Record<'gets' | 'answered' | 'crowding' | 'loads', number>,
  ): void => {
    const { gets, answered, crowding, loads } = rises;
    const ratio = gets === 0 ? 1 : answered / gets;
    if (gets >= muchTraffic && ratio < lowHitRatio) {
      findings.report('cache_low_hit_ratio', name, {
        gets,
        hit_ratio: Math.round(ratio * 1000) / 1000,
        loads,
      });
    }
    if (crowding >= crowd && crowding >= loads * crowdPerLoad) {
      findings.report('cache_stampede', name, { waited: crowding, loads });
    }
  };

  const lookAtTier = (cache: string, tier: string, stats: TierStats | undefined): void => {
    if (stats?.breaker === undefined || stats.breaker === 'closed') return;
    findings.report('cache_tier_down', `${cache} ${tier}`, {
      opened: stats.opened ?? 0,
      errors: stats.errors.get + stats.errors.set + stats.errors.delete,
      bypassed: stats.bypassed.get + stats.bypassed.set + stats.bypassed.delete,
    });
  };

  const look = guarded(log, 'looking at a cache', (source: Source<CacheStats>): void => {
    const { gets, hits, absent, loads, stampedeSuppressed, writeBack, l2, l3 } = source.stats();
    lookAtTraffic(source, {
      gets: getsOf(source, gets),
      answered: answeredBy(source, hits + absent),
      crowding: suppressedBy(source, stampedeSuppressed),
      loads: loadsOf(source, loads.ok + loads.absent + loads.error),
    });
    lookAtTier(source.name, 'l2', l2);
    lookAtTier(source.name, 'l3', l3);
    if (writeBack === undefined) return;
    const { pending, limit, waiting, retries, lost } = writeBack;
    const lostNow = lostBy(source, lost);
    if (pending < limit * nearlyFull && waiting === 0 && lostNow === 0) return;
    findings.report('cache_backlog', source.name, { pending, limit, waiting, retries, lost: lostNow });
  });

  return {
    look() {
      for (const source of liveSources<CacheStats>(cacheSource.kind, cacheSource.layout)) look(source);
    },
  };
}
