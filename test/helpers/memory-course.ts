import { createLeakDetector, type LeakDetector } from '../../instrumentation/diagnosis/leak/detector';
import type { LeakKind } from '../../instrumentation/diagnosis/leak/kinds';
import type { MemorySnapshot } from '../../instrumentation/diagnosis/leak/snapshot';

const minuteMs = 60_000;
export const mib = 2 ** 20;

/** What a process is like `minutes` after its start: MiB that live, and how much it has to do. */
export type Course = (
  minutes: number,
) => { live: number | undefined; load?: number } & Partial<MemorySnapshot>;

/** A source of noise that is the same at each run. */
export function noise(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0;
  const uniform = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 1) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Runs the detector with its defaults over hours of a process's life, in no time. */
export function live(
  hours: number,
  course: Course,
): {
  detector: LeakDetector;
  foundAt(kind?: LeakKind): number | undefined;
  leaksAtEnd(kind?: LeakKind): boolean;
} {
  const detector = createLeakDetector({
    intervalMs: minuteMs / 2,
    history: 100,
    thresholds: { percent: 5, mib: 2, hourly: 1 },
    limitOf: kind => (kind === 'heap' ? 2048 * mib : undefined),
  });
  const found = new Map<LeakKind, number>();
  for (let i = 0; i < hours * 120; i++) {
    const { live: lives, load = 50, ...more } = course(i / 2);
    detector.add({
      at: i * (minuteMs / 2),
      liveBytes: lives === undefined ? undefined : lives * mib,
      heapUsedBytes: 100 * mib,
      heapTotalBytes: 150 * mib,
      heapIdleBytes: 50 * mib,
      heapPhysicalBytes: 150 * mib,
      heapLimitBytes: 2096 * mib,
      externalBytes: 5 * mib,
      arrayBuffersBytes: mib,
      rssBytes: 200 * mib,
      nativeBytes: 40 * mib,
      workerHeapBytes: 0,
      activeResources: 20,
      resources: {},
      collections: i,
      majorCollections: i,
      gcPauseFraction: 0.01,
      lastGcAt: undefined,
      allocationPerSecond: Math.max(0, load) * mib,
      ...more,
    });
    for (const [kind, { leaks }] of Object.entries(detector.state) as [LeakKind, { leaks: boolean }][]) {
      if (leaks && !found.has(kind)) found.set(kind, i / 2);
    }
  }
  return {
    detector,
    foundAt: (kind = 'heap') => found.get(kind),
    leaksAtEnd: (kind = 'heap') => detector.state[kind].leaks,
  };
}
