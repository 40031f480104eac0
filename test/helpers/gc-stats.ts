import type { PauseStats } from '../../instrumentation/diagnosis/gc/pauses';
import type { GcStats } from '../../instrumentation/diagnosis/gc/stats';

const mib = 2 ** 20;

export const pauses = (more: Partial<PauseStats> = {}): PauseStats => ({
  count: 20,
  totalMs: 100,
  meanMs: 5,
  minMs: 1,
  maxMs: 20,
  p50Ms: 5,
  p95Ms: 15,
  p99Ms: 20,
  ...more,
});

/** A process that is well: collections are 1 % of its time. */
export const gcStats = (more: Partial<GcStats> = {}): GcStats => ({
  at: 0,
  windowSeconds: 60,
  kinds: { major: pauses(), minor: pauses(), incremental: pauses(), weakcb: pauses() },
  longMajors: { count: 0, maxMs: 0, overMinutes: 10 },
  collections: 80,
  forcedCollections: 0,
  lastGcAt: 0,
  collectionsPerSecond: 2,
  majorPerSecond: 0.1,
  minorPerSecond: 1.9,
  pauseFraction: 0.01,
  minorFraction: 0.007,
  majorFraction: 0.003,
  allocationBytesPerSecond: 40 * mib,
  promotionBytesPerSecond: mib,
  heapUsedBytes: 80 * mib,
  liveBytes: 50 * mib,
  heapLimitBytes: 2096 * mib,
  oldGenerationLimitBytes: 2048 * mib,
  semiSpaceBytes: 16 * mib,
  maxSemiSpaceBytes: 16 * mib,
  roomBytes: 4096 * mib,
  ...more,
});
