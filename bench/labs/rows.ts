import type { BenchResult } from '../types';

/** A row of a lab: what came of the change, beside what it was. `goal`: how many times less it must be, at least. */
export function againstBefore(
  name: string,
  after: number,
  before: number,
  unit: string,
  goal?: number,
  peerName = 'before',
): BenchResult {
  const ratio = before / after;
  return {
    name,
    ours: after,
    peer: before,
    peerName,
    unit,
    ratio,
    goal: goal === undefined ? '' : `>= ${goal} times less`,
    met: goal === undefined ? undefined : ratio >= goal,
  };
}
