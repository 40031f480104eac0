import { median } from './spawned';
import type { BenchResult } from './types';

/** Runs `n` operations. */
export type Work = (n: number) => Promise<unknown>;

const warmUp = 2000;
const pairs = 80;
const operations = 150;

/** Runs the work `n` times, by several callers at once, as a server's requests do. */
export const repeated =
  (work: (i: number) => PromiseLike<unknown>, callers = 4): Work =>
  n =>
    Promise.all(
      Array.from({ length: callers }, async (_, caller) => {
        for (let i = caller; i < n; i += callers) await work(i);
      }),
    );

/**
 * The same with ours and with the peer, by the clock and by the CPU time of this process: the medians of the ratios of
 * short pairs that ran one after the other, so that what else the machine does is the same for both.
 *
 * @param goal share of the peer's speed, by the clock
 * @param cpuGoal as `goal`, by CPU time
 */
export async function pairRows(
  name: string,
  ours: Work,
  peer: Work,
  peerName: string,
  goal?: number,
  cpuGoal?: number,
): Promise<BenchResult[]> {
  const works = { ours, peer };
  const clock = { ours: [] as number[], peer: [] as number[] };
  const cpu = { ours: [] as number[], peer: [] as number[] };
  for (const which of ['ours', 'peer', 'ours', 'peer'] as const) await works[which](warmUp);
  for (let pair = 0; pair < pairs; pair++) {
    for (const which of pair % 2 === 0 ? (['ours', 'peer'] as const) : (['peer', 'ours'] as const)) {
      const before = process.cpuUsage();
      const began = performance.now();
      await works[which](operations);
      clock[which].push(((performance.now() - began) * 1000) / operations);
      const { user, system } = process.cpuUsage(before);
      cpu[which].push((user + system) / operations);
    }
  }
  const result = (of: typeof clock, how: string, goal?: number): BenchResult => {
    const ratio = median(of.peer.map((time, i) => time / of.ours[i]!));
    return {
      name: `${name}, ${how}`,
      ours: median(of.ours),
      peer: median(of.peer),
      peerName,
      unit: 'us',
      ratio,
      goal: goal === undefined ? '' : `>= ${goal} of the speed`,
      met: goal === undefined ? undefined : ratio >= goal,
    };
  };
  return [result(clock, 'by the clock', goal), result(cpu, 'CPU time', cpuGoal)];
}
