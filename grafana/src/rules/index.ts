import { processMetrics } from '../../../instrumentation/catalogue';
import { everywhere } from '../promql';
import { thresholds } from '../thresholds';
import type { RuleFile } from './rule';

/** The first alerts: is the process there, and does it stay. */
export function processRules(): RuleFile {
  const started = everywhere(processMetrics.startTime);
  return {
    groups: [
      {
        name: 'otel-vitals-process',
        rules: [
          {
            alert: 'VitalsTargetDown',
            // Only what Prometheus has seen as ours: other targets of the same server are not ours to judge.
            expr: `up == 0 and on (job, instance) count_over_time(${started}[1d])`,
            for: '1m',
            labels: { severity: 'critical' },
            annotations: {
              summary: '{{ $labels.job }} {{ $labels.instance }} does not answer scrapes',
              description:
                'Prometheus could not scrape {{ $labels.instance }} of {{ $labels.job }} for a minute. Either the process is gone, its event loop is blocked, or the network between is.',
            },
          },
          {
            alert: 'VitalsRestartLoop',
            expr: `changes(${started}[10m]) >= ${thresholds.restarts.critical}`,
            labels: { severity: 'critical' },
            annotations: {
              summary: '{{ $labels.job }} {{ $labels.instance }} keeps restarting',
              description:
                '{{ $labels.instance }} of {{ $labels.job }} restarted {{ $value }} times in the last ten minutes. Read its log before each start; where there is none, look at memory against its limit.',
            },
          },
        ],
      },
    ],
  };
}
