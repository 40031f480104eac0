import { join } from 'node:path';
import { median, repository } from '../spawned';
import type { BenchResult } from '../types';
import { againstBefore } from './rows';

const code = require(join(repository, 'bench/labs/code/inefficient-function.cjs')) as Record<
  'before' | 'after',
  (items: number) => { readonly joined: string; indexOf(item: string): number }
> & { readonly items: number };
const rounds = 7;

/** Exercise 1 of the handbook, as it was and done well. */
export async function run(): Promise<BenchResult[]> {
  const { before, after, items } = code;
  const times = { before: [] as number[], after: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    for (const [way, one] of [
      ['before', before],
      ['after', after],
    ] as const) {
      const cpu = process.cpuUsage();
      one(items);
      const { user, system } = process.cpuUsage(cpu);
      times[way].push((user + system) / 1000);
    }
  }
  return [
    againstBefore(
      `the inefficient function, ${items} items`,
      median(times.after),
      median(times.before),
      'ms',
      20,
    ),
  ];
}
