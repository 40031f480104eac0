import { processMetrics } from '../../../instrumentation/catalogue';
import { everywhere } from '../promql';
import { thresholds } from '../thresholds';
import { alert, levels, type RuleFile } from './rule';

/** Is the process there, does it stay, and does it have the room that it needs. */
export function processRules(): RuleFile {
  const m = processMetrics;
  const started = everywhere(m.startTime);
  const share = (used: string, limit: string): string => `${used} / (${limit} > 0)`;
  return {
    groups: [
      {
        name: 'otel-vitals-process',
        rules: [
          alert({
            name: 'TargetDown',
            severity: 'critical',
            // Only what Prometheus has seen as ours: other targets of the same server are not ours to judge.
            expr: `up == 0 and on (job, instance) count_over_time(${started}[1d])`,
            for: '1m',
            summary: '{{ $labels.job }} {{ $labels.instance }} does not answer scrapes',
            description:
              'Prometheus could not scrape {{ $labels.instance }} of {{ $labels.job }} for a minute. Either the process is gone, its event loop is blocked, or the network between is.',
            runbook: 'target-down',
          }),
          alert({
            name: 'ServiceAbsent',
            severity: 'critical',
            expr: `count by (job) (count_over_time(${started}[1h])) unless on (job) count by (job) (${started})`,
            for: '2m',
            summary: 'no process of {{ $labels.job }} reports any more',
            description:
              '{{ $labels.job }} had {{ $value }} processes within the last hour, and none reports now. If it was not taken down on purpose, nothing serves its requests.',
            runbook: 'target-down',
          }),
          alert({
            name: 'RestartLoop',
            severity: 'critical',
            expr: `changes(${started}[10m]) >= ${thresholds.restarts.critical}`,
            summary: '{{ $labels.job }} {{ $labels.instance }} keeps restarting',
            description:
              '{{ $labels.instance }} of {{ $labels.job }} restarted {{ $value }} times in the last ten minutes. Read its log before each start; where there is none, look at memory against its limit.',
            runbook: 'restart-loop',
          }),
          ...levels({
            name: 'MemoryNearLimit',
            expr: share(everywhere(m.memoryUsage), everywhere(m.memoryLimit)),
            warning: { for: '10m', threshold: thresholds.memoryShare.warning },
            critical: { for: '2m', threshold: thresholds.memoryShare.critical },
            summary:
              '{{ $labels.job }} {{ $labels.instance }} has used {{ $value | humanizePercentage }} of its memory',
            description:
              'At the limit the kernel kills the process without a word in its log. See on the board Runtime whether heap, buffers or native memory grows.',
            runbook: 'memory-headroom',
          }),
          ...levels({
            name: 'FileDescriptorsNearLimit',
            expr: share(everywhere(m.fileDescriptors), everywhere(m.fileDescriptorLimit)),
            warning: { for: '10m', threshold: thresholds.fileDescriptorShare.warning },
            critical: { for: '2m', threshold: thresholds.fileDescriptorShare.critical },
            summary:
              '{{ $labels.job }} {{ $labels.instance }} has {{ $value | humanizePercentage }} of its file descriptors open',
            description:
              'At the limit no connection is accepted and no file opened (EMFILE). Sockets or files are not closed, or the limit is low for the connections there are.',
            runbook: 'file-descriptors',
          }),
        ],
      },
    ],
  };
}
