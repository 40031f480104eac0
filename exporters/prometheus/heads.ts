/** Bytes that the heads of one more series usually take. */
const usualBytes = 128;

/**
 * What the lines of a metric's series begin with, name and labels, as bytes one after the other.
 *
 * Kept from scrape to scrape in place of strings: copying bytes into an exposition takes a third of encoding a string
 * there, and one block of memory less than an object for each series.
 */
export interface LineHeads {
  readonly bytes: Buffer;
  /** Where each head begins, and after the last one where it ends. */
  readonly offsets: Uint32Array;
}

/** Puts heads together, new ones and those of an earlier scrape. */
export class HeadsBuilder {
  #bytes: Buffer;
  readonly #offsets: Uint32Array;
  #count = 0;

  constructor(count: number, previous: LineHeads | undefined) {
    this.#offsets = new Uint32Array(count + 1);
    this.#bytes = Buffer.allocUnsafeSlow(previous === undefined ? count * usualBytes : previous.bytes.length);
  }

  /** Adds a head of its own. */
  text(text: string): void {
    const at = this.#offsets[this.#count]!;
    this.#makeRoom(at + text.length * 3);
    this.#offsets[++this.#count] = at + this.#bytes.write(text, at);
  }

  /** Adds the heads of `from`, from the `first` to before the `end`. */
  copy(from: LineHeads, first: number, end: number): void {
    const offsets = this.#offsets;
    const at = offsets[this.#count]!;
    const start = from.offsets[first]!;
    const bytes = from.offsets[end]! - start;
    this.#makeRoom(at + bytes);
    from.bytes.copy(this.#bytes, at, start, start + bytes);
    for (let i = first; i < end; i++) offsets[++this.#count] = at + from.offsets[i + 1]! - start;
  }

  /** All heads, in memory of their size. */
  done(): LineHeads {
    const end = this.#offsets[this.#count]!;
    const bytes = Buffer.allocUnsafeSlow(end);
    this.#bytes.copy(bytes, 0, 0, end);
    return { bytes, offsets: this.#offsets };
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(bytes, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#offsets[this.#count]!);
    this.#bytes = grown;
  }
}
