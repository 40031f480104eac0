import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import { heapMetrics } from '../catalogue';
import { trackAllocation } from './allocation';
import type { Meter } from './context';
import type { GcSource } from './gc-source';
import { oldGenerationLimit } from './heap-limits';

/** Heap spaces, limit, live heap, allocation. */
export function meterHeap(gc: GcSource): Meter {
  return context => {
    const { registry } = context;
    const m = heapMetrics;
    const used = registry.instrument(m.used);
    const size = registry.instrument(m.spaceSize);
    const available = registry.instrument(m.spaceAvailable);
    const physical = registry.instrument(m.spacePhysical);
    const limit = registry.instrument(m.limit).with({});
    const oldLimit = registry.instrument(m.oldGenerationLimit).with({});
    const detached = registry.instrument(m.detachedContexts).with({});
    const native = registry.instrument(m.nativeContexts).with({});
    const malloced = registry.instrument(m.malloced).with({});
    const stopTracking = trackAllocation(context, gc);
    const stopReading = registry.onCollect(() => {
      for (const space of getHeapSpaceStatistics()) {
        const attributes = { 'v8js.heap.space.name': space.space_name };
        used.with(attributes).set(space.space_used_size);
        size.with(attributes).set(space.space_size);
        available.with(attributes).set(space.space_available_size);
        physical.with(attributes).set(space.physical_space_size);
      }
      const heap = getHeapStatistics();
      limit.set(heap.heap_size_limit);
      oldLimit.set(oldGenerationLimit());
      detached.set(heap.number_of_detached_contexts);
      native.set(heap.number_of_native_contexts);
      malloced.set(heap.malloced_memory);
    });
    return () => {
      stopReading();
      stopTracking();
    };
  };
}
