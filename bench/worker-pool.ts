import { Piscina } from 'piscina';
import { measure, type Work } from './micro';
import { preloadedRows } from './toolkit/preloaded';
import { poolCallers, poolFile, poolThreads, tasksOf, workerPoolWorks } from './toolkit/worker-pool-works';
import { contended } from './toolkit/works';
import type { BenchResult } from './types';

const names = {
  single: 'WorkerPool, tiny tasks one by one',
  crowd: `WorkerPool, tiny tasks of ${poolCallers} callers`,
  compute: 'WorkerPool, tasks of a millisecond',
  tasks: `TaskPool, tasks of ${poolCallers} callers, 10 at a time`,
};

/** Tasks on threads beside bare piscina with as many, and on the event loop beside p-queue. */
export async function run(): Promise<BenchResult[]> {
  const piscina = new Piscina({ filename: poolFile, minThreads: poolThreads, maxThreads: poolThreads });
  const bare = tasksOf(
    input => piscina.run(input),
    input => piscina.run(input, { name: 'compute' }),
  );
  const works = workerPoolWorks();
  const rows: BenchResult[] = [];
  for (const kind of ['single', 'crowd', 'compute'] as const) {
    const { ours, peer } = await leastOf({ ours: works[kind], peer: bare[kind] });
    rows.push(row(names[kind], ours, peer, 'piscina', 0.95));
  }
  await piscina.destroy();
  const { ours, peer } = await leastOf({ ours: works.tasks, peer: await queued() });
  rows.push(row(names.tasks, ours, peer, 'p-queue', 1));
  return [...rows, ...(await preloadedRows('workers', names))];
}

/**
 * The least of several measurements. What a round trip between threads costs depends on which of the two sleeps when,
 * and is steady only after some ten thousand of them.
 */
async function leastOf(
  pair: Readonly<Record<'ours' | 'peer', Work>>,
): Promise<Record<'ours' | 'peer', number>> {
  const least = { ours: Infinity, peer: Infinity };
  for (let round = 0; round < 4; round++) {
    const { ours, peer } = await measure(pair, 30);
    if (round === 0) continue;
    least.ours = Math.min(least.ours, ours);
    least.peer = Math.min(least.peer, peer);
  }
  return least;
}

async function queued(): Promise<Work> {
  const { default: PQueue } = await import('p-queue');
  const queue = new PQueue({ concurrency: 10 });
  let sum = 0;
  return contended(async n => {
    for (let i = 0; i < n; i++) await queue.add(async () => (sum += i));
  }, poolCallers);
}

function row(name: string, ours: number, peer: number, peerName: string, goal: number): BenchResult {
  const ratio = peer / ours;
  return {
    name,
    ours,
    peer,
    peerName,
    unit: 'ns',
    ratio,
    goal: `>= ${goal} of the speed`,
    met: ratio >= goal,
  };
}
