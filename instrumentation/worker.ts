import { getHeapStatistics } from 'node:v8';
import * as threads from 'node:worker_threads';
import {
  freeSlot,
  inheritedSlots,
  reportIntervalMs,
  takeSlot,
  threadNameOf,
  writeSlot,
} from './meters/thread-slots';
import { watchWorkerEnds } from './meters/worker-list';
import { contentionOfThread } from './profiling/thread-contention';

/**
 * The preload inside a worker thread: no server and no profiler, only this thread's figures for the main thread.
 */
export function startInWorker(): void {
  const memory = inheritedSlots();
  if (memory === undefined) return;
  const { threadId } = threads;
  const sendContention = contentionOfThread();
  if (sendContention !== undefined) {
    setInterval(sendContention, reportIntervalMs).unref();
    process.once('exit', sendContention);
  }
  const slot = takeSlot(memory, threadId, threadNameOf(threads));
  watchWorkerEnds(memory);
  if (slot === undefined) return;
  let last = performance.eventLoopUtilization();
  const report = (): void => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    writeSlot(memory, slot, { threadId, heapUsed: getHeapStatistics().used_heap_size, utilization });
    last = now;
  };
  writeSlot(memory, slot, {
    threadId,
    heapUsed: getHeapStatistics().used_heap_size,
    utilization: Number.NaN,
  });
  setInterval(report, reportIntervalMs).unref();
  process.once('exit', () => freeSlot(memory, threadId));
}
