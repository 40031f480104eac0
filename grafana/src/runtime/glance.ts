import { eventLoopMetrics, processMetrics } from '../../../instrumentation/catalogue';
import type { Section } from '../board';
import { stat } from '../panels';
import { max, peak, series } from '../promql';
import { thresholds } from '../thresholds';
import { cpuShare, gcShare, heapShare, memoryShare } from './ratios';

const width = 3;

/** The worst process of those chosen, in eight numbers: green means that the rest of the board may wait. */
export const glance: Section = {
  title: 'At a glance: the worst of the processes chosen',
  panels: [
    stat({
      title: 'Processes',
      description:
        'Processes that report now. Normal: as many as you run. Fewer: see Prometheus under Status, Targets, and the marks of process starts on the graphs below.',
      unit: 'short',
      width,
      decimals: 0,
      expr: `count(${series(processMetrics.startTime)})`,
    }),
    stat({
      title: 'Restarts',
      description:
        'Times that a process came back under the same instance label within the range shown. Normal: 0 outside of deployments. Otherwise read the log before the mark: an out-of-memory kill leaves none, so look at memory against its limit first.',
      unit: 'short',
      width,
      decimals: 0,
      thresholds: thresholds.restarts,
      wholeRange: true,
      expr: `sum(changes(${series(processMetrics.startTime)}[$__range]))`,
    }),
    stat({
      title: 'Loop delay',
      description:
        '99th percentile of how late the event loop runs what is due: every request waits at least this long, once for each of its steps. Normal: under 20 ms. High: something synchronous runs too long; take a CPU profile and look for JSON of large bodies, regular expressions, loops, crypto without a callback.',
      unit: 's',
      width,
      thresholds: thresholds.eventLoopDelaySeconds,
      expr: max(peak(series(eventLoopMetrics.p99))),
    }),
    stat({
      title: 'Loop busy',
      description:
        'Event loop utilization: the share of time in which it had work. Normal: under 70 %. Above, requests queue behind each other and latency rises steeply: add processes or move CPU work to worker threads.',
      unit: 'percentunit',
      width,
      decimals: 0,
      max: 1,
      thresholds: thresholds.eventLoopUtilization,
      expr: max(series(eventLoopMetrics.utilization)),
    }),
    stat({
      title: 'CPU',
      description:
        'CPU time, user and system, as a share of the CPUs that the process may use. Normal: under 80 %. One busy event loop fills one CPU, which on four CPUs shows as 25 %: read it together with the event loop utilization.',
      unit: 'percentunit',
      width,
      decimals: 0,
      max: 1,
      thresholds: thresholds.cpuShare,
      expr: max(cpuShare),
    }),
    stat({
      title: 'Heap',
      description:
        'How full the old generation is, as a share of its limit. Normal: under 80 %, with room after each major collection. Higher: V8 collects ever more often and then ends the process. Compare live heap: if it grows there is a leak, if it does not, raise --max-old-space-size.',
      unit: 'percentunit',
      width,
      decimals: 0,
      max: 1,
      thresholds: thresholds.heapShare,
      expr: max(heapShare),
    }),
    stat({
      title: 'GC pauses',
      description:
        'Share of time in which garbage collection stopped the main thread; a lower bound, because helper threads cost CPU beside it. Normal: under 5 %. Higher: look at the allocation rate, then at the heap against its limit.',
      unit: 'percentunit',
      width,
      decimals: 1,
      max: 1,
      thresholds: thresholds.gcPauseShare,
      expr: max(gcShare),
    }),
    stat({
      title: 'Memory',
      description:
        'Resident memory as a share of the container’s limit, or of the machine’s memory where there is none. Normal: under 80 %. At 100 % the kernel kills the process without a word: lower --max-old-space-size, find what grows outside the heap, or raise the limit.',
      unit: 'percentunit',
      width,
      decimals: 0,
      max: 1,
      thresholds: thresholds.memoryShare,
      expr: max(memoryShare),
    }),
  ],
};
