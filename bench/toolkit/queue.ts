import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { repository } from '../spawned';
import type { BenchResult } from '../types';
import { built } from './built';

// Short and many: the least counts, and short ones end undisturbed more often.
const rounds = 60;
const messages = 20_000;
const goal = 5;
const small = { text: 'order 4711 is paid', number: 4711.25 } as const;

/**
 * Messages from the main thread to a worker thread: through a LockFreeQueue and by postMessage, in turn. All that are
 * sent at once find room, as they do in a port.
 */
export async function queueRow(kind: keyof typeof small): Promise<BenchResult> {
  const queue = new built.lock.LockFreeQueue<string | number>({
    name: 'bench',
    capacity: 4096,
    messageBytes: 48,
  });
  const worker = new Worker(join(repository, 'bench/setups/queue-receiver.cjs'), {
    workerData: queue.shared,
  });
  await once(worker, 'message');
  const message = small[kind];
  const counted = async (send: () => void | Promise<void>): Promise<number> => {
    const done = once(worker, 'message');
    const begin = performance.now();
    await send();
    const [count] = (await done) as [number];
    if (count !== messages) throw new Error(`Expected ${messages} messages, got ${count}`);
    return ((performance.now() - begin) * 1e6) / messages;
  };
  const least = { ours: Infinity, peer: Infinity };
  for (let round = 0; round < rounds; round++) {
    worker.postMessage({ receive: 'queue', messages });
    const ours = await counted(async () => {
      for (let i = 0; i < messages; i++) if (!queue.tryEnqueue(message)) await queue.enqueue(message);
    });
    worker.postMessage({ receive: 'port', messages });
    const peer = await counted(() => {
      for (let i = 0; i < messages; i++) worker.postMessage(message);
    });
    least.ours = Math.min(least.ours, ours);
    least.peer = Math.min(least.peer, peer);
  }
  await worker.terminate();
  queue.close();
  return rowOf(`LockFreeQueue, a ${kind} to another thread`, least);
}

function rowOf(name: string, { ours, peer }: { ours: number; peer: number }): BenchResult {
  const ratio = peer / ours;
  return {
    name,
    ours,
    peer,
    peerName: 'postMessage',
    unit: 'ns',
    ratio,
    goal: `>= ${goal} times as fast`,
    met: ratio >= goal,
  };
}
