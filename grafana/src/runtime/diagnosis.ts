import { diagnosisMetrics, profilingMetrics } from '../../../instrumentation/catalogue';
import type { Section } from '../board';
import { timeseries } from '../panels';
import { label, max, perInstance, rate, series, sum } from '../promql';

const m = diagnosisMetrics;
const code = label(m.findings, 'finding.code');
const severity = label(m.findings, 'finding.severity');
const leak = label(m.leakGrowth, 'vitals.leak.kind');
const kind = label(profilingMetrics.captures, 'profile.type');

/** What the processes say of themselves, and which profiles they took. */
export const diagnosis: Section = {
  title: 'Diagnosis',
  panels: [
    timeseries({
      title: 'Open findings',
      description:
        'Findings that are open, by what was found; each has its evidence and advice in GET /vitals of that process and a page under docs/runbooks. Normal: none, or a line at 0 where one is resolved.',
      unit: 'short',
      width: 12,
      decimals: 0,
      legendRight: true,
      queries: [
        {
          expr: max(series(m.findings), [...perInstance, code, severity]),
          legend: `{{instance}} {{${code}}}, {{${severity}}}`,
        },
      ],
    }),
    timeseries({
      title: 'Growth that looks like a leak',
      description:
        'Growth of memory over the window that the leak detector judges, where it is sure that it grows. Normal: 0. Steady growth under steady load is a leak: the finding names the places that allocate what stays.',
      unit: 'binBps',
      width: 6,
      queries: [
        {
          expr: max(series(m.leakGrowth), [...perInstance, leak]),
          legend: `{{instance}} {{${leak}}}`,
        },
      ],
    }),
    timeseries({
      title: 'Profiles taken',
      description:
        'Captures a minute by kind, whoever asked for them. Normal: none, but while somebody looks. Those of the auto-profiler are marked on all graphs as well.',
      unit: 'short',
      width: 6,
      queries: [
        {
          expr: `60 * ${sum(rate(series(profilingMetrics.captures)), [kind])}`,
          legend: `{{${kind}}}`,
        },
      ],
    }),
  ],
};
