import { getHeapSpaceStatistics } from 'node:v8';
import { oldGenerationLimit } from './heap-limits';

/** One heap space, as `v8.GCProfiler` reports it. */
export interface SpaceUse {
  readonly spaceName: string;
  readonly spaceUsedSize: number;
  readonly spaceAvailableSize: number;
}

/** Bytes in use, by generation. */
export interface HeapUse {
  readonly total: number;
  readonly young: number;
  readonly old: number;
  /** What the young generation holds when it is full, without its large objects. */
  readonly youngCapacity: number;
}

export function heapUse(spaces: readonly SpaceUse[]): HeapUse {
  const use = { total: 0, young: 0, old: 0, youngCapacity: 0 };
  for (const { spaceName, spaceUsedSize, spaceAvailableSize } of spaces) {
    use.total += spaceUsedSize;
    if (spaceName === 'new_space') use.youngCapacity = spaceUsedSize + spaceAvailableSize;
    if (spaceName === 'new_space' || spaceName === 'new_large_object_space') use.young += spaceUsedSize;
    if (spaceName === 'old_space' || spaceName === 'large_object_space') use.old += spaceUsedSize;
  }
  return use;
}

export function heapUseNow(): HeapUse {
  return heapUse(
    getHeapSpaceStatistics().map(space => ({
      spaceName: space.space_name,
      spaceUsedSize: space.space_used_size,
      spaceAvailableSize: space.space_available_size,
    })),
  );
}

/** The old generation, and the share of what it may grow to. */
export interface HeapFill {
  readonly bytes: number;
  readonly limit: number;
  readonly share: number;
}

/**
 * Share of the limit from which on the old generation counts as nearly full: from four fifths on V8 ends a process that
 * does little but collect, however much room is left.
 */
export const nearlyFull = 0.75;

/**
 * How full the old generation is, code and what else V8 counts to it included.
 *
 * @param live bytes that the last major collection left there, once there was one: the garbage that stands beside them
 *   up to the next collection takes no room that can't be had
 */
export function heapFill(live: number | undefined): HeapFill {
  const { total, young } = heapUseNow();
  const bytes = Math.min(total - young, live ?? Infinity);
  const limit = oldGenerationLimit();
  return { bytes, limit, share: bytes / limit };
}
