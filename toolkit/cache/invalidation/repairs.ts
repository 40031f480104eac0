/** Pauses between attempts, in milliseconds: the first, and the longest that they grow to. */
const firstPauseMs = 50;
const longestPauseMs = 5000;

/** What a cache needs of a tier to repair it. */
export interface Repairable {
  delete(key: string): Promise<boolean>;
}

/**
 * Keys that a shared tier has outdated, because it could not be reached when they were written. Until they are deleted
 * there, this process does not read them there. Past the limit the whole tier counts as outdated, and all of it is
 * invalidated.
 */
export class Repairs {
  readonly #keys = new Set<string>();
  readonly #tier: Repairable;
  readonly #limit: number;
  readonly #invalidateAll: () => Promise<boolean>;
  readonly #onCount: (change: number) => void;
  readonly #onRepaired: (key: string) => void;
  #all = false;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #pauseMs = firstPauseMs;
  #closed = false;

  constructor(
    tier: Repairable,
    limit: number,
    on: {
      invalidateAll(): Promise<boolean>;
      /** The number of keys has changed by so many. */
      count(change: number): void;
      repaired(key: string): void;
    },
  ) {
    this.#tier = tier;
    this.#limit = limit;
    this.#invalidateAll = on.invalidateAll;
    this.#onCount = on.count;
    this.#onRepaired = on.repaired;
  }

  /** Whether the tier's entry of `key` is known to be outdated. */
  concerns(key: string): boolean {
    return this.#all || this.#keys.has(key);
  }

  add(key: string): void {
    if (this.#all || this.#keys.has(key)) return;
    if (this.#keys.size >= this.#limit) {
      this.#all = true;
      this.#onCount(1 - this.#keys.size);
      this.#keys.clear();
    } else {
      this.#keys.add(key);
      this.#onCount(1);
    }
    this.#schedule();
  }

  /** The tier has what is current. */
  done(key: string): void {
    if (this.#keys.delete(key)) this.#onCount(-1);
  }

  /** Tries once more, and gives up what is left. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
    if (this.#all || this.#keys.size > 0) await this.#run();
    this.#onCount(this.#all ? -1 : -this.#keys.size);
    this.#keys.clear();
    this.#all = false;
  }

  #schedule(): void {
    if (this.#closed || this.#timer !== undefined || this.#running !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#running = this.#run().finally(() => {
        this.#running = undefined;
        if (this.#all || this.#keys.size > 0) this.#schedule();
      });
    }, this.#pauseMs);
    // Other processes outlive what they read by their times to live; that is no reason to keep this one.
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    if (this.#all && (await this.#invalidateAll())) {
      this.#all = false;
      this.#onCount(-1);
    }
    for (const key of this.#keys) {
      if (!(await this.#tier.delete(key))) {
        this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
        return;
      }
      // A write that came meanwhile may have failed, and be here again.
      this.done(key);
      this.#onRepaired(key);
    }
    this.#pauseMs = firstPauseMs;
  }
}
