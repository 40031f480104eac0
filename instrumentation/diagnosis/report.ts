import type { MetricRegistry } from '../metrics/registry';
import type { MainFigures } from '../profiling/contract';
import { readFigures } from '../profiling/main/figures';
import type { GcReport } from './collections';
import type { FindingReport } from './findings';
import type { MemoryReport } from './leak/report';
import type { StallReport } from './stalls';

/** Rises when a field is taken away or changes its meaning, and not when one is added. */
export const schemaVersion = 1;

/** The process that a report is of. */
export interface ReportSubject {
  readonly serviceName: string;
  readonly serviceVersion: string | undefined;
  readonly agentVersion: string;
}

/**
 * All that is known of the process, as `GET /vitals` and `report()` give it; docs/vitals-report.md describes it. Times
 * are milliseconds since 1970. What is switched off is `null`.
 */
export interface VitalsReport {
  readonly schemaVersion: typeof schemaVersion;
  readonly at: number;
  readonly service: { readonly name: string; readonly version: string | null };
  readonly process: {
    readonly pid: number;
    readonly nodeVersion: string;
    readonly v8Version: string;
    readonly platform: string;
    readonly arch: string;
    readonly uptimeSeconds: number;
    readonly agentVersion: string;
  };
  readonly findings: FindingReport;
  readonly figures: MainFigures;
  readonly memory: MemoryReport | null;
  readonly gc: GcReport | null;
  readonly stalls: StallReport | null;
}

/** The parts that diagnosis adds. */
export interface ReportParts {
  readonly findings: FindingReport;
  readonly memory: MemoryReport | undefined;
  readonly gc: GcReport | undefined;
  readonly stalls: StallReport | undefined;
}

export function vitalsReport(
  registry: MetricRegistry,
  { serviceName, serviceVersion, agentVersion }: ReportSubject,
  { findings, memory, gc, stalls }: ReportParts,
): VitalsReport {
  return {
    schemaVersion,
    at: Date.now(),
    service: { name: serviceName, version: serviceVersion ?? null },
    process: {
      pid: process.pid,
      nodeVersion: process.versions.node,
      v8Version: process.versions.v8,
      platform: process.platform,
      arch: process.arch,
      uptimeSeconds: process.uptime(),
      agentVersion,
    },
    findings,
    figures: readFigures(registry),
    memory: memory ?? null,
    gc: gc ?? null,
    stalls: stalls ?? null,
  };
}
