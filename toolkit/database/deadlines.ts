/** Something that has to end in time. It is a link of the list that its deadline is in, so that it costs no memory. */
export interface Limited {
  /** When it began, by the clock of the deadlines. */
  readonly beganMs: number;
  earlier: Limited | undefined;
  later: Limited | undefined;
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
  readonly #clock: () => number;
  #first: Limited | undefined;
  #last: Limited | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(limitMs: number, clock: () => number) {
    this.#limitMs = limitMs;
    this.#clock = clock;
    this.isOn = limitMs !== Infinity;
  }

  begin(one: Limited): void {
    one.earlier = this.#last;
    if (this.#last === undefined) this.#first = one;
    else this.#last.later = one;
    this.#last = one;
    this.#timer ??= this.#after(this.#limitMs);
  }

  /** Lets one go that has begun; one that was late has gone by itself. */
  end(one: Limited): void {
    const { earlier, later } = one;
    if (earlier === undefined && this.#first !== one) return;
    if (earlier === undefined) this.#first = later;
    else earlier.later = later;
    if (later === undefined) this.#last = earlier;
    else later.earlier = earlier;
    one.earlier = undefined;
    one.later = undefined;
  }

  #after(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#check(), ms).unref();
  }

  #check(): void {
    this.#timer = undefined;
    const now = this.#clock();
    for (let one = this.#first; one !== undefined; one = this.#first) {
      const leftMs = one.beganMs + this.#limitMs - now;
      if (leftMs > 0) {
        this.#timer = this.#after(Math.ceil(leftMs));
        return;
      }
      this.end(one);
      one.late();
    }
  }
}
