import { GCProfiler, getHeapStatistics } from 'node:v8';
import { gcMetrics, heapMetrics } from '../catalogue';
import type { MeterContext } from './context';
import type { GcType } from './gc';

interface SpaceSnapshot {
  readonly spaceName: string;
  readonly spaceUsedSize: number;
}
interface HeapSnapshot {
  readonly heapStatistics: { readonly usedHeapSize: number };
  readonly heapSpaceStatistics: readonly SpaceSnapshot[];
}
interface Collection {
  readonly gcType: string;
  readonly beforeGC: HeapSnapshot;
  readonly afterGC: HeapSnapshot;
}

const types: Readonly<Record<string, GcType>> = {
  Scavenge: 'minor',
  MinorMarkCompact: 'minor',
  MinorMarkSweep: 'minor',
  MarkSweepCompact: 'major',
  IncrementalMarking: 'incremental',
  ProcessWeakCallbacks: 'weakcb',
};

/** Collections that a report should hold: each is 3 kB of JSON, and 40 of them take half a millisecond to read. */
const reportSize = 40;
const shortestMs = 100;
const longestMs = 10_000;

/**
 * Counts the bytes allocated, promoted and freed, out of V8's own statistics before and after each collection
 * (v8.GCProfiler). What was allocated since the last collection is the heap in use now less what it left.
 */
export function trackAllocation({ registry }: MeterContext): () => void {
  const allocated = registry.instrument(heapMetrics.allocated).with({});
  const promoted = registry.instrument(heapMetrics.promoted).with({});
  const freed = registry.instrument(gcMetrics.freed);

  let profiler = new GCProfiler();
  profiler.start();
  let total = 0;
  let usedAfterLast = getHeapStatistics().used_heap_size;

  const take = (): number => {
    const report = profiler.stop() as unknown as { statistics: readonly Collection[] } | undefined;
    profiler = new GCProfiler();
    profiler.start();
    const statistics = report?.statistics ?? [];
    for (const { gcType, beforeGC, afterGC } of statistics) {
      const before = beforeGC.heapStatistics.usedHeapSize;
      const after = afterGC.heapStatistics.usedHeapSize;
      total += Math.max(0, before - usedAfterLast);
      usedAfterLast = after;
      const type = types[gcType];
      if (type !== undefined && before > after) freed.with({ 'v8js.gc.type': type }).add(before - after);
      if (type === 'minor') promoted.add(Math.max(0, oldGeneration(afterGC) - oldGeneration(beforeGC)));
    }
    return statistics.length;
  };

  // Reports are taken the sooner the more collections there are, so that no reader waits for a long one.
  let timer: NodeJS.Timeout;
  const plan = (delayMs: number): void => {
    timer = setTimeout(() => {
      const collections = take();
      const ideal = collections === 0 ? longestMs : (delayMs * reportSize) / collections;
      plan(Math.min(longestMs, Math.max(shortestMs, Math.min(ideal, delayMs * 2))));
    }, delayMs).unref();
  };
  plan(1000);
  const stopReading = registry.onCollect(() => {
    take();
    const since = getHeapStatistics().used_heap_size - usedAfterLast;
    // Never backwards: a collection may lie between the report and this reading.
    allocated.set(Math.max(allocated.value, total + Math.max(0, since)));
  });
  return () => {
    clearTimeout(timer);
    stopReading();
    profiler.stop();
  };
}

function oldGeneration(snapshot: HeapSnapshot): number {
  let bytes = 0;
  for (const { spaceName, spaceUsedSize } of snapshot.heapSpaceStatistics) {
    if (spaceName === 'old_space' || spaceName === 'large_object_space') bytes += spaceUsedSize;
  }
  return bytes;
}
