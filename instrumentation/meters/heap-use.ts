import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';

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
  readonly share: number;
}

/** V8's default for a semi-space on 64-bit machines. */
const semiSpaceBytes = 16 * 2 ** 20;

/** Bytes that the old generation may grow to: the limit that V8 tells includes the young one, three semi-spaces. */
export function oldGenerationLimit({ youngCapacity }: HeapUse = heapUseNow()): number {
  return getHeapStatistics().heap_size_limit - 3 * Math.max(youngCapacity, semiSpaceBytes);
}

export function heapFill(): HeapFill {
  const use = heapUseNow();
  const limit = oldGenerationLimit(use);
  return { bytes: use.old, share: limit > 0 ? use.old / limit : 1 };
}
