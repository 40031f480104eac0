import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { measuredEnv, median, repository, setups } from '../spawned';
import type { BenchResult } from '../types';

const rounds = 9;
const goal = 0.97;
const run = promisify(execFile);

/**
 * The young generation that a process under load comes to, from the beginning and on both sides: at its first size it
 * is collected every few thousand messages, and each collection is measured by the agent.
 */
const nodeArgs = ['--min-semi-space-size=16'];

/**
 * What the toolkit's own works cost without and with the agent, in processes that take turns.
 *
 * The ratio is the median over the rounds, each of two processes that ran one after the other on a machine as busy for
 * both. Not that of the least times: how fast a process can be is decided by its compiler, differently each time, and the
 * luckiest of many shows neither what the agent costs nor what it does not.
 */
export async function preloadedRows(
  set: 'pools' | 'locks' | 'channels' | 'workers' | 'caches',
  names: Readonly<Record<string, string>>,
): Promise<BenchResult[]> {
  const times: Record<'bare' | 'vitals', Record<string, number>[]> = { bare: [], vitals: [] };
  for (let round = 0; round < rounds; round++) {
    for (const setup of round % 2 === 0 ? (['bare', 'vitals'] as const) : (['vitals', 'bare'] as const)) {
      const script = join(repository, 'bench/setups/toolkit.cjs');
      const { stdout } = await run(process.execPath, [...nodeArgs, ...setups[setup], script, set], {
        env: measuredEnv(),
      });
      times[setup].push(JSON.parse(stdout) as Record<string, number>);
    }
  }
  return Object.entries(names).map(([work, name]) => {
    const of = (setup: 'bare' | 'vitals'): number => median(times[setup].map(one => one[work]!));
    const ratio = median(times.bare.map((one, i) => one[work]! / times.vitals[i]![work]!));
    return {
      name: `${name}, agent preloaded`,
      ours: of('vitals'),
      peer: of('bare'),
      peerName: 'without it',
      unit: 'ns',
      ratio,
      goal: `>= ${goal} of the speed`,
      met: ratio >= goal,
    };
  });
}
