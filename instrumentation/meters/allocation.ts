import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import { gcMetrics, heapMetrics } from '../catalogue';
import type { MeterContext } from './context';
import type { GcSource } from './gc-source';
import { type GcMover, gcWindows, moverOf, type ProfiledCollection, type SpaceUse } from './gc-windows';

/** What a collection of one type does, by those that were looked at last. */
interface Habit {
  freed: number;
  promoted: number;
  known: boolean;
}

/** Weight of the newest window among those before it. */
const newest = 0.25;
const movers = ['minor', 'major'] as const;

/**
 * Counts the bytes freed, promoted and allocated, and shows what a major collection left.
 *
 * Freed and promoted are V8's own figures before and after a collection, looked at up to ten times a second; see
 * {@link gcWindows}. Where there are more collections, the others are taken to have done what those did. Allocated is
 * what was freed and what the heap has grown by.
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
  const habits: Record<GcMover, Habit> = { minor: noHabit(), major: noHabit() };
  /** Collections that a window has shown before the observer told of them. */
  const ahead = { minor: 0, major: 0 };
  const usedAtStart = used();
  const windows = gcWindows();
  let totalFreed = 0;

  const account = (type: GcMover, { freed, promoted: moved }: Habit, times = 1): void => {
    totalFreed += freed * times;
    freedBy[type].add(freed * times);
    promoted.add(moved * times);
  };

  const accountWindow = (collections: readonly ProfiledCollection[]): void => {
    for (const type of movers) {
      const effects = collections.filter(collection => moverOf(collection) === type).map(effectOf);
      for (const effect of effects) {
        account(type, effect);
        learn(habits[type], effect);
      }
      ahead[type] += effects.length;
    }
  };

  const stopListening = gc.subscribe(collections => {
    const major = collections.findLast(({ type }) => type === 'major');
    const shown = windows.close();
    if (shown !== undefined) accountWindow(shown);
    else if (major !== undefined) windows.majorEnded();
    for (const type of movers) {
      const told = collections.filter(collection => collection.type === type);
      const known = Math.min(told.length, ahead[type]);
      ahead[type] -= known;
      // What code forces comes at any fill, of which nothing is known.
      account(type, habits[type], told.slice(known).filter(({ forced }) => !forced).length);
    }
    if (major?.forced === false) {
      const left = shown?.findLast(collection => moverOf(collection) === 'major')?.afterGC;
      live.set(oldGeneration(left?.heapSpaceStatistics ?? spacesNow()));
    }
    windows.open();
  });
  windows.open();

  const stopReading = registry.onCollect(() => {
    // Never backwards: a collection may lie between the last one that was told of and this reading.
    allocated.set(Math.max(allocated.value, totalFreed + used() - usedAtStart));
  });
  return () => {
    stopListening();
    stopReading();
    windows.close();
  };
}

const used = (): number => getHeapStatistics().used_heap_size;
const noHabit = (): Habit => ({ freed: 0, promoted: 0, known: false });

function effectOf({ gcType, beforeGC, afterGC }: ProfiledCollection): Habit {
  const grown = oldGeneration(afterGC.heapSpaceStatistics) - oldGeneration(beforeGC.heapSpaceStatistics);
  return {
    freed: Math.max(0, beforeGC.heapStatistics.usedHeapSize - afterGC.heapStatistics.usedHeapSize),
    promoted: moverOf({ gcType }) === 'minor' ? Math.max(0, grown) : 0,
    known: true,
  };
}

function learn(habit: Habit, effect: Habit): void {
  const weight = habit.known ? newest : 1;
  habit.known = true;
  habit.freed += (effect.freed - habit.freed) * weight;
  habit.promoted += (effect.promoted - habit.promoted) * weight;
}

const spacesNow = (): SpaceUse[] =>
  getHeapSpaceStatistics().map(space => ({
    spaceName: space.space_name,
    spaceUsedSize: space.space_used_size,
  }));

function oldGeneration(spaces: readonly SpaceUse[]): number {
  let bytes = 0;
  for (const { spaceName, spaceUsedSize } of spaces) {
    if (spaceName === 'old_space' || spaceName === 'large_object_space') bytes += spaceUsedSize;
  }
  return bytes;
}
