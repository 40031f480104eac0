import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { eventLoopMetrics, gcMetrics, heapMetrics, processMetrics } from '../../../instrumentation/catalogue';
import { dashboard, type Section } from '../board';
import { timeseries } from '../panels';
import { flameGraph, profileSeries, pyroscopeVariable } from '../profile-panels';
import { label, max, peak, perInstance, quantile, rate, series, sum } from '../promql';
import { profiles as taken } from '../runtime/profiles';
import { activeShare, cpuShare, gcShare } from '../runtime/ratios';
import { thresholds } from '../thresholds';

const width = 8;
const gcKind = label(gcMetrics.duration, 'v8js.gc.type');

const cpu: Section = {
  title: 'CPU: what the process computes',
  panels: [
    profileSeries({
      title: 'CPU time in profiles',
      description:
        'CPU time of all profiles, by service. Normal: the curve of the panel beside. Gaps: profiles did not arrive; see the last row.',
      profile: 'cpu',
      width,
    }),
    timeseries({
      title: 'CPU',
      description:
        'CPU time, user and system, as a share of the CPUs that each process may use. Normal: under 80 %. Choose a time in which it is high: the flame graph below follows.',
      unit: 'percentunit',
      width,
      max: 1,
      thresholds: thresholds.cpuShare,
      queries: [{ expr: cpuShare, legend: '{{instance}}' }],
    }),
    timeseries({
      title: 'Event loop delay p99',
      description:
        'How late the event loop runs what is due. Normal: under 20 ms. High while CPU is high: the widest function below holds it.',
      unit: 's',
      width,
      thresholds: thresholds.eventLoopDelaySeconds,
      queries: [{ expr: max(peak(series(eventLoopMetrics.p99)), perInstance), legend: '{{instance}}' }],
    }),
    flameGraph({
      title: 'CPU by function',
      description:
        'CPU time over the range shown; a bar is as wide as what it and all that it called took. Normal: your routes and their libraries. A wide bar at the end of a stack is a function that itself is the cost. (idle) and "Non JS threads activity" are threads beside the main one: garbage collection, the compiler, file and name look-ups.',
      profile: 'cpu',
      width: 24,
    }),
  ],
};

const wall: Section = {
  title: 'Wall: where the main thread is',
  panels: [
    profileSeries({
      title: 'Wall time in profiles',
      description:
        'Time in which the main thread had work, by service. Normal: the curve of the panel beside. Gaps: profiles did not arrive; see the last row.',
      profile: 'wall',
      width: 12,
    }),
    timeseries({
      title: 'Event loop: active',
      description:
        'Share of time in which each event loop had work. Normal: under 70 %. The flame graph below has this time alone, and none in which the loop waited for something to do.',
      unit: 'percentunit',
      width: 12,
      max: 1,
      thresholds: thresholds.eventLoopUtilization,
      queries: [{ expr: activeShare, legend: '{{instance}}' }],
    }),
    flameGraph({
      title: 'Wall time by function',
      description:
        'Time on the main thread over the range shown, computing or waiting in a synchronous call. Normal: much the same functions as of CPU. A function wide here and thin in CPU waits without giving the event loop back, as with synchronous reads of files.',
      profile: 'wall',
      width: 24,
    }),
  ],
};

const heap: Section = {
  title: 'Heap: what holds memory',
  panels: [
    profileSeries({
      title: 'Memory in profiles',
      description:
        'Sampled memory that is still in use, by service. Normal: level. The sum over the uploads of a step: compare its course, not its height.',
      profile: 'heap',
      width,
    }),
    timeseries({
      title: 'Live heap',
      description:
        'What the last major collection left, and the limit of the old generation. Normal: level, well below the limit. Climbing: compare the flame graphs of an early and a late range.',
      unit: 'bytes',
      width,
      queries: [
        { expr: max(series(heapMetrics.live), perInstance), legend: '{{instance}} live' },
        {
          expr: max(series(heapMetrics.oldGenerationLimit), perInstance),
          legend: '{{instance}} limit',
          limit: true,
        },
      ],
      logarithmic: true,
    }),
    timeseries({
      title: 'Allocation and collections',
      description:
        'Bytes allocated a second, and on the right the share of time in collections. Normal: collections under 5 %. Higher: allocate less in the functions below.',
      unit: 'Bps',
      width,
      queries: [
        { expr: sum(rate(series(heapMetrics.allocated)), perInstance), legend: '{{instance}} allocated' },
        { expr: gcShare, legend: '{{instance}} collecting', unit: 'percentunit' },
      ],
    }),
    flameGraph({
      title: 'Memory in use by function',
      description:
        'Memory that was allocated there and is still in use, sampled. Normal: caches, modules and buffers of known size. After a leak the widest bar is what allocates what stays.',
      profile: 'heap',
      width: 24,
    }),
    timeseries({
      title: 'Collections by kind, p99',
      description:
        'The 99th percentile of one collection. Normal: minor ones under 5 ms, major ones under 50 ms. Long major ones: much is alive.',
      unit: 's',
      width: 12,
      thresholds: thresholds.gcPauseSeconds,
      queries: [
        {
          expr: quantile(0.99, gcMetrics.duration, [gcKind], { 'vitals.gc.forced': '=""' }),
          legend: `{{${gcKind}}}`,
        },
      ],
    }),
    timeseries({
      title: 'Resident memory',
      description:
        'What the process has of the machine, heap and all else. Normal: live heap and a constant. What grows here and not in the heap is buffers or native memory, which no heap profile shows.',
      unit: 'bytes',
      width: 12,
      queries: [{ expr: max(series(processMetrics.memoryUsage), perInstance), legend: '{{instance}}' }],
    }),
  ],
};

/** The board **Profiles**: flame graphs beside the signals that they explain, over the same range of time. */
export function profilesBoard(): Dashboard {
  return dashboard({
    uid: 'otel-vitals-profiles',
    title: 'Profiles',
    description:
      'Continuous profiles from Pyroscope beside the signals that they explain, over the same range of time: CPU, wall time and memory in use. Drag over a peak in a graph, and the flame graphs show that time alone.',
    tags: ['nodejs'],
    variables: [pyroscopeVariable()],
    sections: [cpu, wall, heap, { ...taken, title: 'Profiles taken and sent' }],
  });
}
