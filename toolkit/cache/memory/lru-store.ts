import { LRUCache } from 'lru-cache';
import type { Store, StoreLimits } from './store';

/** Least recently used goes first. */
export class LruStore<T extends object> implements Store<T> {
  readonly #entries: LRUCache<string, T>;
  readonly get: (key: string) => T | undefined;
  readonly peek: (key: string) => T | undefined;

  constructor({ maxEntries, maxBytes }: StoreLimits, onEvict: () => void) {
    const entries = new LRUCache<string, T>({
      max: maxEntries,
      ...(maxBytes !== Infinity && { maxSize: maxBytes }),
      dispose(_entry, _key, reason) {
        if (reason === 'evict') onEvict();
      },
    });
    this.#entries = entries;
    this.get = key => entries.get(key);
    this.peek = key => entries.peek(key);
  }

  set(key: string, value: T, size: number): void {
    if (size === 0) this.#entries.set(key, value);
    else this.#entries.set(key, value, { size });
  }

  delete(key: string): boolean {
    return this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  entries(): Iterable<[string, T]> {
    return this.#entries.entries();
  }

  get count(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#entries.calculatedSize;
  }
}
