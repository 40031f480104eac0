import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import { heapMetrics } from '../catalogue';
import { trackAllocation } from './allocation';
import type { Meter } from './context';
import type { GcListener } from './gc';

/** Heap spaces, limit, live heap, allocation. The listener is to be told of collections by the gc meter. */
export function meterHeap(): { meter: Meter; onGc: GcListener } {
  let live: number | undefined;
  const onGc: GcListener = unforcedMajor => {
    if (unforcedMajor) live = liveHeap();
  };
  const meter: Meter = context => {
    const { registry } = context;
    const m = heapMetrics;
    const used = registry.instrument(m.used);
    const size = registry.instrument(m.spaceSize);
    const available = registry.instrument(m.spaceAvailable);
    const physical = registry.instrument(m.spacePhysical);
    const limit = registry.instrument(m.limit).with({});
    const liveCell = registry.instrument(m.live).with({});
    const detached = registry.instrument(m.detachedContexts).with({});
    const native = registry.instrument(m.nativeContexts).with({});
    const malloced = registry.instrument(m.malloced).with({});
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
      detached.set(heap.number_of_detached_contexts);
      native.set(heap.number_of_native_contexts);
      malloced.set(heap.malloced_memory);
      liveCell.set(live);
    });
    const stopTracking = trackAllocation(context);
    return () => {
      stopReading();
      stopTracking();
    };
  };
  return { meter, onGc };
}

/** Old and large-object space now: what a reader just after a major collection sees as alive. */
function liveHeap(): number {
  let bytes = 0;
  for (const space of getHeapSpaceStatistics()) {
    if (space.space_name === 'old_space' || space.space_name === 'large_object_space')
      bytes += space.space_used_size;
  }
  return bytes;
}
