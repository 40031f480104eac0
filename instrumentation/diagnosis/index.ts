import { diagnosisMetrics } from '../catalogue/diagnosis';
import { isEnabled } from '../config/load';
import { errorText } from '../log';
import type { MeterContext } from '../meters/context';
import { createFindings, type Evidence, type Finding, type FindingReport } from './findings';
import { watchHeadroom } from './headroom';
import { watchToolkit } from './toolkit';

export type { FindingCode, Severity } from './codes';
export type { Evidence, Finding, FindingReport } from './findings';
export { reportAnswer, reportVersion, type VitalsReport } from './report';

/** Diagnosis while it runs. */
export interface Diagnosis {
  findings(): FindingReport;
  stop(): void;
}

/**
 * Looks every ten seconds for what is wrong in the process. A finding is one line on stderr when it opens, is counted
 * in `vitals.findings`, and is given to `onFinding`, whose errors are warned of and go no further.
 */
export function startDiagnosis(
  { registry, config, log, onTick }: Pick<MeterContext, 'registry' | 'config' | 'log' | 'onTick'>,
  onFinding?: (finding: Finding) => void,
): Diagnosis {
  if (!isEnabled(config, 'findings')) return { findings: () => ({ open: [], resolved: [] }), stop() {} };
  const gauge = registry.instrument(diagnosisMetrics.findings);
  const cellOf = ({ code, severity }: Finding) =>
    gauge.with({ 'finding.code': code, 'finding.severity': severity });
  const add = (finding: Finding, amount: number): void => {
    const cell = cellOf(finding);
    cell.set((cell.value ?? 0) + amount);
  };

  const findings = createFindings(
    finding => {
      add(finding, 1);
      const { code, subject, title, evidence, advice, runbook } = finding;
      log.notice(`finding ${code}: ${subject} ${title} (${written(evidence)}). ${advice} See ${runbook}`);
      try {
        onFinding?.(finding);
      } catch (error) {
        log.warnOnce('onFinding', `onFinding failed: ${errorText(error)}`);
      }
    },
    finding => add(finding, -1),
  );
  const toolkit = watchToolkit(findings, log);
  const headroom = watchHeadroom(findings, log);
  const stopLooking = onTick(() => {
    headroom.look();
    toolkit.look();
    findings.look();
  });
  return {
    findings: () => findings.current(),
    stop() {
      stopLooking();
      toolkit.stop();
    },
  };
}

/** Evidence in one line. */
function written(evidence: Evidence): string {
  return Object.entries(evidence)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
