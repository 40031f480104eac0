/** A snapshot of a {@link FixedHistogram}. */
export interface HistogramSnapshot {
  /** Upper bounds of the buckets, inclusive, ascending; values past the last fall into one more bucket. */
  readonly bounds: readonly number[];
  /** Values per bucket, not cumulative; one longer than `bounds`. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
}

/** Counts values into buckets that never change: a few comparisons and an increment per value, no allocation. */
export class FixedHistogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  /** @param bounds upper bounds of the buckets, inclusive, ascending */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  record(value: number): void {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > bounds[bucket]!) bucket++;
    this.#counts[bucket]!++;
    this.#sum += value;
  }

  snapshot(): HistogramSnapshot {
    const counts = [...this.#counts];
    return { bounds: this.#bounds, counts, count: counts.reduce((sum, one) => sum + one, 0), sum: this.#sum };
  }
}
