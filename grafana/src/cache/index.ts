import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { cacheMetrics } from '../../../instrumentation/catalogue';
import { dashboard, type Section } from '../board';
import { timeseries } from '../panels';
import { label, max, quantile, rate, series, sum } from '../promql';
import { thresholds } from '../thresholds';
import { byCache, byTier, cacheLegend, hitShare, name, tier, tierLegend } from './ratios';

const m = cacheMetrics;
const operation = label(m.operations, 'cache.operation');
const result = label(m.operations, 'cache.result');
const reason = label(m.evictions, 'cache.eviction.reason');
const loadResult = label(m.loads, 'cache.load.result');

const tiers: Section = {
  title: 'Tiers',
  panels: [
    timeseries({
      title: 'Hits, as a share of lookups',
      description:
        'Lookups of a tier that found the key. Normal: level, and high in l1. Falling: keys have changed, the time to live is too short, or the tier is too small; read it beside evictions and lookups.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      queries: [{ expr: hitShare, legend: tierLegend }],
    }),
    timeseries({
      title: 'Operations by result',
      description:
        'Operations a second on each tier. Normal: hits, few misses, no errors. Errors: the tier is down or slow, and the cache goes on without it.',
      unit: 'ops',
      width: 8,
      queries: [
        {
          expr: sum(rate(series(m.operations)), [...byTier, operation, result]),
          legend: `${tierLegend} {{${operation}}} {{${result}}}`,
        },
      ],
    }),
    timeseries({
      title: 'Entries',
      description:
        'Entries that a tier holds, where it can tell, and the most that it may. Normal: at the limit once warm, if the hits are high.',
      unit: 'short',
      width: 8,
      decimals: 0,
      queries: [
        { expr: max(series(m.entries), byTier), legend: tierLegend },
        { expr: max(series(m.entriesLimit), byTier), legend: `${tierLegend} limit`, limit: true },
      ],
    }),
    timeseries({
      title: 'Bytes',
      description:
        'Bytes that a tier holds, where bytes bound it, and the most that it may. Normal: at the limit once warm.',
      unit: 'bytes',
      width: 8,
      queries: [
        { expr: max(series(m.size), byTier), legend: tierLegend },
        { expr: max(series(m.sizeLimit), byTier), legend: `${tierLegend} limit`, limit: true },
      ],
    }),
    timeseries({
      title: 'Tiers that answer',
      description:
        'Whether a tier is in use: 0 while it failed so often that it is left alone. Normal: 1. At 0 the tiers further out and the source do its work: see that Redis is there and in time.',
      unit: 'short',
      width: 8,
      decimals: 0,
      queries: [
        { expr: `min by (job, instance, ${name}, ${tier}) (${series(m.available)})`, legend: tierLegend },
      ],
    }),
    timeseries({
      title: 'Tier p99',
      description:
        'The 99th percentile of what is asked of one tier. Normal: a millisecond from Redis. Rising: Redis or the network is slow, or the event loop late.',
      unit: 's',
      width: 8,
      thresholds: thresholds.lookupSeconds,
      queries: [{ expr: quantile(0.99, m.tierDuration, byTier), legend: tierLegend }],
    }),
    timeseries({
      title: 'Evictions by reason',
      description:
        'Entries a second that the cache dropped by itself. Normal: expired. Capacity high with few hits: the tier is too small for the keys in use.',
      unit: 'ops',
      width: 8,
      queries: [
        { expr: sum(rate(series(m.evictions)), [...byTier, reason]), legend: `${tierLegend} {{${reason}}}` },
      ],
    }),
    timeseries({
      title: 'Lookup p99',
      description:
        'The 99th percentile of a lookup over all tiers, without the load that follows a miss. Normal: microseconds from l1, a millisecond from Redis. Higher: Redis is slow or far.',
      unit: 's',
      width: 8,
      thresholds: thresholds.lookupSeconds,
      queries: [{ expr: quantile(0.99, m.getDuration, byCache), legend: cacheLegend }],
    }),
    timeseries({
      title: 'Lookups a second',
      description: 'Lookups over all tiers. Normal: follows the traffic.',
      unit: 'ops',
      width: 8,
      queries: [{ expr: sum(rate(series(m.getDuration, {}, '_count')), byCache), legend: cacheLegend }],
    }),
  ],
};

const loads: Section = {
  title: 'Loads from what is behind the cache',
  panels: [
    timeseries({
      title: 'Loads by result',
      description:
        'Values a second that the loader fetched. Normal: about the misses of the last tier. A peak at once: many keys expired together; spread their time to live.',
      unit: 'ops',
      width: 8,
      queries: [
        {
          expr: sum(rate(series(m.loads)), [...byCache, loadResult]),
          legend: `${cacheLegend} {{${loadResult}}}`,
        },
      ],
    }),
    timeseries({
      title: 'Load p99',
      description:
        'The 99th percentile of the loader. Normal: that of its query. This is what a miss costs a user.',
      unit: 's',
      width: 8,
      queries: [{ expr: quantile(0.99, m.loadDuration, byCache), legend: cacheLegend }],
    }),
    timeseries({
      title: 'Loads spared',
      description:
        'Loads a second that were not made because one for the same key was under way: what would have been a stampede. Normal: few. Many: a hot key expires under load; refresh it early.',
      unit: 'ops',
      width: 8,
      queries: [{ expr: sum(rate(series(m.suppressed)), byCache), legend: cacheLegend }],
    }),
  ],
};

const refreshReason = label(m.refreshes, 'cache.refresh.reason');
const lockOutcome = label(m.locks, 'cache.lock.outcome');
const writeOutcome = label(m.writes, 'cache.writeback.outcome');
const direction = label(m.invalidations, 'cache.invalidation.direction');

const upkeep: Section = {
  title: 'Refreshing, writing back, and other processes',
  panels: [
    timeseries({
      title: 'Refreshes by reason',
      description:
        'Loads a second before anybody had to wait for them: early, because the entry was stale, or because it is asked for often; and lookups that a filter answered, because the key can not exist. Normal: some of the loads.',
      unit: 'ops',
      width: 8,
      queries: [
        {
          expr: sum(rate(series(m.refreshes)), [...byCache, refreshReason]),
          legend: `${cacheLegend} {{${refreshReason}}}`,
        },
        { expr: sum(rate(series(m.filtered)), byCache), legend: `${cacheLegend} filtered` },
      ],
    }),
    timeseries({
      title: 'Locks for loads',
      description:
        'Loads a second that asked for the lock that all processes share, by what came of it. Normal: acquired, and waited where another process loaded. Timeout and error: the load was made without it.',
      unit: 'ops',
      width: 8,
      queries: [
        {
          expr: sum(rate(series(m.locks)), [...byCache, lockOutcome]),
          legend: `${cacheLegend} {{${lockOutcome}}}`,
        },
      ],
    }),
    timeseries({
      title: 'Writes that wait to be written back',
      description:
        'Writes that were acknowledged and are not yet in the source, and the most that may be. Normal: a few. Growing: the source is slow or refuses; a crash would lose them.',
      unit: 'short',
      width: 8,
      decimals: 0,
      queries: [
        { expr: max(series(m.queueSize), byCache), legend: cacheLegend },
        { expr: max(series(m.queueLimit), byCache), legend: `${cacheLegend} limit`, limit: true },
      ],
    }),
    timeseries({
      title: 'Written back',
      description:
        'Writes a second by how they ended, and attempts after the first. Normal: written, and superseded by newer ones of the same key. Lost: given up at the end of the process or after all retries.',
      unit: 'ops',
      width: 12,
      queries: [
        {
          expr: sum(rate(series(m.writes)), [...byCache, writeOutcome]),
          legend: `${cacheLegend} {{${writeOutcome}}}`,
        },
        { expr: sum(rate(series(m.writeRetries)), byCache), legend: `${cacheLegend} retries` },
      ],
    }),
    timeseries({
      title: 'Invalidations between processes',
      description:
        'Invalidations a second that were sent to and received from other processes, and on the right entries whose invalidation could not be sent yet. Normal: received is sent times the other processes, none pending.',
      unit: 'ops',
      width: 12,
      queries: [
        {
          expr: sum(rate(series(m.invalidations)), [...byCache, direction]),
          legend: `${cacheLegend} {{${direction}}}`,
        },
        { expr: max(series(m.repairs), byCache), legend: `${cacheLegend} pending`, unit: 'short' },
      ],
    }),
  ],
};

/** The board **Cache**: tiers by name, and the loads behind them. */
export function cacheBoard(): Dashboard {
  return dashboard({
    uid: 'otel-vitals-cache',
    title: 'Cache',
    description:
      'Caches of the toolkit by name and tier: whether they hit, what they evict, and what their misses cost the database behind them. A falling share of hits shows here before the database feels it.',
    tags: ['nodejs', 'cache'],
    sections: [tiers, loads, upkeep],
  });
}
