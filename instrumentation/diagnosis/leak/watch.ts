import { getHeapStatistics } from 'node:v8';
import { collectGarbage } from '../../collect-garbage';
import { guarded } from '../../guard';
import type { Log } from '../../log';
import type { GcSource } from '../../meters/gc-source';
import { oldGenerationLimit } from '../../meters/heap-limits';
import { heapUseNow } from '../../meters/heap-use';
import { memoryLimit } from '../../meters/memory-limit';
import type { MetricRegistry } from '../../metrics/registry';
import type { Evidence } from '../findings';
import { place, recommendationsOf, suggestionsFor } from './advice';
import { createLeakDetector, type KindState } from './detector';
import { kindFacts, type LeakKind, type LeakThresholds, leakKinds, warmUpIntervals } from './kinds';
import type { Confirmation, MemoryReport } from './report';
import { type SiteSearch, searchSites } from './sites';
import { type MemorySnapshot, type SnapshotSource, snapshotSource } from './snapshot';

export interface LeakWatchOptions {
  readonly intervalMs: number;
  readonly history: number;
  readonly thresholds: LeakThresholds;
  /** Whether a leak is confirmed by a forced collection before it is said. */
  readonly confirm: boolean;
}

export interface LeakWatch {
  report(): MemoryReport;
  /** Reports what leaks now to `say`, again at each call. */
  look(): void;
  stop(): void;
}

/** A leak, as it is said. */
export interface Leak {
  readonly kind: LeakKind;
  readonly evidence: Evidence;
  readonly suggestions: readonly string[];
}

export interface LeakListeners {
  /** Told of each leak for as long as there is one. */
  readonly say: (leak: Leak) => void;
  /** Told after each interval. */
  readonly judged?: (state: Readonly<Record<LeakKind, KindState>>) => void;
}

/** Samples in an interval. */
const samples = 3;
/** Intervals between two readings of the heap sampler, and that a leak waits for them before it is said. */
const siteGap = 5;
const siteWait = 30;
/** Intervals without a suspicion after which what was found is forgotten. */
const sitesKept = 60;
/** Milliseconds between two forced collections. */
const confirmPauseMs = 3_600_000;

/** Watches the memory of the process for leaks, by a timer that does not keep it alive. */
export function watchLeaks(
  registry: MetricRegistry,
  gc: GcSource,
  log: Log,
  options: LeakWatchOptions,
  { say, judged }: LeakListeners,
): LeakWatch {
  const { intervalMs } = options;
  const sites: SiteSearch = searchSites(siteGap * intervalMs);
  const source: SnapshotSource = snapshotSource(
    registry,
    gc,
    guarded(log, 'looking for what allocates', () => sites.majorEnded()),
  );
  let limit = memoryLimit();
  const detector = createLeakDetector({
    ...options,
    limitOf(kind, { rssBytes, externalBytes, nativeBytes }) {
      if (kind === 'heap') return oldGenerationLimit();
      if (kind === 'resources') return undefined;
      return limit - rssBytes + (kind === 'buffers' ? externalBytes : nativeBytes);
    },
  });
  let taken = 0;
  let unsuspected = 0;
  let confirmation: Confirmation | undefined;
  /** Kinds that have been found, and in which interval. */
  const since = new Map<LeakKind, number>();
  const confirmed = new Set<LeakKind>();

  /** Whether a kind is to be said: it is sure, and what is to be known of it is known. */
  const isDue = (kind: LeakKind): boolean => {
    const from = since.get(kind);
    if (from === undefined) return false;
    if (kind === 'native') return !explainedByOthers(detector.state);
    if (kind === 'resources') return true;
    return sites.found() !== undefined || sites.unavailable !== undefined || taken - from >= siteWait;
  };

  const confirm = (kind: 'heap' | 'buffers', { verdict }: KindState): boolean => {
    const at = Date.now();
    if (confirmation !== undefined && at - confirmation.at < confirmPauseMs) return confirmed.has(kind);
    const begin = performance.now();
    collectGarbage();
    const pauseMs = performance.now() - begin;
    const leftBytes = kind === 'heap' ? heapUseNow().old : getHeapStatistics().external_memory;
    const neededBytes = verdict.baseline + verdict.growth / 2;
    confirmation = { at, kind, confirmed: leftBytes >= neededBytes, leftBytes, neededBytes, pauseMs };
    if (confirmation.confirmed) confirmed.add(kind);
    return confirmation.confirmed;
  };

  const judge = (): void => {
    const { state } = detector;
    for (const kind of leakKinds) {
      if (!state[kind].leaks) {
        since.delete(kind);
        confirmed.delete(kind);
        continue;
      }
      if (options.confirm && (kind === 'heap' || kind === 'buffers') && !confirmed.has(kind)) {
        if (!confirm(kind, state[kind])) {
          // Most of what grew was garbage.
          detector.acquit(kind);
          continue;
        }
      }
      if (!since.has(kind)) since.set(kind, taken);
    }
    const suspected = state.heap.suspected || state.buffers.suspected;
    unsuspected = suspected || since.size > 0 ? 0 : unsuspected + 1;
    if (suspected) sites.begin(detector.history[detector.history.length - 1]!.allocationPerSecond);
    else if (unsuspected === 1) sites.end();
    else if (unsuspected === sitesKept) sites.reset();
  };

  const look = (): void => {
    const { state } = detector;
    for (const kind of leakKinds) {
      if (!isDue(kind)) continue;
      const suggestions = suggestionsFor(kind, facts());
      say({ kind, evidence: evidenceOf(kind, state[kind], sites, confirmation), suggestions });
    }
  };
  const facts = () => ({
    sites: sites.found(),
    from: detector.history[Math.min(detector.history.length - 1, warmUpIntervals)],
    to: detector.history[detector.history.length - 1],
  });

  let turn = 0;
  const tick = guarded(log, 'the leak detector', () => {
    if (++turn % samples !== 0) {
      source.sample();
      return;
    }
    limit = memoryLimit();
    detector.add(source.take());
    taken++;
    judge();
    judged?.(detector.state);
    look();
  });
  const timer = setInterval(tick, Math.max(1, intervalMs / samples)).unref();

  return {
    look,
    report() {
      const { history, state } = detector;
      const [previous, snapshot] = [history[history.length - 2], history[history.length - 1]];
      return {
        at: Date.now(),
        intervalMs,
        warmingUp: taken <= warmUpIntervals,
        snapshot,
        historyCount: history.length,
        ...growthBetween(previous, snapshot),
        kinds: Object.fromEntries(
          leakKinds.map(kind => {
            const { verdict, suspected, leaks } = state[kind];
            return [kind, { ...verdict, suspected, leaks }];
          }),
        ) as unknown as MemoryReport['kinds'],
        sites: sites.found(),
        sitesUnavailable: sites.unavailable,
        confirmation,
        recommendations: recommendationsOf(state, facts()),
        history: [...history],
      };
    },
    stop() {
      clearInterval(timer);
      source.stop();
      sites.end();
    },
  };
}

/**
 * Whether what native memory grew by may belong to a heap or to buffers that grow as well: of what they take from the
 * system, V8 and the allocator keep more than they count.
 */
function explainedByOthers({ heap, buffers, native }: Readonly<Record<LeakKind, KindState>>): boolean {
  const others = [heap, buffers].filter(({ suspected }) => suspected).map(({ verdict }) => verdict.growth);
  return native.verdict.growth < Math.max(0, ...others);
}

function growthBetween(
  previous: MemorySnapshot | undefined,
  current: MemorySnapshot | undefined,
): Pick<MemoryReport, 'growthRatePercent' | 'resourceGrowth'> {
  if (previous === undefined || current === undefined) {
    return { growthRatePercent: undefined, resourceGrowth: undefined };
  }
  return {
    growthRatePercent: ((current.heapUsedBytes - previous.heapUsedBytes) / previous.heapUsedBytes) * 100,
    resourceGrowth: current.activeResources - previous.activeResources,
  };
}

/** What shows that a kind leaks: the figures that the judgement rests on. */
function evidenceOf(
  kind: LeakKind,
  { verdict }: KindState,
  sites: SiteSearch,
  confirmation: Confirmation | undefined,
): Evidence {
  const { unit } = kindFacts[kind];
  const found = sites.found();
  return {
    [`baseline_${unit}`]: Math.round(verdict.baseline),
    [`grown_${unit}`]: Math.round(verdict.growth),
    over_minutes: round(verdict.spanMs / 60_000),
    [`${unit}_per_hour`]: Math.round(verdict.perHour),
    [`${unit}_per_hour_low`]: Math.round(verdict.perHourLow),
    [`${unit}_per_hour_high`]: Math.round(verdict.perHourHigh),
    confidence: round(verdict.confidence),
    chance: Number(verdict.p.toExponential(1)),
    readings: verdict.readings,
    ...(verdict.hoursLeft === undefined
      ? {}
      : {
          hours_left: round(verdict.hoursLeft),
          hours_left_low: round(verdict.hoursLeftLow ?? 0),
          hours_left_high: round(verdict.hoursLeftHigh ?? 0),
        }),
    ...(found === undefined || unit !== 'bytes' || kind === 'native'
      ? {}
      : {
          sites: found.map(site => `${place(site)} +${Math.round(site.addedBytes / 1024)} KiB`).join('; '),
        }),
    ...(confirmation?.kind === kind && confirmation.confirmed
      ? { left_by_forced_collection_bytes: confirmation.leftBytes }
      : {}),
  };
}

const round = (value: number): number => Number(value.toPrecision(3));
