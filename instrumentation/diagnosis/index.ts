import { diagnosisMetrics } from '../catalogue/diagnosis';
import { heapMetrics } from '../catalogue/runtime';
import { isEnabled } from '../config/load';
import { guarded } from '../guard';
import { errorText } from '../log';
import type { MeterContext } from '../meters/context';
import type { GcSource } from '../meters/gc-source';
import type { Profiling } from '../profiling';
import type { RouteAnswer } from '../profiling/contract';
import { diagnoseGc, type GcReport } from './collections';
import { createFindings, type Evidence, type Finding, type FindingReport } from './findings';
import { type GcMeasurement, measureGc } from './gc/measure';
import { exhaustibles, watchHeadroom } from './headroom';
import type { MemoryReport } from './leak/report';
import { diagnoseLeaks } from './leaks';
import { type ReportSubject, type VitalsReport, vitalsReport } from './report';
import { diagnoseStalls } from './stalls';
import { watchToolkit } from './toolkit';

export type { FindingCode, Severity } from './codes';
export type { GcReport } from './collections';
export type { Evidence, Finding, FindingReport } from './findings';
export type { GcMeasurement } from './gc/measure';
export type { MemoryReport } from './leak/report';
export type { VitalsReport } from './report';

/** Diagnosis while it runs. */
export interface Diagnosis {
  findings(): FindingReport;
  /** What the leak detector knows; `undefined` where it is off. */
  memory(): MemoryReport | undefined;
  /** What the garbage collection tuner knows; `undefined` where it is off. */
  gc(): GcReport | undefined;
  /** Forces a collection and measures it. */
  measureGc(): GcMeasurement;
  /** All of it. */
  report(): VitalsReport;
  /** Serves the report, and hears what blocks the event loop, where there is profiling on demand. */
  attach(profiling: Pick<Profiling, 'route' | 'onStall'> | undefined): void;
  stop(): void;
}

export interface DiagnosisFacts {
  readonly subject: ReportSubject;
  /** Options of Node.js that are in force. */
  readonly nodeFlags: readonly string[];
  readonly onFinding?: ((finding: Finding) => void) | undefined;
}

/**
 * Looks every ten seconds for what is wrong in the process. A finding is one line on stderr when it opens, is counted
 * in `vitals.findings`, and is given to `onFinding`, whose errors are warned of and go no further.
 */
export function startDiagnosis(
  { registry, config, log, onTick }: Pick<MeterContext, 'registry' | 'config' | 'log' | 'onTick'>,
  gc: GcSource,
  { subject, nodeFlags, onFinding }: DiagnosisFacts,
): Diagnosis {
  const nothing = { memory: undefined, gc: undefined, stalls: undefined };
  if (!isEnabled(config, 'findings')) {
    const findings = (): FindingReport => ({ open: [], resolved: [] });
    const report = () => vitalsReport(registry, subject, { ...nothing, findings: findings() });
    return {
      findings,
      memory: () => undefined,
      gc: () => undefined,
      measureGc,
      report,
      attach(profiling) {
        profiling?.route('/vitals', () => json(report()));
        profiling?.route('/vitals/findings', () => json(findings()));
      },
      stop() {},
    };
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
  const live = registry.instrument(heapMetrics.live).with({});
  const headroom = watchHeadroom(
    findings,
    log,
    exhaustibles(() => live.value),
  );
  const leaks =
    config.leakDetector === 'on' ? diagnoseLeaks({ registry, config, log }, gc, findings) : undefined;
  const collections =
    config.gcTuner === 'off' ? undefined : diagnoseGc({ registry, config, log }, gc, findings, nodeFlags);
  const stalls = diagnoseStalls(registry, findings, log, config.stallMs);
  const stopLooking = onTick(() => {
    headroom.look();
    toolkit.look();
    leaks?.look();
    collections?.look();
    stalls.look();
    findings.look();
  });
  const report = (): VitalsReport =>
    vitalsReport(registry, subject, {
      findings: findings.current(),
      memory: leaks?.report(),
      gc: collections?.report(),
      stalls: stalls.report(),
    });
  const detach: (() => void)[] = [];
  return {
    findings: () => findings.current(),
    memory: () => leaks?.report(),
    gc: () => collections?.report(),
    measureGc,
    report,
    attach(profiling) {
      if (profiling === undefined) return;
      stalls.stacksTaken();
      detach.push(
        profiling.onStall(guarded(log, 'a stall', stall => stalls.stall(stall))),
        profiling.route('/vitals', () => json(report())),
        profiling.route('/vitals/findings', () => json(findings.current())),
      );
    },
    stop() {
      for (const end of detach) end();
      stopLooking();
      toolkit.stop();
      leaks?.stop();
      collections?.stop();
    },
  };
}

function json(report: VitalsReport | FindingReport): RouteAnswer {
  return {
    status: 200,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: `${JSON.stringify(report, undefined, 2)}\n`,
  };
}

/** Evidence in one line. */
function written(evidence: Evidence): string {
  return Object.entries(evidence)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
