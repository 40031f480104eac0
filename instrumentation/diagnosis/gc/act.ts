import { setFlagsFromString } from 'node:v8';
import type { GcTargets } from './advice';
import type { GcStats } from './stats';

export const adjustments = ['raised', 'kept', 'reverted', 'restored'] as const;
/** What was done with the setting. */
export type Adjustment = (typeof adjustments)[number];

export interface GcActorOptions extends GcTargets {
  /** Share by which the setting is changed at a time. */
  readonly factor: number;
  readonly onAdjusted: (adjustment: Adjustment, percent: number, why: string) => void;
  /** Sets V8's `--heap-growing-percent`; 0 is V8's own choice. */
  readonly apply?: (percent: number) => void;
}

export interface GcActor {
  /** To be called with the figures of each window, one after the other. */
  step(stats: GcStats): void;
  /** Puts back what V8 had. */
  restore(): void;
  readonly percent: number;
}

/** Percent by which the old generation grows between two major collections: the least and the most that is set. */
const leastPercent = 50;
const mostPercent = 400;
/** Share of the limit, and of the memory left, that the heap may come to. */
const mostOfLimit = 0.7;
const mostOfRoom = 0.5;
/** Share of its cost that collection must lose for a change to be worth it. */
const worthIt = 0.1;
/** Windows in which nothing is tried after a change that did nothing. */
const patience = 30;

/**
 * Lets the old generation grow further between major collections where these cost too much, in steps: each is kept
 * only if collections then cost less for as much allocation, and taken back if not. Of V8's settings this is the one
 * that works in a running process and can be taken back; the size of the young generation can't be changed.
 */
export function createGcActor({
  fraction,
  pauseMs,
  factor,
  onAdjusted,
  apply = percent => setFlagsFromString(`--heap-growing-percent=${percent}`),
}: GcActorOptions): GcActor {
  let percent = 0;
  /** What it was before the step that is being tried, and what collections cost then. */
  let trial: { from: number; cost: number } | undefined;
  let settling = false;
  let waiting = 0;

  const set = (to: number, adjustment: Adjustment, why: string): void => {
    percent = to;
    apply(to);
    onAdjusted(adjustment, to, why);
  };
  /** Milliseconds of major collection for each MiB that is allocated. */
  const costOf = ({ majorFraction, allocationBytesPerSecond }: GcStats): number | undefined =>
    allocationBytesPerSecond === undefined || allocationBytesPerSecond < 2 ** 20
      ? undefined
      : (majorFraction * 1000) / (allocationBytesPerSecond / 2 ** 20);
  const fits = (
    to: number,
    { liveBytes, oldGenerationLimitBytes, heapUsedBytes, roomBytes }: GcStats,
  ): boolean => {
    const peak = liveBytes * (1 + to / 100);
    return peak <= oldGenerationLimitBytes * mostOfLimit && peak - heapUsedBytes <= roomBytes * mostOfRoom;
  };

  return {
    get percent() {
      return percent;
    },
    step(stats) {
      if (percent > 0 && !fits(percent, stats)) {
        trial = undefined;
        waiting = patience;
        set(0, 'restored', 'the live heap grew and leaves no room for it');
        return;
      }
      if (settling) {
        // The window in which it was changed is half of each.
        settling = false;
        return;
      }
      const cost = costOf(stats);
      if (trial !== undefined) {
        const { from, cost: before } = trial;
        trial = undefined;
        if (cost !== undefined && cost <= before * (1 - worthIt) && stats.kinds.major.p99Ms <= pauseMs) {
          onAdjusted('kept', percent, `major collection costs ${less(before, cost)} % less`);
        } else {
          waiting = patience;
          set(from, 'reverted', cost === undefined ? 'too little is allocated to tell' : 'it was of no use');
        }
        return;
      }
      if (waiting > 0) {
        waiting--;
        return;
      }
      if (cost === undefined || stats.majorFraction < fraction || stats.kinds.major.p99Ms > pauseMs) return;
      const current = percent === 0 ? ownPercent(stats) : percent;
      const next = Math.min(mostPercent, Math.max(leastPercent, Math.round(current * (1 + factor))));
      if (next < current * (1 + worthIt) || !fits(next, stats)) return;
      trial = { from: percent, cost };
      settling = true;
      set(
        next,
        'raised',
        `major collections are ${Math.round(stats.majorFraction * 1000) / 10} % of wall time`,
      );
    },
    restore() {
      trial = undefined;
      if (percent > 0) set(0, 'restored', 'the agent ends');
    },
  };
}

/** By how much V8 lets the old generation grow of its own choice: what is promoted from one collection to the next. */
function ownPercent({ promotionBytesPerSecond, majorPerSecond, liveBytes }: GcStats): number {
  if (promotionBytesPerSecond === undefined || majorPerSecond === 0 || liveBytes === 0) return Infinity;
  return (100 * promotionBytesPerSecond) / majorPerSecond / liveBytes;
}

const less = (before: number, after: number): number => Math.round((1 - after / before) * 100);
