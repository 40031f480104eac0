import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { collectGarbage } from '../../test/helpers/garbage';
import { repository } from '../spawned';
import type { BenchResult } from '../types';
import { againstBefore } from './rows';

const leaks = require(join(repository, 'bench/labs/code/leaks.cjs')) as Record<
  'loop' | 'slice' | 'timer',
  Record<'before' | 'after', (id: number) => unknown>
>;
const requests = 2000;
const titles = {
  loop: 'a loop that nothing ends',
  slice: 'a slice that keeps its buffer',
  timer: 'a time limit that is not cleared',
};

/** What a thousand requests leave behind, with the handbook's leaks and without. */
export async function run(): Promise<BenchResult[]> {
  const rows: BenchResult[] = [];
  for (const leak of ['loop', 'slice', 'timer'] as const) {
    const after = await left(leaks[leak].after);
    const before = await left(leaks[leak].before);
    rows.push(againstBefore(`${titles[leak]}, left by 1000 requests`, after, before, 'KiB', 5));
  }
  return rows;
}

async function left(handle: (id: number) => unknown): Promise<number> {
  for (let id = 0; id < 100; id++) await handle(-1 - id);
  const began = await alive();
  for (let id = 0; id < requests; id++) await handle(id);
  // Not less than nothing, where older garbage went as well.
  return Math.max(1, ((await alive()) - began) / 1024 / (requests / 1000));
}

async function alive(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await sleep(10);
    collectGarbage();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
