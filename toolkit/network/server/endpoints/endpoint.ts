import type { EndpointStats, ErrorClass } from './stats';
import { Timing } from './timing';

/** How long a window of recent times is. What is recent is the present one and the one before. */
const windowMs = 60_000;

/** The books of one endpoint. */
export class Endpoint {
  readonly name: string;
  readonly #slowMs: number;
  readonly #now: () => number;
  readonly #all = new Timing();
  readonly #errors: Record<ErrorClass, number> = { client_error: 0, server_error: 0, aborted: 0 };
  #window: number;
  #present = new Timing();
  #past = new Timing();
  #slow = 0;
  #lastAt = 0;

  /** @param now milliseconds since 1970 */
  constructor(name: string, slowMs: number, now: () => number) {
    this.name = name;
    this.#slowMs = slowMs;
    this.#now = now;
    this.#window = Math.floor(now() / windowMs);
  }

  record(ms: number, error: ErrorClass | undefined): void {
    this.#turn();
    this.#lastAt = this.#now();
    this.#all.record(ms);
    this.#present.record(ms);
    if (error !== undefined) this.#errors[error]++;
    if (ms >= this.#slowMs) this.#slow++;
  }

  stats(): EndpointStats {
    this.#turn();
    return {
      endpoint: this.name,
      ...this.#all.times(),
      errors: { ...this.#errors },
      slow: this.#slow,
      slowMs: this.#slowMs,
      recent: this.#present.times(this.#past),
      lastAt: this.#lastAt,
    };
  }

  #turn(): void {
    const window = Math.floor(this.#now() / windowMs);
    if (window === this.#window) return;
    this.#past = window === this.#window + 1 ? this.#present : new Timing();
    this.#present = new Timing();
    this.#window = window;
  }
}
