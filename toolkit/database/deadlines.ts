/** Something that has to end in time. */
export interface Limited {
  /** `performance.now()` when it began. */
  readonly atMs: number;
  /** Told once that its time is over. */
  late(): void;
}

/**
 * Deadlines of what may all take equally long: one timer for all, because the one that began first is the first to be
 * late. Its timer keeps no process alive.
 */
export class Deadlines {
  /** Whether there is a limit at all. */
  readonly isOn: boolean;
  readonly #limitMs: number;
  /** In the order of beginning. */
  readonly #running = new Set<Limited>();
  #timer: NodeJS.Timeout | undefined;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
    this.isOn = limitMs !== Infinity;
  }

  begin(one: Limited): void {
    this.#running.add(one);
    this.#timer ??= this.#after(this.#limitMs);
  }

  end(one: Limited): void {
    this.#running.delete(one);
  }

  #after(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#check(), ms).unref();
  }

  #check(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const one of this.#running) {
      const leftMs = one.atMs + this.#limitMs - now;
      if (leftMs > 0) {
        this.#timer = this.#after(Math.ceil(leftMs));
        return;
      }
      this.#running.delete(one);
      one.late();
    }
  }
}
