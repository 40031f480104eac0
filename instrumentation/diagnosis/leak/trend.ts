/** A reading of something that may grow. */
export interface Point {
  /** Milliseconds; only differences matter. */
  readonly at: number;
  readonly value: number;
  /** How much the process had to do about then, in any unit; `undefined` where nobody knows. */
  readonly load?: number | undefined;
}

/** Whether values tend upwards, without asking by how much or along which curve. */
export interface Tendency {
  /** Share of pairs that rise less the share that falls: 1 where each value is above all before it. */
  readonly tau: number;
  /** Probability of so much of a rise by chance where there is none; 1 where it falls. */
  readonly p: number;
  /** Variance of the number of rising less falling pairs, where these are more. */
  readonly variance: number;
}

/**
 * Mann–Kendall test against a rise, with the variance that Hamed and Rao give for values that follow one another
 * closely, as readings of one process do.
 *
 * Sources: Mann 1945, Kendall 1975; K. H. Hamed and A. R. Rao, "A modified Mann-Kendall trend test for autocorrelated
 * data", Journal of Hydrology 204 (1998).
 */
export function mannKendall(values: readonly number[]): Tendency {
  const n = values.length;
  if (n < 3) return { tau: 0, p: 1, variance: 0 };
  let s = 0;
  for (let i = 0; i < n - 1; i++) {
    const value = values[i]!;
    for (let j = i + 1; j < n; j++) {
      const later = values[j]!;
      if (later > value) s++;
      else if (later < value) s--;
    }
  }
  if (s <= 0) return { tau: (2 * s) / (n * (n - 1)), p: 1, variance: 0 };
  const ties = new Map<number, number>();
  for (const value of values) ties.set(value, (ties.get(value) ?? 0) + 1);
  let variance = n * (n - 1) * (2 * n + 5);
  for (const t of ties.values()) variance -= t * (t - 1) * (2 * t + 5);
  variance = (variance / 18) * inflation(values);
  // The continuity correction.
  const z = variance > 0 ? (s - 1) / Math.sqrt(variance) : 0;
  return { tau: (2 * s) / (n * (n - 1)), p: 1 - normal(z), variance };
}

/** How many times larger the variance is because values resemble those before them; never less than 1. */
function inflation(values: readonly number[]): number {
  const n = values.length;
  const slope = endToEnd(values);
  const ranks = ranksOf(values.map((value, i) => value - slope * i));
  const mean = (n + 1) / 2;
  const total = ranks.reduce((sum, rank) => sum + (rank - mean) ** 2, 0);
  if (total === 0) return 1;
  let sum = 0;
  // Correlations over more than a fourth of the series are too few pairs to tell.
  for (let lag = 1; lag <= n / 4; lag++) {
    let rho = 0;
    for (let i = 0; i + lag < n; i++) rho += (ranks[i]! - mean) * (ranks[i + lag]! - mean);
    rho /= total;
    if (Math.abs(rho) > 1.96 / Math.sqrt(n)) sum += (n - lag) * (n - lag - 1) * (n - lag - 2) * rho;
  }
  return Math.max(1, 1 + (2 * sum) / (n * (n - 1) * (n - 2)));
}

/** A slope per index that no single value decides: between the medians of the first and the last third. */
function endToEnd(values: readonly number[]): number {
  const third = Math.max(1, Math.floor(values.length / 3));
  const distance = values.length - third;
  return (median(values.slice(-third)) - median(values.slice(0, third))) / distance;
}

function ranksOf(values: readonly number[]): number[] {
  const order = values.map((value, i) => ({ value, i })).sort((a, b) => a.value - b.value);
  const ranks = new Array<number>(values.length);
  for (const [rank, { i }] of order.entries()) ranks[i] = rank + 1;
  return ranks;
}

/** Growth per millisecond. */
export interface Slope {
  readonly slope: number;
  /** Bounds of the interval in which it lies with 95 %. */
  readonly low: number;
  readonly high: number;
}

/** 97.5th percentile of the normal distribution. */
const z95 = 1.96;

/**
 * Theil–Sen: the median of the slopes of all pairs, which a fourth of the readings being wrong does not move far,
 * with Sen's interval.
 *
 * Source: P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63 (1968).
 *
 * @param variance of {@link mannKendall} for the same values
 */
export function theilSen(points: readonly Point[], variance: number): Slope {
  const slopes = pairSlopes(points);
  const half = (z95 * Math.sqrt(variance)) / 2;
  const at = (rank: number): number =>
    slopes[Math.min(slopes.length - 1, Math.max(0, Math.round(rank)))] ?? 0;
  return {
    slope: medianOfSorted(slopes),
    low: at(slopes.length / 2 - half - 0.5),
    high: at(slopes.length / 2 + half - 0.5),
  };
}

/** Slopes of the pairs that pass, ascending. */
export function pairSlopes(
  points: readonly Point[],
  passes: (earlier: Point, later: Point) => boolean = () => true,
): Float64Array {
  const slopes = new Float64Array((points.length * (points.length - 1)) / 2);
  let count = 0;
  for (const [i, earlier] of points.entries()) {
    for (let j = i + 1; j < points.length; j++) {
      const later = points[j]!;
      if (later.at <= earlier.at || !passes(earlier, later)) continue;
      slopes[count++] = (later.value - earlier.value) / (later.at - earlier.at);
    }
  }
  return slopes.subarray(0, count).sort();
}

export function medianOfSorted(sorted: ArrayLike<number>): number {
  const { length } = sorted;
  if (length === 0) return 0;
  const middle = length >> 1;
  return length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function median(values: readonly number[]): number {
  return medianOfSorted([...values].sort((a, b) => a - b));
}

/** The normal distribution up to `z`; Abramowitz and Stegun 7.1.26, good to 1.5e-7. */
function normal(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const series =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const tail = (series * Math.exp(-x * x)) / 2;
  return z > 0 ? 1 - tail : tail;
}
