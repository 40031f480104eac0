import { cacheMetrics } from '../../../instrumentation/catalogue';
import { everywhere, label } from '../promql';
import { thresholds } from '../thresholds';
import { alert, type RuleFile } from './rule';

const m = cacheMetrics;
const who = '{{ $labels.job }} {{ $labels.instance }}';
const name = label(m.operations, 'cache.name');
const tier = label(m.operations, 'cache.tier');
const byTier = `by (job, instance, ${name}, ${tier})`;
const byCache = `by (job, instance, ${name})`;

/** Caches that no longer spare what is behind them. */
export function cacheRules(): RuleFile {
  const lookups = (results: string): string =>
    `sum ${byTier} (rate(${everywhere(m.operations, { 'cache.tier': '="l1"', 'cache.operation': '="get"', 'cache.result': results })}[10m]))`;
  const loads = (results: string): string =>
    `sum ${byCache} (rate(${everywhere(m.loads, { 'cache.load.result': results })}[5m]))`;
  return {
    groups: [
      {
        name: 'otel-vitals-cache',
        rules: [
          alert({
            name: 'CacheTierDown',
            severity: 'warning',
            expr: `${everywhere(m.available)} == 0`,
            for: '1m',
            summary: `${who} does without {{ $labels.${tier} }} of the cache {{ $labels.${name} }}`,
            description:
              'It failed or was too slow so often that it is left alone; what is behind it does its work.',
            runbook: 'cache-tier-down',
          }),
          alert({
            name: 'CacheHitsLow',
            severity: 'warning',
            // Only where many ask: the first requests after a start all miss.
            expr: `${lookups('=~"hit|stale|negative"')} / (${lookups('!~"error|bypassed"')} > 10) < ${thresholds.cacheHits.warning}`,
            for: '15m',
            summary: `the cache {{ $labels.${name} }} of ${who} finds {{ $value | humanizePercentage }} of what it is asked for`,
            description:
              'The keys have changed, the time to live is too short, or it is too small: see its evictions.',
            runbook: 'cache-low-hit-ratio',
          }),
          alert({
            name: 'CacheLoadsFail',
            severity: 'critical',
            expr: `${loads('="error"')} / (${loads('=~".+"')} > 0.1) > ${thresholds.failedShare.warning}`,
            for: '2m',
            summary: `{{ $value | humanizePercentage }} of the loads of the cache {{ $labels.${name} }} of ${who} fail`,
            description: 'What is behind the cache refuses. Stale entries are served as long as they may.',
            runbook: 'cache-loads-fail',
          }),
          alert({
            name: 'CacheBacklog',
            severity: 'critical',
            expr: `max ${byCache} (${everywhere(m.queueSize)}) / (max ${byCache} (${everywhere(m.queueLimit)}) > 0) > ${thresholds.queueShare.critical}`,
            for: '2m',
            summary: `{{ $value | humanizePercentage }} of the writes that the cache {{ $labels.${name} }} of ${who} may hold back wait`,
            description:
              'The source is too slow or refuses. From here on writers wait, and a crash would lose these writes.',
            runbook: 'cache-backlog',
          }),
        ],
      },
    ],
  };
}
