import { getHeapStatistics } from 'node:v8';
import { collectGarbage } from '../../collect-garbage';

/** What one forced collection freed, and how long it held the process up. */
export interface GcMeasurement {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly durationMs: number;
  readonly beforeBytes: number;
  readonly afterBytes: number;
  readonly freedBytes: number;
  readonly externalFreedBytes: number;
  /** Committed to the heap; V8 gives some back at a collection. */
  readonly beforeTotalBytes: number;
  readonly afterTotalBytes: number;
}

/** Forces a full collection, which holds the process up, and measures it. */
export function measureGc(): GcMeasurement {
  const before = getHeapStatistics();
  const begin = performance.now();
  collectGarbage();
  const durationMs = performance.now() - begin;
  const after = getHeapStatistics();
  return {
    at: Date.now(),
    durationMs,
    beforeBytes: before.used_heap_size,
    afterBytes: after.used_heap_size,
    freedBytes: before.used_heap_size - after.used_heap_size,
    externalFreedBytes: before.external_memory - after.external_memory,
    beforeTotalBytes: before.total_heap_size,
    afterTotalBytes: after.total_heap_size,
  };
}
