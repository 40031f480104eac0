import type { Recent } from './window';

/** Why points are taken off a health score. */
export type HealthProblem =
  | 'pool_saturated'
  | 'slow_acquisition'
  | 'acquire_timeouts'
  | 'connect_failures'
  | 'error_rate'
  | 'slow_queries'
  | 'connections_leaked';

/** Points taken off, with what for. */
export interface HealthDeduction {
  readonly problem: HealthProblem;
  readonly points: number;
  /** What was measured, and from where on points are taken off. Ratios from 0 to 1, times in milliseconds. */
  readonly measured: number;
  readonly allowed: number;
}

/** How well a database does, by what happened within `windowMs`. */
export interface DatabaseHealth {
  /** 100 less all that is taken off, and at least 0. */
  readonly score: number;
  readonly deductions: readonly HealthDeduction[];
  readonly recent: Recent;
}

/** From where on how many points are taken off, worst first. */
type Grades = readonly (readonly [above: number, points: number])[];

/** Points and bounds of utilization and errors are those of the handbook. */
const grades: Readonly<Record<HealthProblem, Grades>> = {
  pool_saturated: [
    [0.9, 20],
    [0.7, 10],
  ],
  slow_acquisition: [
    [100, 15],
    [20, 5],
  ],
  acquire_timeouts: [[0, 20]],
  connect_failures: [[0, 25]],
  error_rate: [
    [0.05, 25],
    [0.01, 10],
  ],
  slow_queries: [
    [0.1, 15],
    [0.01, 5],
  ],
  connections_leaked: [[0, 15]],
};

/** Fewer queries than this say nothing of a rate, nor do fewer acquisitions, the first of which open connections, of a mean. */
export const fewestForRate = 20;

/** Judges what happened lately. Pure. */
export function healthOf(recent: Recent, max: number, leaked: number): DatabaseHealth {
  const { ms, queries, errors, slow, acquired, waitMs } = recent;
  const rate = (part: number): number => (queries >= fewestForRate ? part / queries : 0);
  const measured: Readonly<Record<HealthProblem, number>> = {
    pool_saturated: utilization(recent, max),
    slow_acquisition: acquired >= fewestForRate ? waitMs / acquired : 0,
    acquire_timeouts: recent.acquireTimeouts,
    connect_failures: recent.connectFailures,
    error_rate: rate(errors),
    slow_queries: rate(slow),
    connections_leaked: leaked,
  };
  const deductions: HealthDeduction[] = [];
  for (const [problem, steps] of Object.entries(grades) as [HealthProblem, Grades][]) {
    // A moment of full use is none of bad health.
    if (problem === 'pool_saturated' && ms < 1000) continue;
    const step = steps.find(([above]) => measured[problem] > above);
    if (step !== undefined) {
      deductions.push({ problem, points: step[1], measured: measured[problem], allowed: step[0] });
    }
  }
  const lost = deductions.reduce((sum, { points }) => sum + points, 0);
  return { score: Math.max(0, 100 - lost), deductions, recent };
}

/** Mean share of the connections that there may be which was in use, from 0 to 1. */
export function utilization({ inUseMs, ms }: Recent, max: number): number {
  return ms <= 0 ? 0 : inUseMs / ms / max;
}
