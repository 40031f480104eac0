/** What the number of workers is decided by. */
export interface SizingLimits {
  readonly min: number;
  readonly max: number;
  readonly growQueue: number;
  readonly maxQueue: number;
  readonly shrinkUtilization: number;
}

/** In workers. Without it the clock's last digits would decide where the need is a whole number, and change their mind. */
const roundingError = 0.001;

/**
 * How many workers there should be. It grows at once when tasks wait, and shrinks only by what was not needed during a
 * whole span of time, so that a load that comes and goes within the span moves nothing: between the two there is a band
 * in which the number stays.
 */
export class Sizing {
  readonly #limits: SizingLimits;
  #busy = 0;
  #since: number;
  #spanBegan: number;
  /** Worker-milliseconds of work in this span. */
  #work = 0;
  #peak = 0;
  #lastPeak = 0;
  #lastMean = 0;

  constructor(limits: SizingLimits, now: number) {
    this.#limits = limits;
    this.#since = now;
    this.#spanBegan = now;
  }

  /** To be told whenever the number of busy workers changes. */
  note(now: number, busy: number): void {
    this.#work += this.#busy * (now - this.#since);
    this.#since = now;
    this.#busy = busy;
    if (busy > this.#peak) this.#peak = busy;
  }

  /**
   * Whether a worker is to be added.
   *
   * @param queued tasks that wait, the one that has just come included
   * @param starting workers on their way
   */
  grows(queued: number, starting: number, size: number): boolean {
    const { max, growQueue, maxQueue } = this.#limits;
    const uncovered = queued - starting;
    return size < max && uncovered > 0 && (uncovered > growQueue * size || queued > maxQueue + starting);
  }

  /**
   * Ends a span and begins the next.
   *
   * @returns how many workers are to be kept: as many as were busy at once in the last two spans, and so many that they
   *   are busy for no more than the share of time that the limits say
   */
  endSpan(now: number): number {
    this.note(now, this.#busy);
    const lasted = now - this.#spanBegan;
    const mean = lasted > 0 ? this.#work / lasted : this.#busy;
    const { min, shrinkUtilization } = this.#limits;
    const needed = Math.ceil(Math.max(mean, this.#lastMean) / shrinkUtilization - roundingError);
    const keep = Math.max(min, this.#peak, this.#lastPeak, needed);
    this.#lastPeak = this.#peak;
    this.#lastMean = mean;
    this.#peak = this.#busy;
    this.#work = 0;
    this.#spanBegan = now;
    return keep;
  }
}
