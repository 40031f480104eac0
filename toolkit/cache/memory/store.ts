/** Why an entry left a store without being asked to. */
export type Departure = 'capacity' | 'expired';

/** A bounded map in memory. */
export interface Store<T> {
  /** Counts as a use of the key. */
  get(key: string): T | undefined;
  /** Does not. */
  peek(key: string): T | undefined;
  /** @param size its bytes, where the store is bounded by bytes. One larger than the store is not kept. */
  set(key: string, value: T, size: number): void;
  delete(key: string): boolean;
  clear(): void;
  /** May be changed meanwhile. */
  entries(): Iterable<[key: string, value: T]>;
  readonly count: number;
  /** 0 where the store is not bounded by bytes. */
  readonly bytes: number;
}

/** How much a store holds. */
export interface StoreLimits {
  readonly maxEntries: number;
  /** Infinity where bytes do not bound it. */
  readonly maxBytes: number;
}
