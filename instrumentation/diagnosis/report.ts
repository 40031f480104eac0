import type { RouteAnswer } from '../profiling/contract';
import type { FindingReport } from './findings';

/** Grows when a field changes its meaning or goes; new fields leave it as it is. */
export const reportVersion = 1;

/** What `GET /vitals` answers; described in docs/status-page.md. */
export interface VitalsReport {
  readonly version: typeof reportVersion;
  /** ISO 8601. */
  readonly at: string;
  readonly service: string;
  readonly serviceVersion?: string;
  readonly pid: number;
  readonly nodeVersion: string;
  readonly uptimeSeconds: number;
  readonly findings: FindingReport;
}

/** The report as a page of the admin server. */
export function reportAnswer(report: VitalsReport): RouteAnswer {
  return {
    status: 200,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: `${JSON.stringify(report, undefined, 2)}\n`,
  };
}
