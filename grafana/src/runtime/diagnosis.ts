import { diagnosisMetrics } from '../../../instrumentation/catalogue';
import type { Section } from '../board';
import { timeseries } from '../panels';
import { label, max, perInstance, series } from '../promql';

const m = diagnosisMetrics;
const code = label(m.findings, 'finding.code');
const severity = label(m.findings, 'finding.severity');
const leak = label(m.leakGrowth, 'vitals.leak.kind');

/** What the processes say of themselves. */
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
      title: 'Time until the heap is full',
      description:
        'Of a heap that leaks: how long until it reaches its limit at its pace. Normal: no line. Below a day: plan a restart, and take the profile that the finding names before it.',
      unit: 's',
      width: 6,
      queries: [{ expr: `min by (job, instance) (${series(m.timeToExhaustion)})`, legend: '{{instance}}' }],
    }),
  ],
};
