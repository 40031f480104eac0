import { getHeapStatistics } from 'node:v8';
import { gcMetrics, heapMetrics } from '../../catalogue';
import type { GcSource, GcType } from '../../meters/gc-source';
import { heapUseNow, oldGenerationLimit } from '../../meters/heap-use';
import { memoryLimit } from '../../meters/memory-limit';
import type { MetricRegistry } from '../../metrics/registry';
import { createPauses, type PauseStats } from './pauses';

/** What garbage collection does to the process. Rates and shares are of the last minute, or since the start. */
export interface GcStats {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly windowSeconds: number;
  /** Since the start, without those that code asked for. */
  readonly kinds: Readonly<Record<GcType, PauseStats>>;
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
/** Ticks that the window has. */
const windowTicks = 6;
const mib = 2 ** 20;
/** V8's default on 64-bit machines. */
const defaultSemiSpaceMib = 16;

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

/** @param flags options of Node.js that are in force, such as those of process.execArgv and NODE_OPTIONS */
export function gcStatsSource(
  registry: MetricRegistry,
  gc: GcSource,
  flags: readonly string[],
  now: () => number = () => performance.now(),
): GcStatsSource {
  const pauses = Object.fromEntries(gcTypes.map(type => [type, createPauses()])) as Record<
    GcType,
    ReturnType<typeof createPauses>
  >;
  let forced = 0;
  let lastGcAt: number | undefined;
  let live: number | undefined;
  const stop = gc.subscribe(collections => {
    lastGcAt = Date.now();
    for (const { type, seconds, forced: asked } of collections) {
      if (asked) forced++;
      else pauses[type].add(seconds * 1000);
    }
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
        oldGenerationLimitBytes: oldGenerationLimit(use),
        semiSpaceBytes: use.youngCapacity,
        maxSemiSpaceBytes: Math.max(use.youngCapacity, semiSpaceFlag(flags) * mib),
        roomBytes: Math.max(0, memoryLimit() - process.memoryUsage.rss()),
      };
    },
    stop,
  };
}

/** MiB of `--max-semi-space-size`; the last of several holds. */
export function semiSpaceFlag(flags: readonly string[]): number {
  let value = defaultSemiSpaceMib;
  for (const [i, flag] of flags.entries()) {
    const [, given] = /^--max[-_]semi[-_]space[-_]size(?:=(\d+))?$/.exec(flag) ?? [];
    const number = Number(
      given ?? (/^--max[-_]semi[-_]space[-_]size$/.test(flag) ? flags[i + 1] : undefined),
    );
    if (number > 0) value = number;
  }
  return value;
}
