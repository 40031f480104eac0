import { Mutex } from 'async-mutex';
import { measure } from './micro';
import { preloadedRows } from './toolkit/preloaded';
import { queueRow } from './toolkit/queue';
import { contended, lockWorks } from './toolkit/works';
import type { BenchResult } from './types';

const goal = 1.5;

/** Locking and unlocking beside async-mutex, and messages to another thread beside postMessage. */
export async function run(): Promise<BenchResult[]> {
  const peer = new Mutex();
  const lock = async (n: number): Promise<void> => {
    for (let i = 0; i < n; i++) (await peer.acquire())();
  };
  const times = await measure({ ...lockWorks(), peer: lock, peerContended: contended(lock) });
  const row = (name: string, ours: number, beside: number): BenchResult => ({
    name,
    ours,
    peer: beside,
    peerName: 'async-mutex',
    unit: 'ns',
    ratio: beside / ours,
    goal: `>= ${goal} times as fast`,
    met: beside / ours >= goal,
  });
  return [
    row('Mutex', times.mutex, times.peer),
    row('Mutex, 100 callers', times.mutexContended, times.peerContended),
    row('ReadWriteLock, reading', times.read, times.peer),
    row('ReadWriteLock, 100 readers', times.readContended, times.peerContended),
    row('ReadWriteLock, writing', times.write, times.peer),
    row('ReadWriteLock, 100 writers', times.writeContended, times.peerContended),
    await queueRow('text'),
    await queueRow('number'),
    ...(await preloadedRows('locks', {
      mutex: 'Mutex',
      mutexContended: 'Mutex, 100 callers',
      read: 'ReadWriteLock, reading',
      readContended: 'ReadWriteLock, 100 readers',
      write: 'ReadWriteLock, writing',
      writeContended: 'ReadWriteLock, 100 writers',
      queue: 'LockFreeQueue, a number within a thread',
      queueAcross: 'LockFreeQueue, a number to another thread',
    })),
  ];
}
