/**
 * A set that may say of a key that it is in it when it is not, with a probability that is chosen, and never the other
 * way round (Bloom, "Space/time trade-offs in hash coding with allowable errors", 1970). Two hashes give all the others
 * (Kirsch, Mitzenmacher, "Less hashing, same performance", 2006).
 */
export class BloomFilter {
  readonly #bits: Uint32Array;
  readonly #size: number;
  readonly #hashes: number;
  #added = 0;

  /**
   * @param expectedKeys as many keys as it is made for; with more it is wrong more often
   * @param falsePositiveRate share of keys that are not in it of which it says that they may be
   */
  constructor(expectedKeys: number, falsePositiveRate: number) {
    const bits = Math.ceil((-expectedKeys * Math.log(falsePositiveRate)) / Math.LN2 ** 2);
    this.#bits = new Uint32Array(Math.ceil(bits / 32));
    this.#size = this.#bits.length * 32;
    this.#hashes = Math.max(1, Math.round((this.#size / expectedKeys) * Math.LN2));
  }

  /** How many keys were added, those added again included. */
  get added(): number {
    return this.#added;
  }

  add(key: string): void {
    this.#added++;
    let hash = fnv1a(key, 0x811c_9dc5);
    const step = fnv1a(key, 0x9e37_79b9) | 1;
    for (let i = 0; i < this.#hashes; i++) {
      const bit = hash % this.#size;
      this.#bits[bit >>> 5]! |= 1 << (bit & 31);
      hash = (hash + step) >>> 0;
    }
  }

  mayHave(key: string): boolean {
    let hash = fnv1a(key, 0x811c_9dc5);
    const step = fnv1a(key, 0x9e37_79b9) | 1;
    for (let i = 0; i < this.#hashes; i++) {
      const bit = hash % this.#size;
      if ((this.#bits[bit >>> 5]! & (1 << (bit & 31))) === 0) return false;
      hash = (hash + step) >>> 0;
    }
    return true;
  }
}

/** FNV-1a over the two bytes of each character, and the finish of MurmurHash3, since the last characters differ most. */
function fnv1a(key: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i);
    hash = Math.imul(hash ^ (code & 0xff), 0x0100_0193);
    hash = Math.imul(hash ^ (code >>> 8), 0x0100_0193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
