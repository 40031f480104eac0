import { getHeapStatistics } from 'node:v8';
import { gcMetrics } from '../../catalogue';
import type { Collection, GcSource } from '../../meters/gc-source';
import { heapUseNow } from '../../meters/heap-use';
import { memoryUse } from '../../meters/memory-use';
import { inheritedSlots, readSlots } from '../../meters/thread-slots';
import type { MetricRegistry } from '../../metrics/registry';

/** The memory of the process over one interval. Of what goes up and down with garbage it is the least that was seen. */
export interface MemorySnapshot {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Old and large-object space just after major collections that nobody forced; absent where there was none. */
  readonly liveBytes: number | undefined;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  /** Taken from the system and not in use. */
  readonly heapIdleBytes: number;
  readonly heapPhysicalBytes: number;
  readonly heapLimitBytes: number;
  /** Memory outside the heap that belongs to JavaScript objects; array buffers are the most of it. */
  readonly externalBytes: number;
  readonly arrayBuffersBytes: number;
  readonly rssBytes: number;
  /** What is resident and neither heap nor external. */
  readonly nativeBytes: number;
  /** Of which the heaps of worker threads, as far as they run the preload and report. */
  readonly workerHeapBytes: number;
  /** What keeps the event loop going, and how many of each type, the ten most frequent. */
  readonly activeResources: number;
  readonly resources: Readonly<Record<string, number>>;
  /** Collections since the start of the process, forced ones among them. */
  readonly collections: number;
  readonly majorCollections: number;
  /** Share of the interval in which collections held up the main thread: a lower bound of what they cost. */
  readonly gcPauseFraction: number;
  /** When the last collection was told of; absent before the first. */
  readonly lastGcAt: number | undefined;
  /** Bytes allocated a second, which stands for how much there was to do. */
  readonly allocationPerSecond: number;
}

export interface SnapshotSource {
  /** To be called several times in an interval. */
  sample(): void;
  /** Ends an interval. */
  take(): MemorySnapshot;
  stop(): void;
}

/** Milliseconds that the list of resources may take; one that took longer is made once in an interval. */
const longestListingMs = 1;
const mostTypes = 10;
/** Milliseconds between two looks at external memory because of collections. */
const externalPauseMs = 1000;

/** Reads the memory of the process. */
export function snapshotSource(
  registry: MetricRegistry,
  gc: GcSource,
  onMajor: (collection: Collection) => void = () => {},
  now: () => number = Date.now,
): SnapshotSource {
  const freed = registry.instrument(gcMetrics.freed);
  const freedBytes = (): number => [...freed.cells()].reduce((sum, { value }) => sum + value, 0);
  let collections = 0;
  let majors = 0;
  let pauses = 0;
  let lastGcAt: number | undefined;
  let minors = 0;
  let live = Infinity;
  let least = { external: Infinity, native: Infinity };
  let externalAt = 0;
  let resources = countResources();
  let listingMs = 0;
  const total = (): number => getHeapStatistics().used_heap_size;
  let since = { at: now(), used: total(), freed: freedBytes() };

  const lookAtMemory = (): NodeJS.MemoryUsage & { native: number; physical: number } => {
    const memory = memoryUse();
    const physical = getHeapStatistics().total_physical_size;
    const native = Math.max(0, memory.rss - physical - memory.external);
    least = { external: Math.min(least.external, memory.external), native: Math.min(least.native, native) };
    return { ...memory, native, physical };
  };

  const stop = gc.subscribe(told => {
    lastGcAt = now();
    collections += told.length;
    for (const collection of told) {
      pauses += collection.seconds;
      if (collection.type === 'minor') minors++;
      if (collection.type !== 'major') continue;
      majors++;
      if (collection.forced) continue;
      live = Math.min(live, heapUseNow().old);
      if (lastGcAt - externalAt >= externalPauseMs) {
        externalAt = lastGcAt;
        lookAtMemory();
      }
      onMajor(collection);
    }
  });

  return {
    sample() {
      lookAtMemory();
      if (listingMs > longestListingMs) return;
      const begin = performance.now();
      const counted = countResources();
      listingMs = performance.now() - begin;
      if (counted.count < resources.count) resources = counted;
    },
    take() {
      const at = now();
      const begin = performance.now();
      const counted = countResources();
      listingMs = performance.now() - begin;
      if (counted.count < resources.count) resources = counted;
      const memory = lookAtMemory();
      const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
      const seconds = Math.max(0.001, (at - since.at) / 1000);
      const freedNow = freedBytes();
      // The heap's meter may be left out; then the young generation's fillings are what is known.
      const allocated =
        freedNow > 0 ? used - since.used + freedNow - since.freed : minors * heapUseNow().youngCapacity;
      const snapshot: MemorySnapshot = {
        at,
        liveBytes: live === Infinity ? undefined : live,
        heapUsedBytes: memory.heapUsed,
        heapTotalBytes: memory.heapTotal,
        heapIdleBytes: memory.heapTotal - memory.heapUsed,
        heapPhysicalBytes: memory.physical,
        heapLimitBytes: limit,
        externalBytes: least.external,
        arrayBuffersBytes: memory.arrayBuffers,
        rssBytes: memory.rss,
        nativeBytes: least.native,
        workerHeapBytes: workerHeaps(),
        activeResources: resources.count,
        resources: resources.byType,
        collections,
        majorCollections: majors,
        gcPauseFraction: pauses / seconds,
        lastGcAt,
        allocationPerSecond: Math.max(0, allocated) / seconds,
      };
      live = Infinity;
      least = { external: Infinity, native: Infinity };
      pauses = 0;
      minors = 0;
      resources = counted;
      since = { at, used, freed: freedNow };
      return snapshot;
    },
    stop,
  };
}

function workerHeaps(): number {
  const slots = inheritedSlots();
  return slots === undefined ? 0 : readSlots(slots).reduce((sum, { heapUsed }) => sum + heapUsed, 0);
}

function countResources(): { count: number; byType: Record<string, number> } {
  const types = process.getActiveResourcesInfo();
  const counts = new Map<string, number>();
  for (const type of types) counts.set(type, (counts.get(type) ?? 0) + 1);
  const most = [...counts].sort((a, b) => b[1] - a[1]).slice(0, mostTypes);
  return { count: types.length, byType: Object.fromEntries(most) };
}
