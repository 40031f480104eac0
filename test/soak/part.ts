import { setTimeout as sleep } from 'node:timers/promises';

/** A part of the toolkit under churn. */
export interface Part {
  readonly tally: Tally;
  /** Some work with faults among it. Resolves when all of it has ended, and rejects where something was not as it must. */
  round(): Promise<void>;
  /** Throws where a law of the statistics does not hold at this moment. */
  check(): void;
  /** Throws where something is left of the rounds, all of which have ended. */
  settled(): void;
  close(): Promise<void>;
}

/** What an application does wrong on purpose. */
export class Fault extends Error {
  readonly code = 'FAULT';
}

/** Numbers by chance, the same again for the same seed. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to below 1; mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  of(probability: number): boolean {
    return this.next() < probability;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** Fails as often as given. */
  fault(probability: number): void {
    if (this.of(probability)) throw new Fault('on purpose');
  }

  /** Now, in the next turn of the event loop, or in some milliseconds. */
  async pause(): Promise<void> {
    const way = this.below(4);
    if (way === 1) await new Promise(resolve => setImmediate(resolve));
    else if (way > 1) await sleep(this.below(4));
  }

  /** A signal that is aborted in some milliseconds, as often as given. */
  signal(probability: number): AbortSignal {
    const controller = new AbortController();
    if (this.of(probability)) setTimeout(() => controller.abort(), this.below(5));
    return controller.signal;
  }
}

/** How calls ended: `ok`, or the code of their error. Others than expected are refused, and each must come up. */
export class Tally {
  readonly counts: Map<string, number>;

  constructor(
    readonly part: string,
    codes: readonly string[],
  ) {
    this.counts = new Map(['ok', ...codes].map(code => [code, 0]));
  }

  async of(work: () => unknown): Promise<void> {
    let outcome = 'ok';
    try {
      await work();
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === undefined || !this.counts.has(code)) throw error;
      outcome = code;
    }
    this.counts.set(outcome, this.counts.get(outcome)! + 1);
  }

  get total(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** What never came up. */
  get missing(): string[] {
    return [...this.counts].filter(([, count]) => count === 0).map(([code]) => code);
  }
}

/** Does it so many times at once. */
export async function crowd(count: number, work: (i: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, i) => work(i)));
}
