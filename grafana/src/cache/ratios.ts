import { cacheMetrics } from '../../../instrumentation/catalogue';
import { label, perInstance, rate, series, sum } from '../promql';

const m = cacheMetrics;
export const name = label(m.operations, 'cache.name');
export const tier = label(m.operations, 'cache.tier');

export const byCache = [...perInstance, name];
export const byTier = [...perInstance, name, tier];
export const cacheLegend = `{{instance}} {{${name}}}`;
export const tierLegend = `${cacheLegend} {{${tier}}}`;

const lookups = (match: string): string =>
  sum(rate(series(m.operations, { 'cache.operation': '="get"', 'cache.result': match })), byTier);

/** Of the lookups of a tier that were answered, the share that found the key, be it stale or known to be absent. */
export const hitShare = `(${lookups('=~"hit|stale|negative"')}
  or 0 * ${lookups('!~"error|bypassed"')})
  / (${lookups('!~"error|bypassed"')} > 0)`;
