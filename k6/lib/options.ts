import type { Options } from 'k6/options';
import { trendStats } from './summary.ts';

/** The options of a scenario file: its scenarios, their thresholds, and what all files share. */
export function optionsOf(
  scenarios: NonNullable<Options['scenarios']>,
  thresholds: NonNullable<Options['thresholds']>,
): Options {
  return { scenarios, thresholds, summaryTrendStats: trendStats, userAgent: 'mall-k6' };
}
