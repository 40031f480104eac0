import { findingCodes, severities } from '../diagnosis/codes';
import { adjustments } from '../diagnosis/gc/act';
import { leakKinds } from '../diagnosis/leak/kinds';
import { attribute, metric } from './define';

const code = attribute('finding.code', 'What was found; docs/runbooks has a page for each', {
  values: findingCodes,
});
const severity = attribute('finding.severity', 'How bad it is', { values: severities });

const leakKind = attribute('vitals.leak.kind', 'Kind of memory, or resources', { values: leakKinds });

export const diagnosisMetrics = {
  findings: metric(
    'findings',
    'vitals.findings',
    'gauge',
    '{finding}',
    'Findings that are open; there once one of its kind was, and then 0',
    { attributes: [code, severity] },
  ),
  leakSuspected: metric(
    'findings',
    'vitals.leak.suspected',
    'gauge',
    '1',
    'Whether it grows as a leak does: 1 where it has for long enough to be a finding, 0.5 where not yet',
    { attributes: [leakKind] },
  ),
  leakGrowth: metric(
    'findings',
    'vitals.leak.growth_rate',
    'gauge',
    'By/s',
    'Growth of memory over the window that is judged; 0 where it does not surely grow',
    { attributes: [leakKind] },
  ),
  leakConfidence: metric(
    'findings',
    'vitals.leak.confidence',
    'gauge',
    '1',
    'How sure the growth is, times how steady',
    { attributes: [leakKind] },
  ),
  timeToExhaustion: metric(
    'findings',
    'vitals.heap.time_to_exhaustion',
    'gauge',
    's',
    'Time until a heap that leaks reaches its limit at its pace; absent while it does not',
  ),
  gcAdjustments: metric(
    'findings',
    'vitals.gc.tuner.adjustments',
    'counter',
    '{adjustment}',
    'Changes that the gc tuner made to V8, with VITALS_GC_TUNER=act',
    {
      attributes: [
        attribute('vitals.gc.tuner.adjustment', 'What was done with the setting', { values: adjustments }),
      ],
    },
  ),
} as const;
