import { threadMetrics } from '../../../instrumentation/catalogue';
import type { Section } from '../board';
import { timeseries } from '../panels';
import { label, max, perInstance, series } from '../promql';
import { thresholds } from '../thresholds';

const m = threadMetrics;
const utilizationName = label(m.workerUtilization, 'thread.name');
const heapName = label(m.workerHeap, 'thread.name');

/** Worker threads, for processes that have some. */
export const threads: Section = {
  title: 'Worker threads',
  panels: [
    timeseries({
      title: 'Worker threads',
      description:
        'Worker threads that report. Normal: the size of your pool. Climbing: workers are made for each task and not ended. Falling to 0 while there is work: they die, see the log for ERR_WORKER_OUT_OF_MEMORY.',
      unit: 'short',
      width: 8,
      decimals: 0,
      queries: [{ expr: max(series(m.workers), perInstance), legend: '{{instance}}' }],
    }),
    timeseries({
      title: 'Utilization by thread',
      description:
        'Share of time in which a worker’s event loop had work; the busiest of that name in each process. Normal: under 80 % on average of the pool. All near 100 %: tasks queue, add threads if there are CPUs left. One alone: work is not spread.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      thresholds: thresholds.workerUtilization,
      queries: [
        {
          expr: max(series(m.workerUtilization), [...perInstance, utilizationName]),
          legend: `{{instance}} {{${utilizationName}}}`,
        },
      ],
    }),
    timeseries({
      title: 'Heap by thread',
      description:
        'JavaScript heap of each worker, which comes on top of the main thread’s and has a limit of its own (resourceLimits). Normal: a saw over a level line. Climbing: the worker keeps what its tasks made.',
      unit: 'bytes',
      width: 8,
      queries: [
        {
          expr: max(series(m.workerHeap), [...perInstance, heapName]),
          legend: `{{instance}} {{${heapName}}}`,
        },
      ],
    }),
  ],
};
