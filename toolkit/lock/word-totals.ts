/**
 * Totals of counters that threads keep in 32 bits and that run over: right as long as one is read before it has counted
 * 2^32 further.
 */
export class WordTotals {
  readonly #words: Int32Array;
  readonly #last = new Map<number, number>();
  readonly #totals = new Map<number, number>();

  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** @param start what the counter began at */
  of(index: number, start = 0): number {
    const now = Atomics.load(this.#words, index);
    const total = (this.#totals.get(index) ?? 0) + ((now - (this.#last.get(index) ?? start)) >>> 0);
    this.#last.set(index, now);
    this.#totals.set(index, total);
    return total;
  }
}
