const firstPlaces = 16;

/**
 * A queue of a fixed most length on a ring of places: putting in and taking out moves nothing. The ring doubles until
 * it holds the most, so that a large channel that is never full takes little memory.
 */
export class RingBuffer<T> {
  /** Entries there are. */
  length = 0;
  #places: (T | undefined)[];
  #head = 0;
  #mask: number;

  /** @param capacity most entries; who puts one in sees to it that there is room */
  constructor(readonly capacity: number) {
    const places = Math.min(firstPlaces, 2 ** Math.ceil(Math.log2(Math.max(capacity, 1))));
    this.#places = new Array<T | undefined>(places).fill(undefined);
    this.#mask = places - 1;
  }

  push(entry: T): void {
    if (this.length > this.#mask) this.#grow();
    this.#places[(this.#head + this.length) & this.#mask] = entry;
    this.length++;
  }

  /** Takes the oldest out; undefined when there is none. */
  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const entry = this.#places[this.#head];
    // What was taken must not be kept alive.
    this.#places[this.#head] = undefined;
    this.#head = (this.#head + 1) & this.#mask;
    this.length--;
    return entry;
  }

  #grow(): void {
    const old = this.#places;
    const places = new Array<T | undefined>(old.length * 2).fill(undefined);
    for (let i = 0; i < this.length; i++) places[i] = old[(this.#head + i) & this.#mask];
    this.#places = places;
    this.#head = 0;
    this.#mask = places.length - 1;
  }
}
