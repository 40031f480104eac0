import { type GcMover, moverOf, type ProfiledCollection } from './gc-windows';
import { type HeapUse, heapUse } from './heap-use';

/** Bytes of one span of time. What is allocated and not freed is what the heap grew by. */
export interface Moves {
  allocated: number;
  promoted: number;
  readonly freed: Record<GcMover, number>;
}

/** Weight of the newest window among those before it. */
const newest = 0.5;

/** What happened in a span of which every collection was looked at, by the heap before, between and after them. */
export function movesSeen(
  before: HeapUse,
  collections: readonly ProfiledCollection[],
  after: HeapUse,
): Moves {
  const moves: Moves = { allocated: 0, promoted: 0, freed: { minor: 0, major: 0 } };
  let last = before.total;
  // A major collection goes on sweeping when it has ended, so that the heap may shrink in between.
  const between = (now: number): void => {
    moves.allocated += Math.max(0, now - last);
    moves.freed.major += Math.max(0, last - now);
  };
  for (const collection of collections) {
    const type = moverOf(collection);
    if (type === undefined) continue;
    const [from, to] = [useBefore(collection), useAfter(collection)];
    between(from.total);
    moves.freed[type] += Math.max(0, from.total - to.total);
    if (type === 'minor') moves.promoted += Math.max(0, to.old - from.old);
    last = to.total;
  }
  between(after.total);
  return moves;
}

/**
 * Tells what happened in a span of which only the number of collections is known, by what the young generation can
 * hold: a scavenge comes when it is full, or nearly so, and what it leaves there was not allocated anew before the
 * next. Spans that were looked at teach how full it is and how much is left.
 */
export interface AllocationModel {
  /** Takes in a span that was looked at, and the heap at its end. */
  learn(collections: readonly ProfiledCollection[], after: HeapUse): void;
  /** @param count unforced collections of each type */
  movesUnseen(before: HeapUse, count: Record<GcMover, number>, after: HeapUse): Moves;
}

export function createAllocationModel(): AllocationModel {
  const habit = {
    /** Shares of the capacity: what is there before a scavenge, what it leaves, and what it promotes. */
    fill: 0.95,
    left: 0.1,
    promoted: 0.02,
    /** Bytes allocated between the last scavenge of a span and its end: about what a turn of the loop allocates. */
    sinceLast: 0,
  };
  const learn = (name: keyof typeof habit, value: number): void => {
    habit[name] += (Math.max(0, value) - habit[name]) * newest;
  };
  /** What is in the young generation at the end of a span that the last scavenge had left there. */
  const leftOf = ({ young }: HeapUse): number => Math.max(0, young - habit.sinceLast);
  return {
    learn(collections, after) {
      let left: number | undefined;
      for (const collection of collections) {
        if (moverOf(collection) === undefined) continue;
        const [from, to] = [useBefore(collection), useAfter(collection)];
        left = to.young;
        if (moverOf(collection) !== 'minor' || from.youngCapacity === 0) continue;
        learn('fill', from.young / from.youngCapacity);
        learn('left', to.young / from.youngCapacity);
        learn('promoted', (to.old - from.old) / from.youngCapacity);
      }
      if (left !== undefined) learn('sinceLast', after.young - left);
    },
    movesUnseen(before, count, after) {
      // The first scavenge finds the capacity of before; while survivors come, each may double it.
      const passed =
        count.minor === 0
          ? 0
          : before.youngCapacity + ((count.minor - 1) * (before.youngCapacity + after.youngCapacity)) / 2;
      const filled = passed * habit.fill;
      // The old generation grows by what is promoted, unless a major collection shrank it.
      const promoted =
        count.major > 0 ? passed * habit.promoted : Math.min(filled, Math.max(0, after.old - before.old));
      const growth = after.total - before.total;
      let allocated = growth;
      let left = 0;
      if (count.minor > 0) {
        // What is promoted was left by an earlier scavenge, in this span or before it.
        const between = passed * habit.left * (1 - 1 / count.minor);
        left = Math.max(between, promoted - leftOf(before)) + leftOf(after);
        allocated = Math.max(growth, filled - left + after.young - before.young);
      }
      allocated = Math.max(0, allocated);
      const freed = allocated - growth;
      const byMinor = count.major > 0 ? Math.min(freed, Math.max(0, filled - left - promoted)) : freed;
      return { allocated, promoted, freed: { minor: byMinor, major: freed - byMinor } };
    },
  };
}

const useBefore = ({ beforeGC }: ProfiledCollection): HeapUse => heapUse(beforeGC.heapSpaceStatistics);
export const useAfter = ({ afterGC }: ProfiledCollection): HeapUse => heapUse(afterGC.heapSpaceStatistics);
