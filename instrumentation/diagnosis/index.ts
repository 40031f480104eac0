import { diagnosisMetrics } from '../catalogue/diagnosis';
import { isEnabled } from '../config/load';
import { errorText } from '../log';
import type { MeterContext } from '../meters/context';
import type { GcSource } from '../meters/gc-source';
import { createFindings, type Evidence, type Finding, type FindingReport } from './findings';
import { watchHeadroom } from './headroom';
import type { MemoryReport } from './leak/report';
import { diagnoseLeaks } from './leaks';
import { watchToolkit } from './toolkit';

export type { FindingCode, Severity } from './codes';
export type { Evidence, Finding, FindingReport } from './findings';
export type { MemoryReport } from './leak/report';
export { reportAnswer, reportVersion, type VitalsReport } from './report';

/** Diagnosis while it runs. */
export interface Diagnosis {
  findings(): FindingReport;
  /** What the leak detector knows; `undefined` where it is off. */
  memory(): MemoryReport | undefined;
  stop(): void;
}

/**
 * Looks every ten seconds for what is wrong in the process. A finding is one line on stderr when it opens, is counted
 * in `vitals.findings`, and is given to `onFinding`, whose errors are warned of and go no further.
 */
export function startDiagnosis(
  { registry, config, log, onTick }: Pick<MeterContext, 'registry' | 'config' | 'log' | 'onTick'>,
  gc: GcSource,
  onFinding?: (finding: Finding) => void,
): Diagnosis {
  if (!isEnabled(config, 'findings')) {
    return { findings: () => ({ open: [], resolved: [] }), memory: () => undefined, stop() {} };
  }
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
  const leaks =
    config.leakDetector === 'on' ? diagnoseLeaks({ registry, config, log }, gc, findings) : undefined;
  const stopLooking = onTick(() => {
    headroom.look();
    toolkit.look();
    leaks?.look();
    findings.look();
  });
  return {
    findings: () => findings.current(),
    memory: () => leaks?.report(),
    stop() {
      stopLooking();
      toolkit.stop();
      leaks?.stop();
    },
  };
}

/** Evidence in one line. */
function written(evidence: Evidence): string {
  return Object.entries(evidence)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
