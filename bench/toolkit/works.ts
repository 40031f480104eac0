import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Work } from '../micro';
import { repository } from '../spawned';
import { built } from './built';

const { LockFreeQueue, Mutex, ReadWriteLock } = built.lock;
const { ConnectionPool, ObjectPool } = built.objectPool;

const lanes = 100;

/** Runs the same work in many lanes at once, so that all but one wait. */
export function contended(work: (n: number) => Promise<void>, callers = lanes): Work {
  return n => Promise.all(Array.from({ length: callers }, () => work(Math.ceil(n / callers))));
}

/** What the toolkit does in each benchmark; the peers do the same in bench/object-pool.ts and bench/lock.ts. */
export function poolWorks(): Record<'objectPool' | 'connectionPool' | 'connectionPoolContended', Work> {
  const objects = new ObjectPool<object>({ name: 'bench', create: () => ({}), max: 10 });
  const connections = new ConnectionPool<object>({ name: 'bench', create: async () => ({}), maxActive: 10 });
  const connect = async (n: number): Promise<void> => {
    for (let i = 0; i < n; i++) connections.release(await connections.acquire());
  };
  return {
    objectPool(n) {
      for (let i = 0; i < n; i++) objects.release(objects.acquire());
    },
    connectionPool: connect,
    connectionPoolContended: contended(connect, 40),
  };
}

/** Messages through a queue: within a thread, and to another. */
export function queueWorks(): Record<'queue' | 'queueAcross', Work> {
  const near = new LockFreeQueue<number>({ name: 'bench' });
  const far = new LockFreeQueue<number>({ name: 'bench', capacity: 4096, messageBytes: 48 });
  let receiver: Worker | undefined;
  return {
    queue: n => {
      for (let i = 0; i < n; i++) {
        near.tryEnqueue(i);
        near.tryDequeue();
      }
    },
    queueAcross: async n => {
      if (receiver === undefined) {
        receiver = new Worker(join(repository, 'bench/setups/queue-receiver.cjs'), {
          workerData: far.shared,
        });
        await once(receiver, 'message');
      }
      const done = once(receiver, 'message');
      receiver.postMessage({ receive: 'queue', messages: n });
      for (let i = 0; i < n; i++) if (!far.tryEnqueue(i)) await far.enqueue(i);
      await done;
    },
  };
}

export function lockWorks(): Record<
  'mutex' | 'mutexContended' | 'read' | 'readContended' | 'write' | 'writeContended',
  Work
> {
  const mutex = new Mutex({ name: 'bench' });
  const lock = new ReadWriteLock({ name: 'bench' });
  const exclusive = async (n: number): Promise<void> => {
    for (let i = 0; i < n; i++) (await mutex.lock()).release();
  };
  const read = async (n: number): Promise<void> => {
    for (let i = 0; i < n; i++) (await lock.readLock()).release();
  };
  const write = async (n: number): Promise<void> => {
    for (let i = 0; i < n; i++) (await lock.writeLock()).release();
  };
  return {
    mutex: exclusive,
    mutexContended: contended(exclusive),
    read,
    readContended: contended(read),
    write,
    writeContended: contended(write),
  };
}
