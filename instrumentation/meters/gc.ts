import { constants, PerformanceObserver, type PerformanceObserverEntryList } from 'node:perf_hooks';
import { gcMetrics } from '../catalogue';
import type { Meter } from './context';

export type GcType = 'major' | 'minor' | 'incremental' | 'weakcb';

interface GcEntry {
  readonly duration: number;
  readonly detail: { readonly kind: number; readonly flags: number };
}

const types = new Map<number, GcType>([
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
]);

/** Told after collections that ended, whether one of them was a major one that nobody forced. */
export type GcListener = (unforcedMajor: boolean) => void;

/** Pauses by garbage collection, and word of each to whoever listens. */
export function meterGc(listener: GcListener = () => {}): Meter {
  return ({ registry }) => {
    const duration = registry.instrument(gcMetrics.duration);
    const take = (entries: readonly GcEntry[]): void => {
      let unforcedMajor = false;
      // One callback brings every collection since the last one.
      for (const { duration: ms, detail } of entries) {
        const type = types.get(detail.kind);
        if (type === undefined) continue;
        const forced = (detail.flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0;
        duration
          .with({ 'v8js.gc.type': type, 'vitals.gc.forced': forced ? 'true' : undefined })
          .record(ms / 1000);
        if (type === 'major' && !forced) unforcedMajor = true;
      }
      if (entries.length > 0) listener(unforcedMajor);
    };
    const observer = new PerformanceObserver((list: PerformanceObserverEntryList) =>
      take(list.getEntries() as unknown as GcEntry[]),
    );
    observer.observe({ entryTypes: ['gc'] });
    // What was observed and not yet delivered belongs to this collection.
    const stopReading = registry.onCollect(() => take(observer.takeRecords() as unknown as GcEntry[]));
    return () => {
      stopReading();
      observer.disconnect();
    };
  };
}
