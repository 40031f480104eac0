import { lockMetrics } from '../../../instrumentation/catalogue';
import type { Section } from '../board';
import { timeseries } from '../panels';
import { label, max, peak, perInstance, quantile, rate, series, sum } from '../promql';
import { thresholds } from '../thresholds';
import { contention } from './ratios';

const m = lockMetrics;
const name = label(m.acquired, 'lock.name');
const mode = label(m.acquired, 'lock.mode');
const failure = label(m.failures, 'lock.failure');
const byLock = [...perInstance, name, mode];
const legend = `{{instance}} {{${name}}} {{${mode}}}`;

/** Locks of the toolkit. */
export const locks: Section = {
  title: 'Locks',
  panels: [
    timeseries({
      title: 'Contention',
      description:
        'Calls that found the lock taken, as a share of those that got it. Normal: under 10 %. Near 100 %: a convoy, each waits for the one before; /debug/pprof/mutex names the calls.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      thresholds: thresholds.lockContention,
      queries: [{ expr: contention, legend }],
    }),
    timeseries({
      title: 'Wait p99',
      description:
        'The 99th percentile of waits for the lock. Normal: a few times the time that it is held. Longer: too many callers for what is done under the lock.',
      unit: 's',
      width: 8,
      queries: [{ expr: quantile(0.99, m.waitTime, byLock), legend }],
    }),
    timeseries({
      title: 'Hold p99',
      description:
        'The 99th percentile of the time the lock was held, where it is measured. Normal: milliseconds. Rising: something slow is done under the lock, often input or output; move it out.',
      unit: 's',
      width: 8,
      queries: [{ expr: quantile(0.99, m.holdTime, byLock), legend }],
    }),
    timeseries({
      title: 'Waiters and holders',
      description:
        'Calls that wait, and holders. Normal: no waiters that stay. Holders that stay while nobody works: the lock was not released; the finding lock_held has the stack.',
      unit: 'short',
      width: 8,
      decimals: 0,
      queries: [
        { expr: max(peak(series(m.waiters)), byLock), legend: `${legend} waiters` },
        { expr: max(series(m.held), byLock), legend: `${legend} holders` },
      ],
    }),
    timeseries({
      title: 'Taken a second',
      description: 'Times a second that the lock was taken. Normal: follows the traffic.',
      unit: 'ops',
      width: 8,
      queries: [{ expr: sum(rate(series(m.acquired)), byLock), legend }],
    }),
    timeseries({
      title: 'Waits in vain',
      description:
        'Waits a second that ended without the lock: time-outs, aborts, and deadlocks that were refused. Normal: none. A deadlock: two callers take the same locks in different orders.',
      unit: 'ops',
      width: 8,
      queries: [
        { expr: sum(rate(series(m.failures)), [...byLock, failure]), legend: `${legend} {{${failure}}}` },
      ],
    }),
  ],
};
