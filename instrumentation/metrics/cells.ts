import type { AttributeValue } from '../catalogue/define';
import type { Exemplar } from './exemplar';
import { anyExtremes, type Extremes } from './quantile';

/** The attributes of one series. One object for as long as the series lives: exporters key caches by it. */
export type SeriesAttributes = Readonly<Record<string, AttributeValue>>;

/** One series of a counter: a number that a hot path adds to. */
export class CounterCell {
  value = 0;

  constructor(readonly attributes: SeriesAttributes) {}

  /** Adds `amount`, which must not be negative on a monotonic counter. */
  add(amount = 1): void {
    this.value += amount;
  }

  /** Takes over a running total that is kept elsewhere. */
  set(total: number): void {
    this.value = total;
  }
}

/** One series of a gauge; not reported until it is set, nor while it is `undefined`. */
export class GaugeCell {
  value: number | undefined = undefined;

  constructor(readonly attributes: SeriesAttributes) {}

  set(value: number | undefined): void {
    this.value = value;
  }
}

/** One series of a histogram with fixed buckets. */
export class HistogramCell {
  /** Measurements per bucket: the i-th holds what is at most `bounds[i]`, the last what is above all. */
  counts: number[];
  sum = 0;
  count = 0;
  /** The last exemplar of each bucket; made when the first one comes. */
  exemplars: (Exemplar | undefined)[] | undefined = undefined;
  /** Least and largest since each watcher's last look, by turns; none where nobody watches. */
  #extremes: number[] | undefined;

  constructor(
    readonly attributes: SeriesAttributes,
    readonly bounds: readonly number[],
  ) {
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  /** Counts one measurement. What is not a number is left out, because it would spoil the sum for good. */
  record(value: number, exemplar?: Omit<Exemplar, 'value'>): void {
    if (Number.isNaN(value)) return;
    const { bounds } = this;
    let index = 0;
    while (index < bounds.length && value > bounds[index]!) index++;
    this.counts[index]!++;
    this.sum += value;
    this.count++;
    if (this.#extremes !== undefined) this.#stretch(value, value);
    if (exemplar !== undefined) {
      this.exemplars ??= new Array<Exemplar | undefined>(bounds.length + 1).fill(undefined);
      this.exemplars[index] = { ...exemplar, value };
    }
  }

  /** Adds measurements that were counted elsewhere, by the same buckets. */
  addCounts(counts: readonly number[], sum: number): void {
    if (counts.length !== this.counts.length) {
      throw new RangeError(`Expected ${this.counts.length} bucket counts, got ${counts.length}`);
    }
    for (let i = 0; i < counts.length; i++) {
      this.counts[i]! += counts[i]!;
      this.count += counts[i]!;
    }
    this.sum += sum;
    this.#stretch(anyExtremes.min, anyExtremes.max);
  }

  /** Has the extremes kept for one more watcher. */
  watchExtremes(): void {
    this.#extremes ??= [];
    this.#extremes.push(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
  }

  /** The extremes since this watcher last asked. */
  takeExtremes(watcher: number): Extremes {
    const extremes = this.#extremes;
    const min = extremes?.[watcher * 2];
    const max = extremes?.[watcher * 2 + 1];
    if (extremes === undefined || min === undefined || max === undefined) return anyExtremes;
    extremes[watcher * 2] = Number.POSITIVE_INFINITY;
    extremes[watcher * 2 + 1] = Number.NEGATIVE_INFINITY;
    return { min, max };
  }

  #stretch(min: number, max: number): void {
    const extremes = this.#extremes;
    if (extremes === undefined) return;
    for (let i = 0; i < extremes.length; i += 2) {
      if (min < extremes[i]!) extremes[i] = min;
      if (max > extremes[i + 1]!) extremes[i + 1] = max;
    }
  }

  /** Takes over running totals that are kept elsewhere, by the same buckets. */
  set(counts: readonly number[], sum: number): void {
    if (counts.length !== this.counts.length) {
      throw new RangeError(`Expected ${this.counts.length} bucket counts, got ${counts.length}`);
    }
    this.counts = counts.slice();
    this.sum = sum;
    this.count = counts.reduce((total, count) => total + count, 0);
    this.#stretch(anyExtremes.min, anyExtremes.max);
  }
}

export type Cell = CounterCell | GaugeCell | HistogramCell;
