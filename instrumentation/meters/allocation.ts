import { gcMetrics, heapMetrics } from '../catalogue';
import { createAllocationModel, type Moves, movesSeen, useAfter } from './allocation-model';
import type { MeterContext } from './context';
import type { Collection, GcSource } from './gc-source';
import { type GcMover, gcWindows, moverOf } from './gc-windows';
import { heapUseNow } from './heap-use';

/**
 * Counts the bytes allocated, promoted and freed, and shows what a major collection left.
 *
 * Time is divided where the observer tells of collections. Up to ten such spans a second are looked at through V8's
 * own figures before and after each collection, see {@link gcWindows}; of the others the number of collections and
 * the heap at both ends are known, and the rest follows from what was seen, see {@link createAllocationModel}.
 *
 * `total_allocated_bytes` of Node.js 26 is no help: it adds up buffers that V8 hands out and takes back, and comes to
 * twice the truth for an HTTP server.
 */
export function trackAllocation({ registry }: Pick<MeterContext, 'registry'>, gc: GcSource): () => void {
  const allocated = registry.instrument(heapMetrics.allocated).with({});
  const promoted = registry.instrument(heapMetrics.promoted).with({});
  const live = registry.instrument(heapMetrics.live).with({});
  const freed = registry.instrument(gcMetrics.freed);
  const freedBy = {
    minor: freed.with({ 'v8js.gc.type': 'minor' }),
    major: freed.with({ 'v8js.gc.type': 'major' }),
  };
  const model = createAllocationModel();
  const windows = gcWindows();
  /** Collections that a window has shown before the observer told of them. */
  const ahead = { minor: 0, major: 0 };
  let since = heapUseNow();
  let total = 0;

  const account = (moves: Moves): void => {
    total += moves.allocated;
    promoted.add(moves.promoted);
    freedBy.minor.add(moves.freed.minor);
    freedBy.major.add(moves.freed.major);
  };

  /** Those that the observer tells of and no window has shown. */
  const unseen = (collections: readonly Collection[], type: GcMover): Collection[] => {
    const told = collections.filter(collection => collection.type === type);
    const known = Math.min(told.length, ahead[type]);
    ahead[type] -= known;
    return told.slice(known);
  };

  const stopListening = gc.subscribe(collections => {
    const shown = windows.close();
    const now = heapUseNow();
    const lastMajor = collections.findLast(({ type }) => type === 'major');
    let left: number | undefined;
    if (shown !== undefined) {
      for (const collection of shown) {
        const type = moverOf(collection);
        if (type !== undefined) ahead[type]++;
        if (type === 'major') left = useAfter(collection).old;
      }
      // What code forces comes at any fill, and teaches nothing.
      if (!collections.some(({ forced }) => forced)) model.learn(shown, now);
      account(movesSeen(since, shown, now));
    }
    const [minor, major] = [unseen(collections, 'minor'), unseen(collections, 'major')];
    if (shown === undefined) {
      if (lastMajor !== undefined) windows.majorEnded();
      const unforced = (of: Collection[]): number => of.filter(({ forced }) => !forced).length;
      account(model.movesUnseen(since, { minor: unforced(minor), major: major.length }, now));
    }
    if (lastMajor?.forced === false) live.set(left ?? now.old);
    since = now;
    windows.open();
  });
  windows.open();

  const stopReading = registry.onCollect(() => {
    // Never backwards: a collection may lie between the last one that was told of and this reading.
    allocated.set(Math.max(allocated.value, total + heapUseNow().total - since.total));
  });
  return () => {
    stopListening();
    stopReading();
    windows.close();
  };
}
