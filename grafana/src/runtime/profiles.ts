import { profilingMetrics, selfMetrics } from '../../../instrumentation/catalogue';
import type { Section } from '../board';
import { timeseries } from '../panels';
import { label, max, perInstance, quantile, rate, series, sum } from '../promql';

const m = profilingMetrics;
const kind = label(m.captures, 'profile.type');
const rule = label(m.triggers, 'vitals.autoprofile.rule');
const outcome = label(m.triggers, 'vitals.autoprofile.outcome');

/** Profiles that were taken, and those that went to Pyroscope. */
export const profiles: Section = {
  title: 'Profiles',
  collapsed: true,
  panels: [
    timeseries({
      title: 'Profiles taken',
      description:
        'Captures a minute by kind, whoever asked for them, and on the right the 99th percentile of how long they took. Normal: none, but while somebody looks. Those of the auto-profiler are marked on all graphs as well.',
      unit: 'short',
      width: 8,
      queries: [
        { expr: `60 * ${sum(rate(series(m.captures)), [kind])}`, legend: `{{${kind}}}` },
        { expr: quantile(0.99, m.duration, [kind]), legend: `{{${kind}}} p99`, unit: 's' },
      ],
    }),
    timeseries({
      title: 'Rules of the auto-profiler that fired',
      description:
        'Times a minute that a rule fired, and what came of it. Normal: none. Captured: the profile is marked on the graphs. Cooldown and budget: the same fault goes on.',
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: `60 * ${sum(rate(series(m.triggers)), [rule, outcome])}`,
          legend: `{{${rule}}} {{${outcome}}}`,
        },
      ],
    }),
    timeseries({
      title: 'Kept on disk',
      description:
        'Bytes of captures in VITALS_CAPTURE_DIR, and on the right their number and the median size of one. Normal: under the quota, at which the oldest are dropped.',
      unit: 'bytes',
      width: 8,
      queries: [
        { expr: max(series(m.storedSize), perInstance), legend: '{{instance}}' },
        { expr: quantile(0.5, m.size, [kind]), legend: `{{${kind}}} median` },
        { expr: max(series(m.storedCaptures), perInstance), legend: '{{instance}} captures', unit: 'short' },
      ],
    }),
    timeseries({
      title: 'Sent to Pyroscope',
      description:
        'Profiles a minute that Pyroscope took, and those that it did not. Normal: one of each kind a minute, none failed. The first failure is a line in the application’s log with the reason.',
      unit: 'short',
      width: 24,
      queries: [
        {
          expr: `60 * ${sum(rate(series(selfMetrics.uploads)), [kind])}`,
          legend: `{{${kind}}} taken`,
        },
        {
          expr: `60 * ${sum(rate(series(selfMetrics.uploadFailures)), [kind])}`,
          legend: `{{${kind}}} failed`,
        },
      ],
    }),
  ],
};
