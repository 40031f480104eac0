import { FixedHistogram } from '../../../histogram';
import type { Times } from './stats';

/** Bounds of buckets, in milliseconds: each a tenth above the one before, from a tenth of a millisecond to two minutes. */
export const bucketBounds: readonly number[] = Array.from({ length: 148 }, (_, i) => 0.1 * 1.1 ** i);

/** Times of one kind, counted into buckets. */
export class Timing {
  readonly #histogram = new FixedHistogram(bucketBounds);
  #min = Infinity;
  #max = 0;

  record(ms: number): void {
    this.#histogram.record(ms);
    if (ms < this.#min) this.#min = ms;
    if (ms > this.#max) this.#max = ms;
  }

  /** Of this and, where given, of another together. */
  times(other?: Timing): Times {
    const one = this.#histogram.snapshot();
    const two = other === undefined ? undefined : other.#histogram.snapshot();
    const counts = one.counts.map((count, i) => count + (two?.counts[i] ?? 0));
    const count = one.count + (two?.count ?? 0);
    if (count === 0) return { count: 0, minMs: 0, meanMs: 0, maxMs: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0 };
    const min = other === undefined ? this.#min : Math.min(this.#min, other.#min);
    const max = other === undefined ? this.#max : Math.max(this.#max, other.#max);
    const at = (q: number): number => Math.min(Math.max(quantile(counts, count, q), min), max);
    return {
      count,
      minMs: min,
      meanMs: (one.sum + (two?.sum ?? 0)) / count,
      maxMs: max,
      p50Ms: at(0.5),
      p95Ms: at(0.95),
      p99Ms: at(0.99),
    };
  }
}

/** The value below which a share of all are, by the place of its rank within its bucket. */
function quantile(counts: readonly number[], count: number, q: number): number {
  const rank = q * count;
  let below = 0;
  for (let i = 0; i < counts.length; i++) {
    const within = counts[i]!;
    if (within > 0 && below + within >= rank) {
      const lower = i === 0 ? 0 : bucketBounds[i - 1]!;
      const upper = bucketBounds[i] ?? Infinity;
      return upper === Infinity ? upper : lower + ((upper - lower) * (rank - below)) / within;
    }
    below += within;
  }
  return Infinity;
}
