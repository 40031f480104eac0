import type { LoadLock } from './loading/load-lock';
import type { CacheCounters, CacheStats, TierStats } from './stats';
import type { Tiers } from './tiers';
import type { WriteBack } from './writing/write-back';

/** Reads counters and holds nothing else. */
export function statsOf<V>(
  counters: CacheCounters,
  { memory, shared }: Tiers<V>,
  lock: LoadLock | undefined,
  writeBack: WriteBack<V> | undefined,
): () => CacheStats {
  const read: Partial<Record<'l1' | 'l2' | 'l3', () => TierStats>> = {};
  if (memory) read.l1 = memory.stats;
  for (const { tier } of shared) read[tier.tier] = tier.stats;
  const { l1, l2, l3 } = read;
  const lockCounters = lock?.counters;
  const writeBackCounters = writeBack?.counters;
  return () =>
    counters.snapshot({
      ...(l1 && { l1: l1() }),
      ...(l2 && { l2: l2() }),
      ...(l3 && { l3: l3() }),
      ...(lockCounters && { lock: lockCounters.snapshot() }),
      ...(writeBackCounters && { writeBack: writeBackCounters.snapshot() }),
    });
}
