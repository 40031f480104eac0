import { threadMetrics } from '../catalogue';
import type { GaugeCell } from '../metrics/cells';
import type { Meter } from './context';
import { openSlots } from './thread-slots';
import { watchThreads } from './worker-list';

/** Milliseconds that listing the active resources may take because of a reading. */
const longestListingMs = 1;

/** Active resources of the main thread, and its worker threads. */
export const meterThreads: Meter = ({ registry, onTick }) => {
  const m = threadMetrics;
  const active = registry.instrument(m.active);
  const workers = registry.instrument(m.workers).with({});
  const utilization = registry.instrument(m.workerUtilization);
  const heap = registry.instrument(m.workerHeap);
  const threads = watchThreads(openSlots());
  let shown = new Map<string, { utilization: GaugeCell; heap: GaugeCell }>();

  let listingMs = 0;
  const listResources = (): void => {
    const begin = performance.now();
    for (const cell of active.cells()) cell.set(0);
    const counts = new Map<string, number>();
    for (const type of process.getActiveResourcesInfo()) counts.set(type, (counts.get(type) ?? 0) + 1);
    for (const [type, count] of counts) active.with({ 'v8js.resource.type': type }).set(count);
    listingMs = performance.now() - begin;
  };

  const stopTick = onTick(() => {
    threads.tick();
    if (listingMs > longestListingMs) listResources();
  });
  const stopReading = registry.onCollect(() => {
    // With tens of thousands of resources the list is made on the clock instead.
    if (listingMs <= longestListingMs) listResources();
    const { count, named } = threads.read();
    workers.set(count);
    const now: typeof shown = new Map();
    for (const [name, figures] of named) {
      const attributes = { 'thread.name': name };
      const cells = shown.get(name) ?? {
        utilization: utilization.with(attributes),
        heap: heap.with(attributes),
      };
      cells.utilization.set(figures.utilization);
      cells.heap.set(figures.heapUsed);
      now.set(name, cells);
    }
    for (const [name, cells] of shown) {
      if (now.has(name)) continue;
      utilization.remove(cells.utilization);
      heap.remove(cells.heap);
    }
    shown = now;
  });
  return () => {
    stopTick();
    stopReading();
    threads.stop();
  };
};
