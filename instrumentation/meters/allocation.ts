import { GCProfiler, getHeapStatistics } from 'node:v8';
import { gcMetrics, heapMetrics } from '../catalogue';
import type { MeterContext } from './context';
import type { GcSource, GcType } from './gc-source';

interface HeapSnapshot {
  readonly heapStatistics: { readonly usedHeapSize: number };
  readonly heapSpaceStatistics: readonly { readonly spaceName: string; readonly spaceUsedSize: number }[];
}
interface ProfiledCollection {
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

/** Collections after which V8's report is taken: each is 3 kB of JSON, and 25 of them take a third of a millisecond. */
const reportSize = 25;

/**
 * Counts the bytes allocated, promoted and freed, and shows what a major collection left, out of V8's own
 * statistics before and after each collection (v8.GCProfiler).
 *
 * V8 counts allocation itself from Node.js 26; before, what was allocated since the last collection is the heap in
 * use now less what that one left.
 */
export function trackAllocation({ registry }: MeterContext, gc: GcSource): () => void {
  const allocated = registry.instrument(heapMetrics.allocated).with({});
  const promoted = registry.instrument(heapMetrics.promoted).with({});
  const live = registry.instrument(heapMetrics.live).with({});
  const freed = registry.instrument(gcMetrics.freed);
  const reports = gcReports();
  let total = 0;
  let usedAfterLast = getHeapStatistics().used_heap_size;

  /** Gives what the last major collection of the report left alive. */
  const take = (): number | undefined => {
    pending = 0;
    let left: number | undefined;
    for (const { gcType, beforeGC, afterGC } of reports.take()) {
      const before = beforeGC.heapStatistics.usedHeapSize;
      const after = afterGC.heapStatistics.usedHeapSize;
      total += Math.max(0, before - usedAfterLast);
      usedAfterLast = after;
      const type = types[gcType];
      if (type !== undefined && before > after) freed.with({ 'v8js.gc.type': type }).add(before - after);
      if (type === 'minor') promoted.add(Math.max(0, oldGeneration(afterGC) - oldGeneration(beforeGC)));
      if (type === 'major') left = oldGeneration(afterGC);
    }
    return left;
  };

  // The more collections there are, the sooner the report is taken, so that no reader waits for a long one.
  let pending = 0;
  const stopListening = gc.subscribe(collections => {
    pending += collections.length;
    const major = collections.findLast(({ type }) => type === 'major');
    if (major !== undefined && !major.forced) {
      const left = take();
      if (left !== undefined) live.set(left);
    } else if (pending >= reportSize || major !== undefined) {
      take();
    }
  });
  const stopReading = registry.onCollect(() => {
    const heap = getHeapStatistics() as ReturnType<typeof getHeapStatistics> & {
      readonly total_allocated_bytes?: number;
    };
    if (heap.total_allocated_bytes !== undefined) {
      allocated.set(heap.total_allocated_bytes);
      if (pending > 0) take();
      return;
    }
    take();
    const since = getHeapStatistics().used_heap_size - usedAfterLast;
    // Never backwards: a collection may lie between the report and this reading.
    allocated.set(Math.max(allocated.value, total + Math.max(0, since)));
  });
  return () => {
    stopListening();
    stopReading();
    reports.stop();
  };
}

/** V8's statistics of every collection, each once. */
function gcReports(): { take(): readonly ProfiledCollection[]; stop(): void } {
  let running = new GCProfiler();
  let next = new GCProfiler();
  running.start();
  return {
    take() {
      const ended = running;
      // Begun before the other ends, because writing its report may cause a collection.
      next.start();
      running = next;
      next = new GCProfiler();
      const report = ended.stop() as unknown as { statistics: readonly ProfiledCollection[] } | undefined;
      return report?.statistics ?? [];
    },
    stop: () => void running.stop(),
  };
}

function oldGeneration({ heapSpaceStatistics }: HeapSnapshot): number {
  let bytes = 0;
  for (const { spaceName, spaceUsedSize } of heapSpaceStatistics) {
    if (spaceName === 'old_space' || spaceName === 'large_object_space') bytes += spaceUsedSize;
  }
  return bytes;
}
