import { eventLoopMetrics } from '../../../instrumentation/catalogue';
import type { Section } from '../board';
import { timeseries } from '../panels';
import { max, peak, perInstance, quantile, rate, series, sum } from '../promql';
import { thresholds } from '../thresholds';
import { activeShare } from './ratios';

const m = eventLoopMetrics;
const worst = (metric: (typeof m)['p50' | 'p90' | 'p99' | 'max']) => max(peak(series(metric)));

/** How promptly the event loop gets to what is due. */
export const eventLoop: Section = {
  title: 'Event loop',
  panels: [
    timeseries({
      title: 'Delay percentiles, worst process',
      description:
        'How late the event loop ran a timer over the last minute, the sampling interval subtracted. Each line is the highest of the processes chosen. Normal: median near 0, p99 under 20 ms. A single long block shows in max only, long before it shows in p99: judge both.',
      unit: 's',
      width: 12,
      legendRight: true,
      thresholds: thresholds.eventLoopDelaySeconds,
      queries: [
        { expr: worst(m.max), legend: 'max' },
        { expr: worst(m.p99), legend: 'p99' },
        { expr: worst(m.p90), legend: 'p90' },
        { expr: worst(m.p50), legend: 'p50' },
      ],
    }),
    timeseries({
      title: 'Delay p99 by process',
      description:
        'The 99th percentile of each process. Normal: all alike and under 20 ms. One that stands out has work of its own, or a neighbour that takes its CPU: compare its CPU and its GC pauses. All at once: the load, or a dependency that answers with far more data than before.',
      unit: 's',
      width: 12,
      thresholds: thresholds.eventLoopDelaySeconds,
      queries: [{ expr: max(peak(series(m.p99)), perInstance), legend: '{{instance}}' }],
    }),
    timeseries({
      title: 'Utilization',
      description:
        'Share of the last 10 to 20 s in which the event loop had work. Normal: under 70 %. It measures saturation where CPU does not: at 100 % the process is full, whatever the CPUs beside it do. Add processes, or move CPU work to worker threads.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      thresholds: thresholds.eventLoopUtilization,
      queries: [{ expr: max(series(m.utilization), perInstance), legend: '{{instance}}' }],
    }),
    timeseries({
      title: 'Time active',
      description:
        'Seconds of each second in which the event loop was active, counted over the graph’s own window: smoother than utilization, and right over any range. Normal: follows the traffic. Rising while traffic does not: each request has become more expensive.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      queries: [{ expr: activeShare, legend: '{{instance}}' }],
    }),
    timeseries({
      title: 'Stalls',
      description:
        'Blocks of the event loop beyond VITALS_STALL_MS (100 ms unless set): how many a minute, and on the right their 99th percentile. Normal: none. Each is one synchronous piece of code; a CPU profile over such a moment names it.',
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: `60 * ${sum(rate(series(m.stall, {}, '_count')), perInstance)}`,
          legend: '{{instance}} a minute',
        },
        { expr: quantile(0.99, m.stall, perInstance), legend: '{{instance}} p99', unit: 's' },
      ],
    }),
  ],
};
