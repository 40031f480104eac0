import type { Store, StoreLimits } from './store';

/** Uses are counted up to here: what is used that often is told apart by when it was used last. */
const mostUses = 255;
/** After so many uses and new entries per entry that may be held, all counts are halved, so that what was popular once can leave. */
const usesPerHalving = 10;
const none = 0;

/**
 * Least frequently used goes first, and of those as often used the one whose last use is longest ago. Every operation
 * takes constant time: entries are in a list per number of uses (Shah, Mitra, Matani, "An O(1) algorithm for
 * implementing the LFU cache eviction scheme", 2010), whose links are numbers in arrays.
 */
export class LfuStore<T> implements Store<T> {
  readonly #slots = new Map<string, number>();
  readonly #limits: StoreLimits;
  readonly #onEvict: () => void;
  readonly #keys: (string | undefined)[] = [undefined];
  readonly #values: (T | undefined)[] = [undefined];
  readonly #sizes: number[] = [0];
  readonly #uses: number[] = [0];
  readonly #next: number[] = [none];
  readonly #previous: number[] = [none];
  /** Of each number of uses the entry used last, and the one to leave first. */
  readonly #newest = new Uint32Array(mostUses + 1);
  readonly #oldest = new Uint32Array(mostUses + 1);
  readonly #free: number[] = [];
  #untilHalving: number;
  #bytes = 0;

  constructor(limits: StoreLimits, onEvict: () => void) {
    this.#limits = limits;
    this.#onEvict = onEvict;
    this.#untilHalving = limits.maxEntries * usesPerHalving;
  }

  get(key: string): T | undefined {
    const slot = this.#slots.get(key);
    if (slot === undefined) return undefined;
    this.#use(slot);
    return this.#values[slot];
  }

  peek(key: string): T | undefined {
    const slot = this.#slots.get(key);
    return slot === undefined ? undefined : this.#values[slot];
  }

  set(key: string, value: T, size: number): void {
    const { maxEntries, maxBytes } = this.#limits;
    const present = this.#slots.get(key);
    if (size > maxBytes) {
      if (present !== undefined) this.#remove(key, present);
      return;
    }
    if (present !== undefined) {
      this.#bytes += size - this.#sizes[present]!;
      this.#sizes[present] = size;
      this.#values[present] = value;
      this.#use(present);
      while (this.#bytes > maxBytes) this.#evict(present);
      return;
    }
    while (this.#slots.size >= maxEntries || this.#bytes + size > maxBytes) this.#evict(none);
    const slot = this.#free.pop() ?? this.#keys.length;
    this.#slots.set(key, slot);
    this.#keys[slot] = key;
    this.#values[slot] = value;
    this.#sizes[slot] = size;
    this.#bytes += size;
    this.#link(slot, 1);
    if (--this.#untilHalving === 0) this.#halve();
  }

  delete(key: string): boolean {
    const slot = this.#slots.get(key);
    if (slot === undefined) return false;
    this.#remove(key, slot);
    return true;
  }

  clear(): void {
    for (const [key, slot] of this.#slots) this.#remove(key, slot);
  }

  *entries(): Iterable<[string, T]> {
    for (const [key, slot] of this.#slots) yield [key, this.#values[slot]!];
  }

  get count(): number {
    return this.#slots.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  #use(slot: number): void {
    const uses = this.#uses[slot]!;
    const next = uses < mostUses ? uses + 1 : uses;
    if (uses !== next || this.#newest[uses] !== slot) {
      this.#unlink(slot, uses);
      this.#link(slot, next);
    }
    if (--this.#untilHalving === 0) this.#halve();
  }

  #link(slot: number, uses: number): void {
    const newest = this.#newest[uses]!;
    this.#uses[slot] = uses;
    this.#next[slot] = none;
    this.#previous[slot] = newest;
    if (newest === none) this.#oldest[uses] = slot;
    else this.#next[newest] = slot;
    this.#newest[uses] = slot;
  }

  #unlink(slot: number, uses: number): void {
    const next = this.#next[slot]!;
    const previous = this.#previous[slot]!;
    if (next === none) this.#newest[uses] = previous;
    else this.#previous[next] = previous;
    if (previous === none) this.#oldest[uses] = next;
    else this.#next[previous] = next;
  }

  /** @param kept never this one */
  #evict(kept: number): void {
    for (let uses = 1; uses <= mostUses; uses++) {
      let slot = this.#oldest[uses]!;
      if (slot === kept) slot = slot === none ? none : this.#next[slot]!;
      if (slot === none) continue;
      this.#remove(this.#keys[slot]!, slot);
      this.#onEvict();
      return;
    }
  }

  #remove(key: string, slot: number): void {
    this.#unlink(slot, this.#uses[slot]!);
    this.#slots.delete(key);
    this.#keys[slot] = undefined;
    this.#values[slot] = undefined;
    this.#bytes -= this.#sizes[slot]!;
    this.#free.push(slot);
  }

  #halve(): void {
    this.#untilHalving = this.#limits.maxEntries * usesPerHalving;
    const order: number[] = [];
    for (let uses = 1; uses <= mostUses; uses++) {
      for (let slot = this.#oldest[uses]!; slot !== none; slot = this.#next[slot]!) order.push(slot);
    }
    this.#newest.fill(none);
    this.#oldest.fill(none);
    // In the order of leaving, so that this stays the order among those that now have as many.
    for (const slot of order) this.#link(slot, Math.max(1, this.#uses[slot]! >> 1));
  }
}
