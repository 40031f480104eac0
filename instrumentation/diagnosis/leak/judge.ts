import { mannKendall, median, medianOfSorted, type Point, pairSlopes, type Slope, theilSen } from './trend';

/** What it takes for growth to be a leak. */
export interface Demands {
  /** Probability of chance below which a rise is one. */
  readonly significance: number;
  /** Growth over the window as a share of what was there. */
  readonly share: number;
  /** Growth over the window, in the unit of the readings. */
  readonly amount: number;
  /** Growth per hour. */
  readonly perHour: number;
  /** Shortest window. */
  readonly spanMs: number;
  /** Shortest window where it would run out within four times as long. */
  readonly urgentSpanMs: number;
  /** Fewest readings. */
  readonly readings: number;
}

/** Why growth is none, or what it is, in the order of the tests. */
export const judgements = [
  'too_few_readings',
  'no_trend',
  'too_small',
  'below_earlier_peak',
  'step',
  'noise',
  'levels_off',
  'load_rises_too',
  'follows_load',
  'too_short',
  'grows',
] as const;
export type Judgement = (typeof judgements)[number];

/** What a series of readings shows. */
export interface Verdict {
  readonly judgement: Judgement;
  readonly readings: number;
  readonly spanMs: number;
  /** The figures below are 0 where there is no trend. */
  readonly p: number;
  readonly tau: number;
  /** Growth per hour, and the interval in which it lies with 95 %. */
  readonly perHour: number;
  readonly perHourLow: number;
  readonly perHourHigh: number;
  /** At the start of the window, the highest level that it has come back from, and by how much it has grown over both. */
  readonly baseline: number;
  readonly earlierPeak: number;
  readonly growth: number;
  /** Slope of the newer half as a share of that of the whole. */
  readonly steadiness: number;
  /** 0 to 1: how sure the rise is, times how steady. */
  readonly confidence: number;
  /** Hours until it runs out at this pace, with the same 95 %; `undefined` where it does not grow or has no limit. */
  readonly hoursLeft: number | undefined;
  readonly hoursLeftLow: number | undefined;
  readonly hoursLeftHigh: number | undefined;
}

/** What is known beside the window that is judged. */
export interface Surroundings {
  /** The highest level that it has come back from. */
  readonly earlierPeak?: number;
  /** Readings just before the window. */
  readonly before?: readonly Point[];
  /** Where the readings run out. */
  readonly limit?: number | undefined;
}

const hourMs = 3_600_000;
/** Share of the pace of the whole window below which the newer half has come to rest. */
const restless = 0.4;
/** Share of the pace of the older half below which the newer one is slowing down, where that is sure. */
const slowing = 0.8;
/** Times the scatter about the trend by which it must have grown. */
const overNoise = 3;
/** Share of all growth that may lie between two neighbouring fifths of the window; a step has it all there. */
const mostInOne = 0.6;
/** Loads that differ by so much of the greatest are alike. */
const alike = 0.15;
/** Probability of chance below which the load rises; to overlook one costs more than to wait. */
const loadSignificance = 0.05;
/** Share of the pairs under one load that must rise. */
const rising = 0.57;

/**
 * Judges whether readings grow as a leak does: surely, by an amount that matters, to the end of the window and past
 * what was there before, by no single step, and also between moments at which the process had as much to do.
 *
 */
export function judge(
  points: readonly Point[],
  demands: Demands,
  { earlierPeak = 0, before = [], limit }: Surroundings = {},
): Verdict {
  const first = points[0];
  const last = points[points.length - 1];
  const spanMs = first === undefined ? 0 : last!.at - first.at;
  const nothing: Verdict = {
    judgement: 'too_few_readings',
    readings: points.length,
    spanMs,
    p: 1,
    tau: 0,
    perHour: 0,
    perHourLow: 0,
    perHourHigh: 0,
    baseline: 0,
    earlierPeak,
    growth: 0,
    steadiness: 0,
    confidence: 0,
    hoursLeft: undefined,
    hoursLeftLow: undefined,
    hoursLeftHigh: undefined,
  };
  if (points.length < demands.readings) return nothing;

  const values = points.map(({ value }) => value);
  const { p, tau, variance } = mannKendall(values);
  const trend = { ...nothing, p, tau };
  if (p >= demands.significance) return { ...trend, judgement: 'no_trend' };
  const { slope, low, high } = theilSen(points, variance);
  if (low <= 0) return { ...trend, judgement: 'no_trend' };

  const parts = divide(points, points.length >= 15 ? 5 : 3);
  const levels = parts.map(part => median(part.map(({ value }) => value)));
  const baseline = levels[0]!;
  const now = levels[levels.length - 1]!;
  const growth = slope * spanMs;
  const middle = points.length >> 1;
  const steadiness = Math.max(0, perLoad(points.slice(middle)).slope / perLoad(points).slope);
  const known: Verdict = {
    ...trend,
    perHour: slope * hourMs,
    perHourLow: low * hourMs,
    perHourHigh: high * hourMs,
    baseline,
    growth,
    steadiness,
    confidence: (1 - p) * Math.min(1, steadiness),
    ...timeLeft(limit === undefined ? undefined : limit - last!.value, { slope, low, high }),
  };
  const least = Math.max(demands.amount, demands.share * baseline);
  if (growth < least || known.perHour < demands.perHour) return { ...known, judgement: 'too_small' };
  if (now < earlierPeak + least / 2) return { ...known, judgement: 'below_earlier_peak' };
  if (isStep(levels)) return { ...known, judgement: 'step' };
  if (growth < overNoise * scatter(points, slope)) return { ...known, judgement: 'noise' };
  const slows =
    isSlower(points.slice(middle), points.slice(0, middle)) ||
    (before.length >= middle && isSlower(points, before));
  if (slows || steadiness < restless) return { ...known, judgement: 'levels_off' };
  const load = againstLoad(points, slope, growth - least / 2, baseline);
  if (load !== undefined) return { ...known, judgement: load };
  const urgent = (known.hoursLeft ?? Infinity) * hourMs <= spanMs * 4 && spanMs >= demands.urgentSpanMs;
  if (spanMs < demands.spanMs && !urgent) return { ...known, judgement: 'too_short' };
  return { ...known, judgement: 'grows' };
}

/** Equal parts of the window by number of readings. */
function divide(points: readonly Point[], count: number): (readonly Point[])[] {
  return Array.from({ length: count }, (_, i) =>
    points.slice(Math.floor((points.length * i) / count), Math.floor((points.length * (i + 1)) / count)),
  );
}

function isStep(levels: readonly number[]): boolean {
  const rises = levels.slice(1).map((level, i) => level - levels[i]!);
  const total = levels[levels.length - 1]! - levels[0]!;
  return Math.max(...rises) > total * (levels.length === 5 ? mostInOne : (1 + mostInOne) / 2);
}

function slopeOf(points: readonly Point[]): Slope {
  return theilSen(points, mannKendall(points.map(({ value }) => value)).variance);
}

/** Growth by what there was to do, so that a leak of every request does not seem to end with the traffic. */
function perLoad(points: readonly Point[]): Slope {
  const { slope, low, high } = slopeOf(points);
  const load = points.reduce((sum, point) => sum + (point.load ?? 0), 0) / points.length || 1;
  return { slope: slope / load, low: low / load, high: high / load };
}

function isSlower(newer: readonly Point[], older: readonly Point[]): boolean {
  const [now, then] = [perLoad(newer), perLoad(older)];
  return now.slope < slowing * then.slope && now.high < then.low;
}

/** How far readings lie off the trend: the median distance, as the standard deviation of a normal distribution. */
function scatter(points: readonly Point[], slope: number): number {
  const rest = points.map(({ at, value }) => value - slope * (at - points[0]!.at));
  const centre = median(rest);
  return 1.4826 * median(rest.map(value => Math.abs(value - centre)));
}

/**
 * Whether it may come from there being more to do. While the load rises, what grows in proportion to it says nothing.
 * Then only moments at which there was as much to do are compared: it must grow between these.
 */
function againstLoad(
  points: readonly Point[],
  slope: number,
  growth: number,
  baseline: number,
): 'follows_load' | 'load_rises_too' | undefined {
  const loads = points.map(({ load }) => load ?? 0);
  const most = Math.max(...loads);
  if (most === 0) return undefined;
  if (mannKendall(loads).p < loadSignificance) {
    const part = Math.ceil(loads.length / 5);
    const [before, after] = [median(loads.slice(0, part)), median(loads.slice(-part))];
    if (growth < baseline * (after / Math.max(before, most / 100) - 1)) return 'load_rises_too';
  }
  const slopes = pairSlopes(points, (a, b) => Math.abs((a.load ?? 0) - (b.load ?? 0)) <= alike * most);
  const first = slopes.findIndex(value => value > 0);
  const share = first < 0 ? 0 : (slopes.length - first) / slopes.length;
  return share < rising || medianOfSorted(slopes) < slope * restless ? 'follows_load' : undefined;
}

function timeLeft(
  room: number | undefined,
  { slope, low, high }: Slope,
): Pick<Verdict, 'hoursLeft' | 'hoursLeftLow' | 'hoursLeftHigh'> {
  if (room === undefined) return { hoursLeft: undefined, hoursLeftLow: undefined, hoursLeftHigh: undefined };
  const hours = (pace: number): number => Math.max(0, room / pace / hourMs);
  return { hoursLeft: hours(slope), hoursLeftLow: hours(high), hoursLeftHigh: hours(low) };
}
