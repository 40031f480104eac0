import { threadMetrics } from '../catalogue';
import type { GaugeCell } from '../metrics/cells';
import type { Meter } from './context';
import { openSlots, readSlots } from './thread-slots';

/** Share of the time between two readings that listing the active resources may take. */
const listingShare = 0.001;

/** Active resources of the main thread, and the figures that worker threads leave. */
export const meterThreads: Meter = ({ registry }) => {
  const m = threadMetrics;
  const active = registry.instrument(m.active);
  const workers = registry.instrument(m.workers).with({});
  const utilization = registry.instrument(m.workerUtilization);
  const heap = registry.instrument(m.workerHeap);
  const memory = openSlots();
  let shown: { utilization: GaugeCell; heap: GaugeCell }[] = [];

  const resources = throttled(listingShare, () => {
    for (const cell of active.cells()) cell.set(0);
    const counts = new Map<string, number>();
    for (const type of process.getActiveResourcesInfo()) counts.set(type, (counts.get(type) ?? 0) + 1);
    for (const [type, count] of counts) active.with({ 'v8js.resource.type': type }).set(count);
  });

  return registry.onCollect(() => {
    resources();
    const reports = readSlots(memory);
    workers.set(reports.length);
    const gone = new Set(shown);
    shown = [];
    for (const report of reports) {
      const attributes = { 'thread.name': nameOf(report, reports) };
      const cells = { utilization: utilization.with(attributes), heap: heap.with(attributes) };
      cells.utilization.set(Number.isNaN(report.utilization) ? undefined : report.utilization);
      cells.heap.set(report.heapUsed);
      for (const old of gone) if (old.heap === cells.heap) gone.delete(old);
      shown.push(cells);
    }
    for (const cells of gone) {
      utilization.remove(cells.utilization);
      heap.remove(cells.heap);
    }
  });
};

/** Two workers of one name are told apart by their slots. */
function nameOf(report: { name: string; slot: number }, all: readonly { name: string }[]): string {
  const same = all.filter(other => other.name === report.name).length;
  return same > 1 ? `${report.name}-${report.slot}` : report.name;
}

/** Runs `work` unless that would take more than `share` of the time since it last ran. */
function throttled(share: number, work: () => void): () => void {
  let next = 0;
  return () => {
    const begin = performance.now();
    if (begin < next) return;
    work();
    const took = performance.now() - begin;
    // Under a millisecond it may run at every reading.
    next = took < 1 ? 0 : begin + took / share;
  };
}
