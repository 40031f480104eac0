import { httpServerMetrics } from '../../../instrumentation/catalogue';
import { seriesOf } from '../promql';
import { slo } from '../thresholds';
import { type AlertRule, alert, type RecordingRule, type RuleFile } from './rule';

/** Pairs of windows and how many times faster than allowed the budget burns in both: Google's SRE workbook, chapter 5. */
export const burns = [
  { long: '1h', short: '5m', factor: 14.4, severity: 'critical', for: '2m' },
  { long: '6h', short: '30m', factor: 6, severity: 'critical', for: '5m' },
  { long: '1d', short: '2h', factor: 3, severity: 'warning', for: '15m' },
  { long: '3d', short: '6h', factor: 1, severity: 'warning', for: '30m' },
] as const;

const windows = ['5m', '30m', '1h', '2h', '6h', '1d', '3d'] as const;
const m = httpServerMetrics.duration;
const all = (window: string): string => `sum by (job) (rate(${seriesOf(m, '_count')}[${window}]))`;

/** What of all requests spends the budget, by window. */
const spent = {
  errors: (window: string): string =>
    `(sum by (job) (rate(${seriesOf(m, '_count', { 'error.type': '!=""' })}[${window}])) or 0 * ${all(window)}) / (${all(window)} > 0)`,
  slow: (window: string): string =>
    `1 - sum by (job) (rate(${seriesOf(m, '_bucket')}{le="${slo.seconds}"}[${window}])) / (${all(window)} > 0)`,
} as const;

export type RecordedKind = keyof typeof spent;

/** The series of the share that is spent, over a window of the list above. */
export const recorded = (kind: RecordedKind, window: (typeof windows)[number]): string =>
  `job:vitals_http_server_${kind}:ratio_rate${window}`;

function records(kind: RecordedKind): RecordingRule[] {
  return windows.map(window => ({ record: recorded(kind, window), expr: spent[kind](window) }));
}

function alerts(kind: RecordedKind, name: string, what: string, allowed: number): AlertRule[] {
  return burns.map(burn =>
    alert({
      name,
      severity: burn.severity,
      labels: { window: burn.long },
      for: burn.for,
      expr: [burn.long, burn.short]
        .map(window => `${recorded(kind, window)} > ${Number((burn.factor * allowed).toPrecision(6))}`)
        .join(' and '),
      summary: `{{ $value | humanizePercentage }} of the requests of {{ $labels.job }} ${what}`,
      description: `Over the last ${burn.long} and the last ${burn.short} that is ${burn.factor} times what the objective of ${100 * (1 - allowed)} % allows. The board HTTP has it by route.`,
      runbook: 'error-budget',
    }),
  );
}

/** Objectives for the service: answers without error, and in time. Alerts are for how fast their budget is spent. */
export function httpRules(): RuleFile {
  return {
    groups: [
      { name: 'otel-vitals-http-slo', rules: [...records('errors'), ...records('slow')] },
      {
        name: 'otel-vitals-http',
        rules: [
          ...alerts('errors', 'ErrorBudget', 'fail', slo.errors),
          ...alerts('slow', 'LatencyBudget', `take longer than ${slo.seconds} s`, slo.slow),
        ],
      },
    ],
  };
}
