/** Reads and loads of one key that are under way, which a write to that key makes outdated. */
export interface Reading {
  readers: number;
  outdated: boolean;
  /** What was written meanwhile: a read that finds just that is not outdated. */
  version: string | undefined;
}

/** What is being read and written, by key. */
export class Readings {
  readonly #readings = new Map<string, Reading>();
  readonly #writes = new Map<string, number>();

  begin(key: string): Reading {
    // Begun in the middle of a write, it may find what was before in one tier or another.
    if (this.#writes.has(key)) return { readers: 1, outdated: true, version: undefined };
    let reading = this.#readings.get(key);
    if (reading === undefined) {
      reading = { readers: 0, outdated: false, version: undefined };
      this.#readings.set(key, reading);
    }
    reading.readers++;
    return reading;
  }

  end(key: string, reading: Reading): void {
    if (--reading.readers === 0 && this.#readings.get(key) === reading) this.#readings.delete(key);
  }

  /** What is being read of `key` is older than the write that calls this: it must not be stored over it. */
  outdate(key: string, version?: string): void {
    const reading = this.#readings.get(key);
    if (reading === undefined) return;
    reading.outdated = true;
    reading.version = version;
    this.#readings.delete(key);
  }

  beginWrite(key: string): void {
    this.outdate(key);
    this.#writes.set(key, (this.#writes.get(key) ?? 0) + 1);
  }

  endWrite(key: string): void {
    const writes = this.#writes.get(key)! - 1;
    if (writes === 0) this.#writes.delete(key);
    else this.#writes.set(key, writes);
  }
}

/** Whether what was read may be stored. */
export function isCurrent(reading: Reading, version: string): boolean {
  return !reading.outdated || reading.version === version;
}
