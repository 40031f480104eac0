import { findingCodes, severities } from '../diagnosis/codes';
import { attribute, metric } from './define';

const code = attribute('finding.code', 'What was found; docs/runbooks has a page for each', {
  values: findingCodes,
});
const severity = attribute('finding.severity', 'How bad it is', { values: severities });

export const diagnosisMetrics = {
  findings: metric(
    'findings',
    'vitals.findings',
    'gauge',
    '{finding}',
    'Findings that are open; there once one of its kind was, and then 0',
    { attributes: [code, severity] },
  ),
} as const;
