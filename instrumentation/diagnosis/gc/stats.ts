import { getHeapStatistics } from 'node:v8';
import { gcMetrics, heapMetrics } from '../../catalogue';
import type { GcSource, GcType } from '../../meters/gc-source';
import { maxSemiSpace, oldGenerationLimit } from '../../meters/heap-limits';
import { heapUseNow } from '../../meters/heap-use';
import { memoryLimit } from '../../meters/memory-limit';
import { residentMemory } from '../../meters/memory-use';
import type { MetricRegistry } from '../../metrics/registry';
import { readScheduling, type Scheduling } from '../scheduling';
import { createPauses, type PauseStats } from './pauses';

/** What garbage collection does to the process. Rates and shares are of the last minute, or since the start. */
export interface GcStats {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly windowSeconds: number;
  /** Since the start, without those that code asked for. */
  readonly kinds: Readonly<Record<GcType, PauseStats>>;
  /** Major pauses of the last minutes over the target, without what the thread waited for a CPU; none that code asked for. */
  readonly longMajors: { readonly count: number; readonly maxMs: number; readonly overMinutes: number };
  readonly collections: number;
  readonly forcedCollections: number;
  readonly lastGcAt: number | undefined;
  readonly collectionsPerSecond: number;
  readonly majorPerSecond: number;
  readonly minorPerSecond: number;
  /** Shares of time in which the main thread was held up: a lower bound of what collection costs. */
  readonly pauseFraction: number;
  readonly minorFraction: number;
  /** Incremental marking and weak callbacks among it. */
  readonly majorFraction: number;
  /** Absent where the heap's meter is left out. */
  readonly allocationBytesPerSecond: number | undefined;
  readonly promotionBytesPerSecond: number | undefined;
  readonly heapUsedBytes: number;
  /** What the last major collection left; what is old before there was one. */
  readonly liveBytes: number;
  readonly heapLimitBytes: number;
  readonly oldGenerationLimitBytes: number;
  /** One semi-space of the young generation as it is, and the most that it may become. */
  readonly semiSpaceBytes: number;
  readonly maxSemiSpaceBytes: number;
  /** Memory that the process may still take. */
  readonly roomBytes: number;
}

export interface GcStatsSource {
  read(): GcStats;
  /** To be called every ten seconds. */
  tick(): void;
  stop(): void;
}

const gcTypes: readonly GcType[] = ['major', 'minor', 'incremental', 'weakcb'];
/** Milliseconds for which a long pause counts, and the most that are kept. */
const lateMs = 600_000;
const mostLong = 100;
/** Ticks that the window has. */
const windowTicks = 6;

interface Totals {
  readonly at: number;
  readonly minors: number;
  readonly majors: number;
  readonly all: number;
  readonly minorMs: number;
  readonly majorMs: number;
  readonly used: number;
  readonly freed: number;
  readonly promoted: number;
}

export interface GcStatsOptions {
  /** Options of Node.js that are in force, such as those of process.execArgv and NODE_OPTIONS. */
  readonly flags: readonly string[];
  /** Milliseconds from which a major pause is a long one. */
  readonly longMs: number;
  readonly now?: () => number;
  readonly scheduling?: () => Scheduling;
}

export function gcStatsSource(
  registry: MetricRegistry,
  gc: GcSource,
  { flags, longMs, now = () => performance.now(), scheduling = readScheduling }: GcStatsOptions,
): GcStatsSource {
  const pauses = Object.fromEntries(gcTypes.map(type => [type, createPauses()])) as Record<
    GcType,
    ReturnType<typeof createPauses>
  >;
  let forced = 0;
  let lastGcAt: number | undefined;
  let live: number | undefined;
  let waitedMs = scheduling().waitedMs;
  /** Long major pauses of late, and how long each was. */
  let long: { at: number; ms: number }[] = [];
  const takeLong = (pauses: readonly number[]): void => {
    const waited = scheduling().waitedMs;
    // What the thread waited for a CPU lately is in the pauses as well, and is no work of the collector's.
    const left = pauses.map(ms => ms - (waited - waitedMs)).filter(ms => ms > longMs);
    waitedMs = waited;
    long = [...long, ...left.map(ms => ({ at: now(), ms }))].slice(-mostLong);
  };
  const stop = gc.subscribe(collections => {
    lastGcAt = Date.now();
    for (const { type, seconds, forced: asked } of collections) {
      if (asked) forced++;
      else pauses[type].add(seconds * 1000);
    }
    const long = collections
      .filter(({ type, forced: asked, seconds }) => type === 'major' && !asked && seconds * 1000 > longMs)
      .map(({ seconds }) => seconds * 1000);
    if (long.length > 0) takeLong(long);
    if (collections.some(({ type, forced: asked }) => type === 'major' && !asked)) live = heapUseNow().old;
  });

  const freed = registry.instrument(gcMetrics.freed);
  const promoted = registry.instrument(heapMetrics.promoted);
  const sum = (cells: Iterable<{ value: number }>): number =>
    [...cells].reduce((total, { value }) => total + value, 0);
  const totals = (): Totals => ({
    at: now(),
    minors: pauses.minor.count,
    majors: pauses.major.count,
    all: gcTypes.reduce((total, type) => total + pauses[type].count, 0),
    minorMs: pauses.minor.totalMs,
    majorMs: pauses.major.totalMs + pauses.incremental.totalMs + pauses.weakcb.totalMs,
    used: getHeapStatistics().used_heap_size,
    freed: sum(freed.cells()),
    promoted: sum(promoted.cells()),
  });
  const window: Totals[] = [totals()];

  return {
    tick() {
      window.push(totals());
      waitedMs = scheduling().waitedMs;
      long = long.filter(({ at }) => now() - at < lateMs);
      if (window.length > windowTicks) window.shift();
    },
    read() {
      const [from, to] = [window[0]!, totals()];
      const ms = Math.max(1, to.at - from.at);
      const perSecond = (amount: number): number => (amount * 1000) / ms;
      const use = heapUseNow();
      const heapLimitBytes = getHeapStatistics().heap_size_limit;
      const metered = to.freed > 0;
      return {
        at: Date.now(),
        windowSeconds: ms / 1000,
        kinds: Object.fromEntries(gcTypes.map(type => [type, pauses[type].stats()])) as Record<
          GcType,
          PauseStats
        >,
        longMajors: {
          count: long.length,
          maxMs: Math.max(0, ...long.map(({ ms: pause }) => pause)),
          overMinutes: lateMs / 60_000,
        },
        collections: to.all,
        forcedCollections: forced,
        lastGcAt,
        collectionsPerSecond: perSecond(to.all - from.all),
        majorPerSecond: perSecond(to.majors - from.majors),
        minorPerSecond: perSecond(to.minors - from.minors),
        pauseFraction: (to.minorMs + to.majorMs - from.minorMs - from.majorMs) / ms,
        minorFraction: (to.minorMs - from.minorMs) / ms,
        majorFraction: (to.majorMs - from.majorMs) / ms,
        allocationBytesPerSecond: metered
          ? Math.max(0, perSecond(to.used - from.used + to.freed - from.freed))
          : undefined,
        promotionBytesPerSecond: metered ? perSecond(to.promoted - from.promoted) : undefined,
        heapUsedBytes: to.used,
        liveBytes: live ?? use.old,
        heapLimitBytes,
        oldGenerationLimitBytes: oldGenerationLimit(),
        semiSpaceBytes: use.youngCapacity,
        maxSemiSpaceBytes: Math.max(use.youngCapacity, maxSemiSpace(flags)),
        roomBytes: Math.max(0, memoryLimit() - residentMemory()),
      };
    },
    stop,
  };
}
