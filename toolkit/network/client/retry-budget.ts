/** Settled options of a {@link RetryBudget}. */
export interface SettledBudget {
  readonly ratio: number;
  readonly minPerSecond: number;
  readonly burst: number;
}

/**
 * How many retries there may be, so that a server in trouble gets little more to do and not three times as much. A
 * bucket of tokens: each request adds `ratio`, each second `minPerSecond`, each retry takes one; it holds `burst`.
 * So retries never exceed `burst + ratio * requests + minPerSecond * seconds`. The idea is Finagle's RetryBudget.
 */
export class RetryBudget {
  #tokens: number;
  #at: number;

  constructor(
    private readonly options: SettledBudget,
    /** Milliseconds of a clock that never goes back. */
    private readonly now: () => number,
  ) {
    this.#tokens = options.burst;
    this.#at = now();
  }

  /** Tokens that there are now. */
  get tokens(): number {
    const { minPerSecond, burst } = this.options;
    const at = this.now();
    const tokens = this.#tokens + ((at - this.#at) / 1000) * minPerSecond;
    this.#at = at;
    this.#tokens = Math.min(tokens, burst);
    return this.#tokens;
  }

  /** For each request, not for its retries. */
  deposit(): void {
    const { ratio, burst } = this.options;
    const tokens = this.#tokens + ratio;
    this.#tokens = Math.min(tokens, burst);
  }

  /** Whether a retry may be made. */
  withdraw(): boolean {
    if (this.tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
