import { poolMetrics } from '../../../instrumentation/catalogue';
import type { Section } from '../board';
import { timeseries } from '../panels';
import { label, max, peak, perInstance, quantile, rate, series, sum } from '../promql';
import { thresholds } from '../thresholds';
import { poolShare } from './ratios';

const m = poolMetrics;
const name = label(m.size, 'pool.name');
const failure = label(m.failures, 'pool.failure');
const byPool = [...perInstance, name];
const legend = `{{instance}} {{${name}}}`;

/** Pools of objects, buffers and connections of the toolkit. */
export const objectPools: Section = {
  title: 'Object and connection pools',
  panels: [
    timeseries({
      title: 'In use, as a share of the limit',
      description:
        'Objects in use divided by the most there may be. Normal: under 80 %, with room for peaks. At 100 % callers wait or are refused: see who holds for long before you raise the limit.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      thresholds: thresholds.poolShare,
      queries: [{ expr: poolShare, legend }],
    }),
    timeseries({
      title: 'Objects',
      description:
        'Objects in use and idle, of each pool. Normal: follows the traffic. In use that climbs while traffic does not: somebody does not give back; the finding pool_leak names the call that asked.',
      unit: 'short',
      width: 8,
      decimals: 0,
      queries: [
        { expr: max(peak(series(m.size, { 'pool.state': '="used"' })), byPool), legend: `${legend} in use` },
        { expr: max(series(m.size, { 'pool.state': '="idle"' }), byPool), legend: `${legend} idle` },
        { expr: max(series(m.limit), byPool), legend: `${legend} limit`, limit: true },
      ],
    }),
    timeseries({
      title: 'Callers that wait',
      description:
        'Callers in the queue for an object. Normal: 0, or short peaks. A queue that stays: the pool is too small for the time that each caller keeps an object.',
      unit: 'short',
      width: 8,
      decimals: 0,
      queries: [{ expr: max(peak(series(m.pending)), byPool), legend }],
    }),
    timeseries({
      title: 'Wait p99',
      description:
        'The 99th percentile of the time from asking to getting. Normal: about 0. This is latency that users see before any work begins.',
      unit: 's',
      width: 8,
      queries: [{ expr: quantile(0.99, m.waitTime, byPool), legend }],
    }),
    timeseries({
      title: 'Use p99',
      description:
        'The 99th percentile of the time from getting to giving back, where the pool measures it. Normal: about the time of one query or call. Rising: what is done with the object has become slower, and the pool will be the next to run out.',
      unit: 's',
      width: 8,
      queries: [{ expr: quantile(0.99, m.useTime, byPool), legend }],
    }),
    timeseries({
      title: 'Timeouts and failures',
      description:
        'Callers a second that gave up waiting, were refused, or met a callback that failed. Normal: none. Timeouts: see use p99. Create: what the pool connects to is down. Validate: idle connections die, often by a firewall; shorten the idle time.',
      unit: 'ops',
      width: 8,
      queries: [
        { expr: sum(rate(series(m.timeouts)), byPool), legend: `${legend} timeout` },
        { expr: sum(rate(series(m.failures)), [...byPool, failure]), legend: `${legend} {{${failure}}}` },
      ],
    }),
    timeseries({
      title: 'Handed out and given back',
      description:
        'Objects a second. Normal: both lines alike. Handed out above given back for long: a leak.',
      unit: 'ops',
      width: 8,
      queries: [
        { expr: sum(rate(series(m.acquired)), byPool), legend: `${legend} handed out` },
        { expr: sum(rate(series(m.released)), byPool), legend: `${legend} given back` },
      ],
    }),
    timeseries({
      title: 'Handed out without creating',
      description:
        'Share of objects handed out for which none had to be created: what the pool saves. Normal: over 90 % once it is warm. Low: the idle limit or the idle time is too small for the traffic’s peaks.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      queries: [
        {
          expr: `${sum(rate(series(m.reused)), byPool)} / (${sum(rate(series(m.acquired)), byPool)} > 0)`,
          legend,
        },
      ],
    }),
    timeseries({
      title: 'Created, destroyed, leaked',
      description:
        'Objects a second that were made, let go, or dropped by their user and collected as garbage. Normal: near 0 once warm, leaked none. Created and destroyed high together: the pool churns, keep more idle.',
      unit: 'ops',
      width: 8,
      queries: [
        { expr: sum(rate(series(m.created)), byPool), legend: `${legend} created` },
        { expr: sum(rate(series(m.destroyed)), byPool), legend: `${legend} destroyed` },
        { expr: sum(rate(series(m.leaked)), byPool), legend: `${legend} leaked` },
      ],
    }),
    timeseries({
      title: 'Memory of buffer pools',
      description:
        'Bytes of the buffers, in use and kept for reuse. Normal: level. Kept far above what is ever in use: lower the retention cap.',
      unit: 'bytes',
      width: 24,
      queries: [
        {
          expr: sum(series(m.memory), [...byPool, label(m.memory, 'pool.state')]),
          legend: `${legend} {{${label(m.memory, 'pool.state')}}}`,
        },
      ],
    }),
  ],
};
