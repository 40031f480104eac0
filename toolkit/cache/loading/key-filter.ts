import type { SettledFilter } from '../options';
import { BloomFilter } from './bloom-filter';

/** Keys added at once while the filter is filled, before others get their turn. */
const addedAtOnce = 2000;
/** Pause after an attempt to fill it that failed, in milliseconds. */
const retryMs = 5000;

/**
 * Knows which keys the source may have, so that asking for others costs nothing. It answers only while it can know all:
 * not before it was filled, and not while other processes' new keys may be missed.
 */
export class KeyFilter {
  readonly #options: SettledFilter;
  readonly #onError: (error: unknown) => void;
  #filter: BloomFilter | undefined;
  /** Filled in the background; takes new keys too, since the walk over the source may have passed their place. */
  #next: BloomFilter | undefined;
  #filling = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SettledFilter, onError: (error: unknown) => void) {
    this.#options = options;
    this.#onError = onError;
  }

  /** Whether the source surely has no such key. */
  excludes(key: string): boolean {
    return this.#filter !== undefined && !this.#filter.mayHave(key);
  }

  add(key: string): void {
    this.#filter?.add(key);
    this.#next?.add(key);
  }

  /** It may have missed a key: it answers nothing until it is filled anew. */
  distrust(): void {
    this.#filter = undefined;
  }

  /** Fills it anew; resolves when it was filled, or could not be. */
  async fill(): Promise<void> {
    const { keys, expectedKeys, falsePositiveRate, refillMs } = this.#options;
    const mine = ++this.#filling;
    clearTimeout(this.#timer);
    const next = new BloomFilter(expectedKeys, falsePositiveRate);
    this.#next = next;
    let filled = false;
    try {
      let added = 0;
      for await (const key of keys()) {
        next.add(key);
        if (++added % addedAtOnce === 0) await new Promise(resolve => setImmediate(resolve));
        if (mine !== this.#filling) return;
      }
      filled = true;
    } catch (error) {
      this.#onError(error);
    }
    if (mine !== this.#filling) return;
    this.#next = undefined;
    if (filled) this.#filter = next;
    const again = filled ? refillMs : retryMs;
    if (again !== Infinity) this.#timer = setTimeout(() => void this.fill(), again).unref();
  }

  close(): void {
    this.#filling++;
    clearTimeout(this.#timer);
    this.#filter = undefined;
    this.#next = undefined;
  }
}
