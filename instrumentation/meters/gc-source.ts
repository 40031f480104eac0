import { constants, PerformanceObserver } from 'node:perf_hooks';
import { guarded } from '../guard';
import type { Log } from '../log';
import type { MetricRegistry } from '../metrics/registry';

export type GcType = 'major' | 'minor' | 'incremental' | 'weakcb';

/** One garbage collection. */
export interface Collection {
  readonly type: GcType;
  readonly seconds: number;
  /** Whether code asked for it, so that it says nothing of the application's own garbage. */
  readonly forced: boolean;
}

/** Told of the collections since it was told last, oldest first; never of none. */
export type GcListener = (collections: readonly Collection[]) => void;

/** The process's garbage collections, observed once for all who want to know. */
export interface GcSource {
  /** The observer runs from the first subscription to the end of the last. */
  subscribe(listener: GcListener): () => void;
}

interface Entry {
  readonly duration: number;
  readonly detail: { readonly kind: number; readonly flags: number };
}

/** A kind of scavenge of newer V8, whose constant older versions of Node.js lack. */
const minorMarkSweep = 2;

const types = new Map<number, GcType>([
  [minorMarkSweep, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
]);

export function createGcSource({ registry, log }: { registry: MetricRegistry; log: Log }): GcSource {
  const listeners = new Set<GcListener>();
  let stop = (): void => {};

  const take = guarded(log, 'observing garbage collection', (entries: readonly Entry[]) => {
    // One callback brings every collection since the last one.
    const collections = entries.flatMap(({ duration, detail: { kind, flags } }): Collection[] => {
      const type = types.get(kind);
      if (type === undefined) return [];
      const forced = (flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0;
      return [{ type, seconds: duration / 1000, forced }];
    });
    if (collections.length > 0) for (const listener of listeners) listener(collections);
  });

  const start = (): void => {
    const observer = new PerformanceObserver(list => take(list.getEntries() as unknown as Entry[]));
    observer.observe({ entryTypes: ['gc'] });
    // What was observed and not yet delivered belongs to this reading.
    const stopReading = registry.onCollect(() => take(observer.takeRecords() as unknown as Entry[]));
    stop = () => {
      stopReading();
      observer.disconnect();
    };
  };

  return {
    subscribe(listener) {
      if (listeners.size === 0) start();
      listeners.add(listener);
      return () => {
        if (listeners.delete(listener) && listeners.size === 0) stop();
      };
    },
  };
}
