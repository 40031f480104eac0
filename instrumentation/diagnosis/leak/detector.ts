import type { Demands, Verdict } from './judge';
import { demandsOf, type LeakKind, type LeakThresholds, leakKinds, warmUpIntervals } from './kinds';
import { createSeries } from './series';
import type { MemorySnapshot } from './snapshot';

/** Intervals through which growth must be found, at most of the judgements and at no fewer than so many. */
const heldIntervals = 20;
const agreeing = 0.8;
const fewestJudgements = 3;
/** Judgements in a row that make it worth to look for the places that allocate. */
const suspicious = 3;

export interface KindState {
  readonly verdict: Verdict;
  /** Growth is found, though perhaps not for long enough yet. */
  readonly suspected: boolean;
  /** Growth was found so often that it is a leak. */
  readonly leaks: boolean;
}

export interface LeakDetector {
  /** Takes the snapshot that ends an interval, and judges. */
  add(snapshot: MemorySnapshot): void;
  readonly state: Readonly<Record<LeakKind, KindState>>;
  /** Oldest first. */
  readonly history: readonly MemorySnapshot[];
  /** Takes back what made a kind a leak: something else showed that it is none. */
  acquit(kind: LeakKind): void;
}

export interface DetectorOptions {
  readonly intervalMs: number;
  /** Snapshots that are kept. */
  readonly history: number;
  readonly thresholds: LeakThresholds;
  /** Where each kind ends, at this moment; `undefined` where it has no end. */
  readonly limitOf?: (kind: LeakKind, snapshot: MemorySnapshot) => number | undefined;
}

/** Finds leaks in snapshots. It has no clock but theirs. */
export function createLeakDetector({
  intervalMs,
  history: most,
  thresholds,
  limitOf = () => undefined,
}: DetectorOptions): LeakDetector {
  const demands = demandsOf(thresholds, intervalMs);
  const history: MemorySnapshot[] = [];
  let taken = 0;
  const watches = Object.fromEntries(
    leakKinds.map(kind => [kind, watchKind(demands[kind], most, heldIntervals * intervalMs)]),
  ) as Record<LeakKind, ReturnType<typeof watchKind>>;
  return {
    add(snapshot) {
      history.push(snapshot);
      if (history.length > most) history.shift();
      if (++taken <= warmUpIntervals) return;
      for (const kind of leakKinds) {
        const value = readingOf[kind](snapshot);
        // Where nothing was read nothing is new.
        if (value === undefined) continue;
        watches[kind].add(snapshot.at, value, snapshot.allocationPerSecond, limitOf(kind, snapshot));
      }
    },
    get state() {
      return Object.fromEntries(leakKinds.map(kind => [kind, watches[kind].state])) as Record<
        LeakKind,
        KindState
      >;
    },
    history,
    acquit: kind => watches[kind].acquit(),
  };
}

const readingOf: Readonly<Record<LeakKind, (snapshot: MemorySnapshot) => number | undefined>> = {
  heap: ({ liveBytes }) => liveBytes,
  buffers: ({ externalBytes }) => externalBytes,
  native: ({ nativeBytes }) => nativeBytes,
  resources: ({ activeResources }) => activeResources,
};

function watchKind(demands: Demands, most: number, heldMs: number) {
  const series = createSeries(most);
  let verdict = series.judge(demands);
  let recent: { at: number; grows: boolean }[] = [];
  let inRow = 0;
  let leaks = false;
  return {
    add(at: number, value: number, load: number, limit: number | undefined): void {
      series.add({ at, value, load });
      verdict = series.judge(demands, limit);
      const grows = verdict.judgement === 'grows';
      recent.push({ at, grows });
      // One judgement that is older than the time it must hold, to see that it has held for so long.
      while (recent.length > fewestJudgements && recent[1]!.at <= at - heldMs) recent.shift();
      inRow = grows || verdict.judgement === 'too_short' ? inRow + 1 : 0;
      const share = recent.filter(judgement => judgement.grows).length / recent.length;
      leaks = recent.length >= fewestJudgements && at - recent[0]!.at >= heldMs && share >= agreeing;
    },
    get state(): KindState {
      return { verdict, suspected: leaks || inRow >= suspicious, leaks };
    },
    acquit(): void {
      recent = [];
      inRow = 0;
      leaks = false;
    },
  };
}
