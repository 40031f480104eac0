import type { Crew, Hired } from './crew';
import type { SettledOptions } from './options';
import { Sizing } from './sizing';
import type { WorkerPoolCounters } from './stats';

/** After a worker that did not start the next is tried later and later, so that nothing tries without a break. */
const firstPauseMs = 100;
const longestPauseMs = 10_000;

/** How many workers there are, and which of them is free. */
export class Staff<W extends Hired> {
  readonly #crew: Crew<W>;
  readonly #options: SettledOptions;
  readonly #counters: WorkerPoolCounters;
  readonly #sizing: Sizing;
  // The one that became idle last is taken first, so that those not needed stay idle.
  readonly #idle: W[] = [];
  #spans: NodeJS.Timeout | undefined;
  /** While it is set none is added to those there are, because the last that was did not start. */
  #pause: NodeJS.Timeout | undefined;
  #pauseMs = firstPauseMs;
  #closing = false;

  constructor(crew: Crew<W>, options: SettledOptions, counters: WorkerPoolCounters) {
    this.#crew = crew;
    this.#options = options;
    this.#counters = counters;
    this.#sizing = new Sizing(options, options.now());
  }

  /** Whether a task that comes now can be taken on, hiring for it where that is due. */
  makeRoom(): boolean {
    if (this.#idle.length > 0) return true;
    const counters = this.#counters;
    if (this.#grows(counters.queued + 1)) this.#hire();
    return this.#idle.length > 0 || counters.queued < this.#options.maxQueue + counters.starting;
  }

  /** Adds workers until the fewest there are to be, or those that wait are provided for. */
  fill(min = this.#options.min): void {
    const counters = this.#counters;
    if (this.#closing && counters.queued === 0) return;
    while (counters.size < min || this.#grows(counters.queued)) this.#hire();
  }

  /** One that was hired can work. */
  started(): void {
    this.#counters.starting--;
    this.#pauseMs = firstPauseMs;
  }

  /** Takes one that is free, as busy. */
  take(): W | undefined {
    const worker = this.#idle.pop();
    if (worker !== undefined) this.#counters.idle--;
    return worker;
  }

  /** One has nothing to do. */
  free(worker: W): void {
    this.#counters.idle++;
    this.#idle.push(worker);
  }

  /** Takes one out that is no more. Says whether it was free. */
  forget(worker: W): boolean {
    const place = this.#idle.indexOf(worker);
    if (place === -1) return false;
    this.#idle.splice(place, 1);
    this.#counters.idle--;
    return true;
  }

  /** To be told whenever the number of busy workers has changed. */
  noteBusy(now: number): void {
    this.#sizing.note(now, this.#counters.busy);
  }

  /** Adds none to those there are for a while. */
  holdOff(): void {
    if (this.#pause !== undefined) return;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.fill(0);
    }, this.#pauseMs).unref();
    this.#pauseMs = Math.min(2 * this.#pauseMs, longestPauseMs);
  }

  /** From now on adds none but for tasks that wait. */
  closing(): void {
    this.#closing = true;
  }

  /** Ends all, and resolves when they are gone. */
  async end(): Promise<void> {
    clearInterval(this.#spans);
    clearTimeout(this.#pause);
    const counters = this.#counters;
    this.#idle.length = 0;
    counters.workersEnded += counters.idle + counters.starting;
    counters.idle = 0;
    counters.starting = 0;
    await this.#crew.end();
  }

  #grows(queued: number): boolean {
    const { starting, size } = this.#counters;
    return (this.#pause === undefined || size === 0) && this.#sizing.grows(queued, starting, size);
  }

  #hire(): void {
    const counters = this.#counters;
    counters.workersStarted++;
    counters.starting++;
    this.#crew.hire();
    if (counters.queued > 0) this.#crew.hold();
    if (counters.size > this.#options.min) {
      this.#spans ??= setInterval(() => this.#shrink(), this.#options.idleMs).unref();
    }
  }

  /** Lets workers go that were not needed. */
  #shrink(): void {
    const counters = this.#counters;
    const keep = this.#sizing.endSpan(this.#options.now());
    const surplus = Math.min(counters.size - keep, this.#idle.length);
    if (surplus > 0) {
      counters.idle -= surplus;
      counters.workersEnded += surplus;
      for (const worker of this.#idle.splice(0, surplus)) this.#crew.dismiss(worker);
    }
    if (counters.size > this.#options.min) return;
    clearInterval(this.#spans);
    this.#spans = undefined;
  }
}
