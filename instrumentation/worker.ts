import { getHeapStatistics } from 'node:v8';
import * as threads from 'node:worker_threads';
import { freeSlot, inheritedSlots, reportIntervalMs, takeSlot, writeSlot } from './meters/thread-slots';

/**
 * The preload inside a worker thread: no server and no profiler, only this thread's figures for the main thread.
 */
export function startInWorker(): void {
  const memory = inheritedSlots();
  if (memory === undefined) return;
  // Node.js has the name since 22.20 and 24.6.
  const slot = takeSlot(memory, (threads as { threadName?: string | null }).threadName ?? '');
  if (slot === undefined) return;
  let last = performance.eventLoopUtilization();
  const report = (): void => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    writeSlot(memory, slot, getHeapStatistics().used_heap_size, utilization);
    last = now;
  };
  writeSlot(memory, slot, getHeapStatistics().used_heap_size, Number.NaN);
  setInterval(report, reportIntervalMs).unref();
  process.once('exit', () => freeSlot(memory, slot));
}
