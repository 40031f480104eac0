import { gcMetrics } from '../../../instrumentation/catalogue';
import type { Section } from '../board';
import { timeseries } from '../panels';
import { label, quantile, rate, series, sum } from '../promql';
import { thresholds } from '../thresholds';
import { gcShare, gcShareByKind } from './ratios';

const m = gcMetrics;
const kind = label(m.duration, 'v8js.gc.type');
const freedKind = label(m.freed, 'v8js.gc.type');
const unforced = { 'vitals.gc.forced': '=""' } as const;
const forced = { 'vitals.gc.forced': '="true"' } as const;

/** What garbage collection costs. */
export const gc: Section = {
  title: 'Garbage collection',
  panels: [
    timeseries({
      title: 'Time in pauses by process',
      description:
        'Share of time in which collections stopped the main thread; work on helper threads is not in it. Normal: under 5 %. Higher: requests wait for it; reduce allocation first, then give the heap more room.',
      unit: 'percentunit',
      width: 8,
      thresholds: thresholds.gcPauseShare,
      queries: [{ expr: gcShare, legend: '{{instance}}' }],
    }),
    timeseries({
      title: 'Time in pauses by kind',
      description:
        'The same by kind, of the process that has most. Normal: minor leads, from many short-lived objects. Major or incremental leads: the old generation is large or nearly full, see the heap against its limit. Weakcb: callbacks of weak references and finalizers.',
      unit: 'percentunit',
      width: 8,
      queries: [{ expr: gcShareByKind, legend: `{{${kind}}}` }],
    }),
    timeseries({
      title: 'Pause p99 by kind',
      description:
        'The 99th percentile of pauses, from all processes chosen together. Normal: minor under 5 ms, major under 50 ms. A request that meets one waits for all of it. Long minor pauses: much survives them. Long major pauses: a large live heap.',
      unit: 's',
      width: 8,
      thresholds: thresholds.gcPauseSeconds,
      queries: [{ expr: quantile(0.99, m.duration, [kind], unforced), legend: `{{${kind}}}` }],
    }),
    timeseries({
      title: 'Collections by kind',
      description:
        'Collections a second, all processes chosen together; forced ones, which code asked for, apart. Normal: minor many times as often as major, forced none. Forced collections in production: find who calls gc(), they stop everything for long.',
      unit: 'ops',
      width: 12,
      queries: [
        { expr: sum(rate(series(m.duration, unforced, '_count')), [kind]), legend: `{{${kind}}}` },
        { expr: sum(rate(series(m.duration, forced, '_count')), [kind]), legend: `{{${kind}}}, forced` },
      ],
    }),
    timeseries({
      title: 'Freed by kind',
      description:
        'Bytes a second that collections gave back. Normal: about the allocation rate, most of it by minor ones. Major collections that free little while the heap is near its limit: everything is held, and the process will run out of memory.',
      unit: 'binBps',
      width: 12,
      queries: [{ expr: sum(rate(series(m.freed)), [freedKind]), legend: `{{${freedKind}}}` }],
    }),
  ],
};
