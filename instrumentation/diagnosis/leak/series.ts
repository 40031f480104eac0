import { type Demands, judge, type Verdict } from './judge';
import { median, type Point } from './trend';

/** Readings that one of the coarse series stands for: a hundred of them, half a minute apart, see more than a day. */
const perCoarse = 40;
/** Readings that the newest of the coarse series needs. */
const fewestInMiddle = 5;
/** Share of its rise that a level must lose to have come back from it. */
const cameBack = 0.3;

/** Readings of one thing, in two resolutions of bounded length: fast growth shows in the fine one, slow in the coarse. */
export interface Series {
  add(point: Point): void;
  /** The judgement of the resolution that shows more. */
  judge(demands: Demands, limit?: number): Verdict;
  readonly length: number;
  clear(): void;
}

/** @param most readings that each resolution keeps */
export function createSeries(most: number): Series {
  const fine: Point[] = [];
  const coarse: Point[] = [];
  let pending: Point[] = [];
  return {
    add(point) {
      push(fine, point, 2 * most);
      pending.push(point);
      if (pending.length < perCoarse) return;
      push(coarse, middleOf(pending), most);
      pending = [];
    },
    judge(demands, limit) {
      const newest = pending.length >= fewestInMiddle ? [middleOf(pending)] : [];
      const all = [...coarse, ...newest];
      const earlierPeak = peakLeft(all.map(({ value }) => value));
      const recent = judge(fine.slice(-most), demands, { earlierPeak, before: fine.slice(0, -most), limit });
      if (recent.judgement === 'grows') return recent;
      const long = judge(all, demands, { earlierPeak, limit });
      return long.judgement === 'grows' ? long : recent;
    },
    get length() {
      return fine.length;
    },
    clear() {
      fine.length = 0;
      coarse.length = 0;
      pending = [];
    },
  };
}

function push(points: Point[], point: Point, most: number): void {
  points.push(point);
  if (points.length > most) points.shift();
}

function middleOf(points: readonly Point[]): Point {
  const known = points.filter(({ load }) => load !== undefined);
  return {
    at: median(points.map(({ at }) => at)),
    value: median(points.map(({ value }) => value)),
    load: known.length === 0 ? undefined : median(known.map(({ load }) => load!)),
  };
}

/**
 * The highest level that was left again by a good part of the rise to it; 0 where there is none. What returns to it is
 * the tooth of a saw, or the next day.
 */
export function peakLeft(values: readonly number[]): number {
  const spread = Math.max(...values) - Math.min(...values);
  let lowest = Infinity;
  let peak = 0;
  let found = 0;
  for (const value of values) {
    lowest = Math.min(lowest, value);
    peak = Math.max(peak, value);
    const fall = peak - value;
    // Against the whole spread as well: what is small beside it is noise.
    if (fall <= cameBack * (peak - lowest) || fall <= cameBack * spread) continue;
    found = Math.max(found, peak);
    peak = value;
    lowest = value;
  }
  return found;
}
