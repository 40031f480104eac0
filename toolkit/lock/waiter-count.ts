const countBits = 20n;
const countMask = 2n ** countBits - 1n;
const secondShift = 2n * countBits;
const countsMask = 2n ** secondShift - 1n;
const secondMask = 2n ** 23n - 1n;
/** Most that one thread adds, so that many threads do not run over. */
const mostOfOne = 2 ** 15;

/** Of the clock that all threads share. */
function second(): bigint {
  return BigInt(process.hrtime()[0]) & secondMask;
}

/** The word as it is in a second: what was counted two seconds ago has lapsed. */
function asOf(now: bigint, word: bigint): bigint {
  const age = (now - (word >> secondShift)) & secondMask;
  if (age === 0n) return word;
  return (now << secondShift) | (age === 1n ? (word >> countBits) & countMask : 0n);
}

/** Whether another thread has counted in a second that was not yet when this one looked at the clock. */
function isAhead(word: bigint, now: bigint): boolean {
  const ahead = ((word >> secondShift) - now) & secondMask;
  return ahead > 0n && ahead < 4n && (word & countsMask) !== 0n;
}

/**
 * What one thread has in a count of those who wait, which threads share. A thread that is terminated while it waits takes
 * nothing back; so what is counted holds for the second in which it was and the next, and has to be renewed. One word of
 * 64 bits has the second, what was counted in it, and what was counted in the one before, so that it is right at any
 * moment.
 */
export class WaiterCount {
  readonly #words: BigInt64Array;
  #value = 0;
  /** What is counted, and in which second. */
  #counted = 0n;
  #second = 0n;

  /** @param index of the first of two words, even */
  constructor({ buffer }: Int32Array, index: number) {
    this.#words = new BigInt64Array(buffer, index * 4, 1);
  }

  add(change: number): void {
    this.#value += change;
    this.renew();
  }

  /** To be called at least once in a second while anybody waits. */
  renew(): void {
    const words = this.#words;
    const value = BigInt(Math.min(this.#value, mostOfOne));
    for (;;) {
      const before = Atomics.load(words, 0);
      let now = second();
      if (isAhead(before, now)) now = before >> secondShift;
      let word = asOf(now, before);
      const age = (now - this.#second) & secondMask;
      if (age === 0n) word -= this.#counted << countBits;
      else if (age === 1n) word -= this.#counted;
      word += value << countBits;
      if (Atomics.compareExchange(words, 0, before, word) !== before) continue;
      this.#counted = value;
      this.#second = now;
      return;
    }
  }
}

/** How many wait, by the count that begins at `index`. */
export function waitersAt({ buffer }: Int32Array, index: number): number {
  const word = Atomics.load(new BigInt64Array(buffer, index * 4, 1), 0);
  const now = second();
  const current = isAhead(word, now) ? word : asOf(now, word);
  return Number(((current >> countBits) & countMask) + (current & countMask));
}
