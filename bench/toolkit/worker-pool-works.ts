import { join } from 'node:path';
import type { Work } from '../micro';
import { repository } from '../spawned';
import { built } from './built';
import { contended } from './works';

const { TaskPool, WorkerPool } = built.workerPool;

export const poolFile = join(repository, 'bench/setups/pool-worker.cjs');
export const poolThreads = 2;
/** Callers that each wait for their task before they have the next. */
export const poolCallers = 100;

/** Tasks one after the other, and by many callers: tiny ones, and such as compute. */
export function tasksOf(
  run: (input: number) => Promise<unknown>,
  compute: (input: number) => Promise<unknown>,
): Record<'single' | 'crowd' | 'compute', Work> {
  const loop =
    (task: (input: number) => Promise<unknown>): ((n: number) => Promise<void>) =>
    async n => {
      for (let i = 0; i < n; i++) await task(i);
    };
  return {
    single: loop(run),
    crowd: contended(loop(run), poolCallers),
    compute: contended(loop(compute), 4),
  };
}

/** What worker pools do in the benchmark; bare piscina and p-queue do the same in bench/worker-pool.ts. */
export function workerPoolWorks(): Record<'single' | 'crowd' | 'compute' | 'tasks', Work> {
  const threads = new WorkerPool<number, number>({
    name: 'bench',
    file: poolFile,
    min: poolThreads,
    max: poolThreads,
  });
  const tasks = new TaskPool({ name: 'bench', max: 10 });
  let sum = 0;
  return {
    ...tasksOf(
      input => threads.run(input),
      input => threads.run(input, { handler: 'compute' }),
    ),
    tasks: contended(async n => {
      for (let i = 0; i < n; i++) await tasks.run(async () => (sum += i));
    }, poolCallers),
  };
}
