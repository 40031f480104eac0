import { dbPoolMetrics } from '../../../instrumentation/catalogue';
import type { Section } from '../board';
import { timeseries } from '../panels';
import { label, max, peak, quantile, rate, series, sum } from '../promql';
import { thresholds } from '../thresholds';
import { byPool, connectionShare, poolLegend } from './ratios';

const m = dbPoolMetrics;
const state = label(m.count, 'db.client.connection.state');

export const connections: Section = {
  title: 'Connection pools',
  panels: [
    timeseries({
      title: 'In use, as a share of the limit',
      description:
        'Connections lent out divided by the most that the pool may open. Normal: under 80 %. At 100 % queries wait before they begin: find what holds connections for long (use p99) before you raise the limit.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      thresholds: thresholds.poolShare,
      queries: [{ expr: connectionShare, legend: poolLegend }],
    }),
    timeseries({
      title: 'Connections',
      description:
        'Connections by whether they are lent out, and the pool’s limits. Normal: follows the traffic. Remember that the database’s own limit is shared by all processes.',
      unit: 'short',
      width: 8,
      decimals: 0,
      queries: [
        { expr: max(series(m.count), [...byPool, state]), legend: `${poolLegend} {{${state}}}` },
        { expr: max(series(m.idleMin), byPool), legend: `${poolLegend} idle at least: limit`, limit: true },
        { expr: max(series(m.idleMax), byPool), legend: `${poolLegend} idle at most: limit`, limit: true },
        { expr: max(series(m.limit), byPool), legend: `${poolLegend} limit`, limit: true },
      ],
    }),
    timeseries({
      title: 'Queries that wait for a connection',
      description:
        'Requests in the pool’s queue, and on the right waits a second that ran out of time. Normal: 0. Time-outs are errors that users see.',
      unit: 'short',
      width: 8,
      decimals: 0,
      queries: [
        { expr: max(peak(series(m.pending)), byPool), legend: `${poolLegend} waiting` },
        { expr: sum(rate(series(m.timeouts)), byPool), legend: `${poolLegend} time-outs`, unit: 'ops' },
      ],
    }),
    timeseries({
      title: 'Wait p99',
      description:
        'The 99th percentile of the time to get a connection. Normal: under a millisecond. Higher: the pool is at its limit, or opens connections under load; keep a minimum open.',
      unit: 's',
      width: 8,
      thresholds: thresholds.connectionWaitSeconds,
      queries: [{ expr: quantile(0.99, m.waitTime, byPool), legend: poolLegend }],
    }),
    timeseries({
      title: 'Use p99',
      description:
        'The 99th percentile of how long a connection is lent out. Normal: the time of a query or transaction. Longer: work that is not the database’s is done inside of transactions.',
      unit: 's',
      width: 8,
      queries: [{ expr: quantile(0.99, m.useTime, byPool), legend: poolLegend }],
    }),
    timeseries({
      title: 'Create p99, and connections opened',
      description:
        'The 99th percentile of the time to open a connection, and on the right how many are opened a second. Normal: few. Many: connections are closed as idle and opened again; raise the minimum.',
      unit: 's',
      width: 8,
      queries: [
        { expr: quantile(0.99, m.createTime, byPool), legend: `${poolLegend} p99` },
        {
          expr: sum(rate(series(m.createTime, {}, '_count')), byPool),
          legend: `${poolLegend} opened`,
          unit: 'ops',
        },
      ],
    }),
  ],
};
