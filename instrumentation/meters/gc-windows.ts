import { GCProfiler } from 'node:v8';
import type { SpaceUse } from './heap-use';

/** V8's statistics around one collection. */
export interface ProfiledCollection {
  readonly gcType: string;
  readonly beforeGC: HeapSnapshot;
  readonly afterGC: HeapSnapshot;
}

interface HeapSnapshot {
  readonly heapSpaceStatistics: readonly SpaceUse[];
}

/** A window costs some 100 us, so that ten a second are a thousandth of the time. */
const intervalMs = 100;
/** Profilers that outlive their window at a time. */
const mostOutlived = 2;

/** Looks through `v8.GCProfiler` at collections now and then. */
export interface GcWindows {
  /** Begins to look, if it is time and safe; gives whether it looks now. */
  open(): boolean;
  /** Ends looking; `undefined` where it did not look. */
  close(): readonly ProfiledCollection[] | undefined;
  /** To be told of a major collection that came while it did not look. */
  majorEnded(): void;
}

/**
 * Looking all the time would cost more and more: a stopped profiler goes on writing 3 kB in 20 us at each collection
 * until it is collected itself (Node.js 20 to 26 leave its callbacks with V8), which takes a major collection once
 * it is old, and without being stopped it can't be read. One that saw a single scavenge is young and goes with the
 * next. So a window is to be closed after the first collection; where two have lasted longer, none is opened before
 * the next major collection has cleared up.
 */
export function gcWindows(now: () => number = () => performance.now()): GcWindows {
  let profiler: GCProfiler | undefined;
  let notBefore = 0;
  let outlived = 0;
  return {
    open() {
      if (profiler !== undefined) return true;
      if (outlived >= mostOutlived || now() < notBefore) return false;
      notBefore = now() + intervalMs;
      profiler = new GCProfiler();
      profiler.start();
      return true;
    },
    close() {
      if (profiler === undefined) return undefined;
      const report = profiler.stop() as unknown as { statistics: readonly ProfiledCollection[] } | undefined;
      profiler = undefined;
      const collections = report?.statistics ?? [];
      const moves = collections.map(moverOf).filter(type => type !== undefined);
      if (moves.length > 1 || moves.includes('major')) outlived++;
      return collections;
    },
    majorEnded() {
      outlived = 0;
    },
  };
}

/** The types of collection that free or move objects. */
export type GcMover = 'minor' | 'major';

/** The type of a collection by V8's name for it; `undefined` for steps that neither free nor move. */
export function moverOf({ gcType }: Pick<ProfiledCollection, 'gcType'>): GcMover | undefined {
  if (gcType === 'Scavenge' || gcType === 'MinorMarkCompact' || gcType === 'MinorMarkSweep') return 'minor';
  return gcType === 'MarkSweepCompact' ? 'major' : undefined;
}
