import { selfMetrics } from '../../../instrumentation/catalogue';
import { everywhere, label, seriesOf } from '../promql';
import { thresholds } from '../thresholds';
import { alert, type RuleFile } from './rule';

const m = selfMetrics;
const who = '{{ $labels.job }} {{ $labels.instance }}';
const kind = label(m.uploads, 'profile.type');

/** Is what looks after everything else well itself. `VitalsWatchdog` always fires: who no longer gets it is blind. */
export function telemetryRules(): RuleFile {
  return {
    groups: [
      {
        name: 'otel-vitals-telemetry',
        rules: [
          alert({
            name: 'Watchdog',
            severity: 'info',
            expr: 'vector(1)',
            summary: 'alerting works',
            description:
              'This alert always fires. Send it to a service that calls you when it stays away: then Prometheus, Alertmanager or the way between is down.',
            runbook: 'telemetry',
          }),
          alert({
            name: 'ScrapeSlow',
            severity: 'warning',
            expr: `histogram_quantile(0.9, sum by (job, instance, le) (rate(${seriesOf(m.scrapeDuration, '_bucket')}[10m]))) > ${thresholds.scrapeSeconds.warning}`,
            for: '10m',
            summary: `scrapes of ${who} take {{ $value | humanizeDuration }}`,
            description: 'Usually there are too many series: vitals_self_series says how many, by meter.',
            runbook: 'telemetry',
          }),
          alert({
            name: 'CardinalityOverflow',
            severity: 'warning',
            expr: `sum by (job, instance) (increase(${everywhere(m.overflow)}[15m])) > 0`,
            for: '5m',
            summary: `${who} has more attribute sets than VITALS_CARDINALITY_LIMIT`,
            description: 'What comes past the limit is counted in one series, otel_metric_overflow="true".',
            runbook: 'telemetry',
          }),
          alert({
            name: 'ProfileUploadsFail',
            severity: 'warning',
            expr: `sum by (job, instance, ${kind}) (increase(${everywhere(m.uploadFailures)}[10m])) > 0`,
            for: '10m',
            summary: `Pyroscope does not take {{ $labels.${kind} }} profiles of ${who}`,
            description:
              'The log of the process says why at the first failure. The application is not affected.',
            runbook: 'telemetry',
          }),
        ],
      },
    ],
  };
}
