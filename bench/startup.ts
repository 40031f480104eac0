import { spawnSync } from 'node:child_process';
import { measuredEnv, median, repository, type Setup, setups } from './spawned';
import type { BenchResult } from './types';

const rounds = 21;

/** Start-up time that each set-up adds to Node.js, in interleaved runs. */
export async function run(): Promise<BenchResult[]> {
  const times: Record<Setup | 'disabled', number[]> = {
    bare: [],
    vitals: [],
    disabled: [],
    official: [],
    auto: [],
  };
  const disabled = measuredEnv({ OTEL_SDK_DISABLED: 'true' });
  const runs: Record<Setup | 'disabled', () => number> = {
    bare: () => runOnce(setups.bare),
    vitals: () => runOnce(setups.vitals),
    disabled: () => runOnce(setups.vitals, disabled),
    official: () => runOnce(setups.official),
    auto: () => runOnce(setups.auto),
  };
  for (const once of Object.values(runs)) once();
  for (let round = 0; round < rounds; round++) {
    for (const [name, once] of Object.entries(runs)) times[name as Setup].push(once());
  }
  const bare = median(times.bare);
  const added = (name: keyof typeof times): number => median(times[name]) - bare;
  const row = (name: string, peer: Setup, goal: number): BenchResult => {
    const ratio = added('vitals') / added(peer);
    return {
      name,
      ours: added('vitals'),
      peer: added(peer),
      peerName: peer === 'official' ? 'sdk-node set-up' : 'auto-instrumentations-node',
      unit: 'ms added',
      ratio,
      goal: `<= ${goal}`,
      met: ratio <= goal,
    };
  };
  const off = added('disabled');
  return [
    row('start-up', 'official', 0.4),
    row('start-up', 'auto', 0.2),
    {
      name: 'start-up, OTEL_SDK_DISABLED',
      ours: off,
      peer: bare,
      peerName: 'bare node, total',
      unit: 'ms added',
      ratio: off / bare,
      goal: '<= 10 ms',
      met: off <= 10,
    },
  ];
}

/** Milliseconds from spawn to exit of a script that does nothing. */
function runOnce(nodeArgs: readonly string[], env = measuredEnv()): number {
  const begin = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [...nodeArgs, '-e', 'process.exit(0)'], {
    cwd: repository,
    env,
    encoding: 'utf8',
  });
  if (status !== 0)
    throw new Error(`Expected exit status 0 of ${nodeArgs.join(' ')}, got ${status}: ${stderr}`);
  return performance.now() - begin;
}
