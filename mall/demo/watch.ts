import type { Sample } from './prometheus-text';
import { Interval, parseSamples } from './prometheus-text';
import type { VitalSigns } from './vital-signs';
import { readVitalSigns } from './vital-signs';

const scrapeEveryMs = 1000;

/** Reads the shop's metrics once a second. */
export class Watch {
  readonly #url: string;
  #first: readonly Sample[] = [];
  #last: readonly Sample[] = [];
  #startedAt = 0;
  #lastAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #heapPeak: number | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  /** The largest heap that a scrape has seen. */
  get heapPeak(): number | undefined {
    return this.#heapPeak;
  }

  /** Takes the first scrape, then calls `onSigns` after each with the signs since the one before. */
  async start(onSigns: (signs: VitalSigns, seconds: number) => void): Promise<void> {
    this.#first = this.#last = await this.#scrape();
    this.#startedAt = this.#lastAt = performance.now();
    const step = async (): Promise<void> => {
      const { signs, seconds } = await this.#next();
      if (this.#timer === undefined) return;
      onSigns(signs, seconds);
      this.#timer = setTimeout(step, scrapeEveryMs);
    };
    this.#timer = setTimeout(step, scrapeEveryMs);
  }

  /** Takes the last scrape: the signs since the first. */
  async stop(): Promise<{ signs: VitalSigns; seconds: number }> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#next();
    const seconds = (this.#lastAt - this.#startedAt) / 1000;
    return { signs: readVitalSigns(new Interval(this.#first, this.#last)), seconds };
  }

  async #next(): Promise<{ signs: VitalSigns; seconds: number }> {
    const before = this.#last;
    const beforeAt = this.#lastAt;
    const samples = await this.#scrape();
    // A scrape that failed shows as nothing, and the next is compared with the last that worked.
    if (samples.length === 0) return { signs: readVitalSigns(new Interval([], [])), seconds: 1 };
    this.#last = samples;
    this.#lastAt = performance.now();
    const signs = readVitalSigns(new Interval(before, samples));
    this.#heapPeak = highest(this.#heapPeak, signs.heapUsed);
    return { signs, seconds: (this.#lastAt - beforeAt) / 1000 };
  }

  async #scrape(): Promise<Sample[]> {
    try {
      const answer = await fetch(this.#url, { signal: AbortSignal.timeout(2000) });
      return answer.ok ? parseSamples(await answer.text()) : [];
    } catch {
      return [];
    }
  }
}

function highest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.max(a, b);
}
