import type { CacheEntry } from '../entry';
import type { MemoryTier } from '../memory/memory-tier';
import type { SettledPrefetch } from '../options';

/** Entries looked at in one go, some tenths of a millisecond. */
const lookedAtAtOnce = 1000;

/** What a prefetcher needs of its cache. */
export interface PrefetchTarget<V> {
  readonly memory: MemoryTier<V>;
  now(): number;
  /** Loads the key again in the background. */
  refresh(key: string, entry: CacheEntry<V>): Promise<void>;
}

/** A key whose time is nearly up, and how often it was read. */
interface Candidate<V> {
  readonly key: string;
  readonly entry: CacheEntry<V>;
}

/**
 * Keeps what is read most fresh: looks at intervals for entries whose time is up before it looks again, and has those
 * loaded that are among the most read. Keeps neither the process nor the cache alive.
 */
export function startPrefetcher<V>(options: SettledPrefetch, target: PrefetchTarget<V>): () => void {
  const held = new WeakRef(target);
  let running = false;
  const timer = setInterval(() => {
    const target = held.deref();
    if (target === undefined) clearInterval(timer);
    if (running || target === undefined) return;
    running = true;
    void prefetch(options, target).finally(() => {
      running = false;
    });
  }, options.everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** One look. Exported for tests. */
export async function prefetch<V>(
  { ratio, minReads, everyMs, concurrency }: SettledPrefetch,
  target: PrefetchTarget<V>,
): Promise<void> {
  const reads: number[] = [];
  const ending: Candidate<V>[] = [];
  let looked = 0;
  for (const [key, entry] of target.memory.entries()) {
    const now = target.now();
    reads.push(entry.reads);
    // Two intervals ahead, since loading takes time too.
    if (entry.reads >= minReads && now < entry.freshUntil && entry.freshUntil <= now + 2 * everyMs) {
      ending.push({ key, entry });
    }
    if (++looked % lookedAtAtOnce === 0) await new Promise(resolve => setImmediate(resolve));
  }
  const most = Math.ceil(reads.length * ratio);
  if (most === 0) return;
  const least = reads.sort((a, b) => b - a)[most - 1]!;
  const chosen = ending
    .filter(({ entry }) => entry.reads >= least)
    .sort((a, b) => b.entry.reads - a.entry.reads)
    .slice(0, most)
    .values();
  const lane = async (): Promise<void> => {
    for (const { key, entry } of chosen) await target.refresh(key, entry);
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
}
