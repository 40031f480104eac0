/** Whether a tier is asked: it is; it is not; one call tries whether it can be again. */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** Options of a tier's circuit breaker. */
export interface BreakerOptions {
  /** Failures in a row after which the tier is left alone. @default 5 */
  readonly failures?: number;
  /** For how long at first, in milliseconds; twice as long after each trial that fails. @default 500 */
  readonly openMs?: number;
  /** For how long at most, in milliseconds. @default 10000 */
  readonly maxOpenMs?: number;
}

/**
 * Spares callers the wait for a tier that does not answer, and the tier the load of those who try. While it is open
 * nobody asks; then one call tries, and its outcome decides.
 */
export class Breaker {
  readonly #options: Required<BreakerOptions>;
  readonly #now: () => number;
  #failures = 0;
  #openMs: number;
  #openUntil = 0;
  /** Apart from the breaker, so that who reads it holds no clock alive. */
  readonly view: { state: BreakerState; opened: number } = { state: 'closed', opened: 0 };

  constructor(options: Required<BreakerOptions>, now: () => number) {
    this.#options = options;
    this.#openMs = options.openMs;
    this.#now = now;
  }

  /** Whether this call may ask; who was told so must tell how it went. */
  admits(): boolean {
    if (this.view.state === 'closed') return true;
    if (this.view.state === 'half-open' || this.#now() < this.#openUntil) return false;
    this.view.state = 'half-open';
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
    // A call from before it opened may answer late: only the trial closes it.
    if (this.view.state !== 'half-open') return;
    this.view.state = 'closed';
    this.#openMs = this.#options.openMs;
  }

  failed(): void {
    if (this.view.state === 'open') return;
    if (this.view.state === 'half-open') {
      this.#openMs = Math.min(this.#openMs * 2, this.#options.maxOpenMs);
    } else if (++this.#failures < this.#options.failures) return;
    this.view.state = 'open';
    this.#failures = 0;
    this.view.opened++;
    this.#openUntil = this.#now() + this.#openMs;
  }
}
