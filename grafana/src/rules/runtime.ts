import {
  diagnosisMetrics,
  eventLoopMetrics,
  gcMetrics,
  heapMetrics,
} from '../../../instrumentation/catalogue';
import { everywhere, label, seriesOf } from '../promql';
import { thresholds } from '../thresholds';
import { alert, levels, type RuleFile } from './rule';

const who = '{{ $labels.job }} {{ $labels.instance }}';
const day = 86_400;
const hour = 3600;

/** What Node.js itself suffers from, and what the process found wrong with itself. */
export function runtimeRules(): RuleFile {
  const unforced = { 'vitals.gc.forced': '=""' } as const;
  const code = label(diagnosisMetrics.findings, 'finding.code');
  const finding = (severity: 'critical' | 'warning'): string =>
    `max by (job, instance, ${code}) (${everywhere(diagnosisMetrics.findings, { 'finding.severity': `="${severity}"` })}) > 0`;
  return {
    groups: [
      {
        name: 'otel-vitals-runtime',
        rules: [
          ...levels({
            name: 'EventLoopDelay',
            expr: everywhere(eventLoopMetrics.p99),
            warning: { for: '5m', threshold: thresholds.eventLoopDelaySeconds.warning },
            critical: { for: '2m', threshold: thresholds.eventLoopDelaySeconds.critical },
            summary: `the event loop of ${who} is late by {{ $value | humanizeDuration }}`,
            description:
              'One in a hundred timers runs this late, and so does each step of each request. /debug/pprof/block names what blocks, a CPU profile what is busy.',
            runbook: 'event-loop-delay',
          }),
          alert({
            name: 'EventLoopBusy',
            severity: 'warning',
            expr: `${everywhere(eventLoopMetrics.utilization)} > ${thresholds.eventLoopUtilization.critical}`,
            for: '10m',
            summary: `the event loop of ${who} is busy for {{ $value | humanizePercentage }} of the time`,
            description:
              'Requests queue behind each other, and their latency rises steeply from here. Add processes, or move CPU work to worker threads.',
            runbook: 'event-loop-delay',
          }),
          alert({
            name: 'EventLoopStalls',
            severity: 'warning',
            expr: `60 * rate(${seriesOf(eventLoopMetrics.stall, '_count')}[5m]) > ${thresholds.stallsPerMinute.warning}`,
            for: '5m',
            summary: `the event loop of ${who} is blocked {{ $value | humanize }} times a minute`,
            description:
              'Each is one piece of code that ran for longer than VITALS_STALL_MS without a pause. The finding event_loop_stall has its stack.',
            runbook: 'event-loop-stall',
          }),
          ...levels({
            name: 'HeapNearLimit',
            expr: `${everywhere(heapMetrics.live)} / ${everywhere(heapMetrics.oldGenerationLimit)}`,
            warning: { for: '10m', threshold: thresholds.liveShare.warning },
            critical: { for: '2m', threshold: thresholds.liveShare.critical },
            summary: `{{ $value | humanizePercentage }} of the old generation of ${who} is alive`,
            description:
              'What is alive after a collection is near the limit: the process collects for longer and longer, and then dies of "heap out of memory".',
            runbook: 'heap-headroom',
          }),
          ...levels({
            name: 'HeapExhaustion',
            expr: everywhere(diagnosisMetrics.timeToExhaustion),
            operator: '<',
            warning: { for: '5m', threshold: day },
            critical: { for: '5m', threshold: hour },
            summary: `the heap of ${who} is full in {{ $value | humanizeDuration }} at its pace`,
            description:
              'It grows as a leak does. GET /vitals and the finding heap_leak name the places whose allocations stay.',
            runbook: 'heap-leak',
          }),
          ...levels({
            name: 'GcPauses',
            expr: `sum by (job, instance) (rate(${seriesOf(gcMetrics.duration, '_sum', unforced)}[5m]))`,
            warning: { for: '15m', threshold: thresholds.gcPauseShare.warning },
            critical: { for: '5m', threshold: thresholds.gcPauseShare.critical },
            summary: `${who} spends {{ $value | humanizePercentage }} of its time in garbage collection`,
            description:
              'Collections stop the main thread for this share of the time. The gc tuner says in GET /vitals which options would help; /debug/pprof/allocs names who allocates.',
            runbook: 'gc-young-generation',
          }),
          alert({
            name: 'FindingCritical',
            severity: 'critical',
            expr: finding('critical'),
            summary: `${who} found {{ $labels.${code} }}`,
            description:
              'The process says so itself, and has evidence and advice in GET /vitals of its admin server. The page of docs/runbooks has the name of the finding.',
            runbook: 'findings',
          }),
          alert({
            name: 'FindingWarning',
            severity: 'warning',
            expr: finding('warning'),
            for: '5m',
            summary: `${who} found {{ $labels.${code} }}`,
            description:
              'The process says so itself, and has evidence and advice in GET /vitals of its admin server. The page of docs/runbooks has the name of the finding.',
            runbook: 'findings',
          }),
        ],
      },
    ],
  };
}
