import { createPool } from 'generic-pool';
import { Pool } from 'tarn';
import { measure } from './micro';
import { preloadedRows } from './toolkit/preloaded';
import { contended, poolWorks } from './toolkit/works';
import type { BenchResult } from './types';

/** Taking and giving back, beside generic-pool and tarn. */
export async function run(): Promise<BenchResult[]> {
  const generic = createPool({ create: async () => ({}), destroy: async () => {} }, { max: 10 });
  const tarn = new Pool<object>({ create: async () => ({}), destroy: () => {}, min: 0, max: 10 });
  const connect = async (n: number): Promise<void> => {
    for (let i = 0; i < n; i++) tarn.release(await tarn.acquire().promise);
  };
  const times = await measure({
    ...poolWorks(),
    genericPool: async n => {
      for (let i = 0; i < n; i++) await generic.release(await generic.acquire());
    },
    tarn: connect,
    tarnContended: contended(connect, 40),
  });
  await generic.drain();
  await generic.clear();
  await tarn.destroy();
  const row = (name: string, ours: number, peer: number, peerName: string, goal: number): BenchResult => ({
    name,
    ours,
    peer,
    peerName,
    unit: 'ns',
    ratio: peer / ours,
    goal: `>= ${goal} times as fast`,
    met: peer / ours >= goal,
  });
  const { objectPool, genericPool, connectionPool, connectionPoolContended } = times;
  return [
    row('ObjectPool', objectPool, genericPool, 'generic-pool', 5),
    row('ConnectionPool', connectionPool, times.tarn, 'tarn', 0.9),
    row('ConnectionPool, 40 callers for 10', connectionPoolContended, times.tarnContended, 'tarn', 0.9),
    ...(await preloadedRows('pools', {
      objectPool: 'ObjectPool',
      connectionPool: 'ConnectionPool',
      connectionPoolContended: 'ConnectionPool, 40 callers for 10',
    })),
  ];
}
