const tagBits = 12;
const countBits = 32 - tagBits;
const countMask = 2 ** countBits - 1;
/** Most that one thread adds, so that many threads do not run over into the tag. */
const mostOfOne = 2 ** 15;

/** Words that a count takes. */
export const waiterCountWords = 2;

/** Seconds of the clock that all threads share, as a tag. */
function second(): number {
  return process.hrtime()[0] & (2 ** tagBits - 1);
}

/**
 * What one thread has in a count of those who wait, which threads share. A thread that is terminated while it waits takes
 * nothing back; so what is counted holds for the second in which it was and the next, and has to be renewed. A word has
 * the count of one second and above it the second: one for the even and one for the odd.
 */
export class WaiterCount {
  readonly #words: Int32Array;
  readonly #index: number;
  #value = 0;
  /** The second in which it is counted, and what is. */
  #second = 0;
  #counted = 0;

  constructor(words: Int32Array, index: number) {
    this.#words = words;
    this.#index = index;
  }

  add(change: number): void {
    this.#value += change;
    this.renew();
  }

  /** To be called at least once in a second while anybody waits. */
  renew(): void {
    if (this.#counted > 0) this.#change(this.#second, -this.#counted);
    this.#counted = Math.min(this.#value, mostOfOne);
    if (this.#counted === 0) return;
    this.#second = second();
    this.#change(this.#second, this.#counted);
  }

  #change(at: number, by: number): void {
    const words = this.#words;
    const index = this.#index + (at & 1);
    for (;;) {
      const before = Atomics.load(words, index);
      const isOf = before >>> countBits;
      // What was counted in a second that has passed is forgotten with it.
      if (isOf !== at && by < 0) return;
      const count = isOf === at ? (before & countMask) + by : by;
      if (Atomics.compareExchange(words, index, before, (at << countBits) | count) === before) return;
    }
  }
}

/** How many wait, by a count that begins at `index`. */
export function waitersAt(words: Int32Array, index: number): number {
  const now = second();
  let total = 0;
  for (let i = 0; i < waiterCountWords; i++) {
    const word = Atomics.load(words, index + i);
    const age = (now - (word >>> countBits)) & (2 ** tagBits - 1);
    if (age <= 1) total += word & countMask;
  }
  return total;
}
