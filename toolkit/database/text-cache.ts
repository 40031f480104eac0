/** Texts that are remembered, by their number and by the characters of all together. */
const mostTexts = 2000;
const mostCharacters = 2_000_000;
/** A longer one is not remembered. */
const longestKept = 100_000;

/** Remembers what belongs to a text, for the texts that came last. Bounded in memory. */
export class TextCache<T> {
  readonly #known = new Map<string, T>();
  #characters = 0;

  get(text: string): T | undefined {
    return this.#known.get(text);
  }

  set(text: string, value: T): void {
    if (text.length > longestKept || this.#known.has(text)) return;
    this.#known.set(text, value);
    this.#characters += text.length;
    // In the order in which they came: what is asked for often comes back at once.
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= mostTexts && this.#characters <= mostCharacters) break;
      this.#known.delete(oldest);
      this.#characters -= oldest.length;
    }
  }

  get size(): number {
    return this.#known.size;
  }
}
