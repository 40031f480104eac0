import { workerPoolMetrics } from '../../../instrumentation/catalogue';
import type { Section } from '../board';
import { timeseries } from '../panels';
import { label, max, peak, perInstance, quantile, rate, series, sum } from '../promql';
import { thresholds } from '../thresholds';
import { workerShare } from './ratios';

const m = workerPoolMetrics;
const name = label(m.workers, 'worker_pool.name');
const state = label(m.workers, 'worker_pool.state');
const outcome = label(m.tasks, 'worker_pool.outcome');
const reason = label(m.rejected, 'worker_pool.reason');
const byPool = [...perInstance, name];
const legend = `{{instance}} {{${name}}}`;

/** Pools that run tasks on the event loop or on threads. */
export const workerPools: Section = {
  title: 'Worker pools',
  panels: [
    timeseries({
      title: 'Busy, as a share of the most workers',
      description:
        'Workers that run a task divided by the most there may be. Normal: under 80 %. At 100 % for long: tasks queue; raise the limit where CPUs are free, else shed load.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      thresholds: thresholds.workerUtilization,
      queries: [{ expr: workerShare, legend }],
    }),
    timeseries({
      title: 'Workers',
      description:
        'Workers by what they do. Normal: grows with the queue and shrinks after the idle time, without see-sawing.',
      unit: 'short',
      width: 8,
      decimals: 0,
      queries: [
        { expr: max(series(m.workers), [...byPool, state]), legend: `${legend} {{${state}}}` },
        { expr: max(series(m.limit), byPool), legend: `${legend} limit`, limit: true },
      ],
    }),
    timeseries({
      title: 'Queue',
      description:
        'Tasks that wait for a worker. Normal: 0, or short peaks. At its limit tasks are refused: see the panel beside.',
      unit: 'short',
      width: 8,
      decimals: 0,
      queries: [
        { expr: max(peak(series(m.queueSize)), byPool), legend },
        { expr: max(series(m.queueLimit), byPool), legend: `${legend} limit`, limit: true },
      ],
    }),
    timeseries({
      title: 'Wait and run p99',
      description:
        '99th percentiles of the time before a task begins and of the time that it runs. Normal: wait near 0. Wait above run: the pool is too small. Run rising alone: the tasks have become heavier.',
      unit: 's',
      width: 8,
      queries: [
        { expr: quantile(0.99, m.waitTime, byPool), legend: `${legend} wait` },
        { expr: quantile(0.99, m.runTime, byPool), legend: `${legend} run` },
      ],
    }),
    timeseries({
      title: 'Tasks by outcome',
      description:
        'Tasks a second by how they ended. Normal: completed alone. Timeouts: see wait and run p99. Failed: the task threw, see the application’s log.',
      unit: 'ops',
      width: 8,
      queries: [
        { expr: sum(rate(series(m.tasks)), [...byPool, outcome]), legend: `${legend} {{${outcome}}}` },
      ],
    }),
    timeseries({
      title: 'Refused, abandoned, crashed',
      description:
        'Tasks a second that were not taken on, tasks given up that still run, and threads a second that ended by themselves. Normal: none. Crashed: a task ended its thread or ran it out of memory.',
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: sum(rate(series(m.rejected)), [...byPool, reason]),
          legend: `${legend} refused: {{${reason}}}`,
        },
        { expr: max(series(m.abandoned), byPool), legend: `${legend} abandoned` },
        { expr: sum(rate(series(m.crashed)), byPool), legend: `${legend} crashed` },
        { expr: sum(rate(series(m.started)), byPool), legend: `${legend} workers started` },
      ],
    }),
  ],
};
