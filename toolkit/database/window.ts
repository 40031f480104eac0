/** What happened in the last while. Times in milliseconds. */
export interface Recent {
  /** How long the while is: `windowMs`, or the age of the manager where that is less. */
  readonly ms: number;
  readonly queries: number;
  readonly errors: number;
  readonly timeouts: number;
  readonly slow: number;
  /** Connections handed out. */
  readonly acquired: number;
  /** Time from asking for those to getting them. */
  readonly waitMs: number;
  readonly acquireTimeouts: number;
  readonly connectFailures: number;
  /** Connections in use over the time, summed up: divided by `ms` and the most there may be, the utilization. */
  readonly inUseMs: number;
}

type Count = Exclude<keyof Recent, 'ms'>;
const counts: readonly Count[] = [
  'queries',
  'errors',
  'timeouts',
  'slow',
  'acquired',
  'waitMs',
  'acquireTimeouts',
  'connectFailures',
  'inUseMs',
];
type Slice = Record<Count, number>;

const empty = (): Slice => ({
  queries: 0,
  errors: 0,
  timeouts: 0,
  slow: 0,
  acquired: 0,
  waitMs: 0,
  acquireTimeouts: 0,
  connectFailures: 0,
  inUseMs: 0,
});

const slices = 6;

/** Counts over a sliding window, in slices; no timer runs, and a count is an addition. */
export class RecentWindow {
  /** The slice that is being filled. */
  now = empty();
  readonly #clock: () => number;
  readonly #sliceMs: number;
  readonly #beganMs: number;
  readonly #past: Slice[] = [];
  /** When the slice that is being filled ends, and up to when `inUseMs` is summed up. */
  #endMs: number;
  #summedMs: number;
  #inUse = 0;

  constructor(windowMs: number, clock: () => number) {
    this.#clock = clock;
    this.#sliceMs = windowMs / slices;
    this.#beganMs = clock();
    this.#summedMs = this.#beganMs;
    this.#endMs = this.#beganMs + this.#sliceMs;
  }

  /** To be called before anything is counted. */
  advance(now: number): void {
    while (now >= this.#endMs) {
      this.now.inUseMs += this.#inUse * (this.#endMs - this.#summedMs);
      this.#summedMs = this.#endMs;
      this.#past.push(this.now);
      if (this.#past.length > slices) this.#past.shift();
      this.now = empty();
      // After a long silence there is nothing to be told of the slices in between but how many were in use.
      const missed = Math.floor((now - this.#endMs) / this.#sliceMs);
      const skipped = Math.max(0, missed - slices);
      this.#summedMs += skipped * this.#sliceMs;
      this.#endMs += (skipped + 1) * this.#sliceMs;
    }
  }

  /** Connections in use from now on. */
  setInUse(inUse: number, now: number): void {
    this.advance(now);
    this.now.inUseMs += this.#inUse * (now - this.#summedMs);
    this.#summedMs = now;
    this.#inUse = inUse;
  }

  read(): Recent {
    const now = this.#clock();
    this.setInUse(this.#inUse, now);
    const sum = empty();
    for (const slice of [...this.#past, this.now]) for (const count of counts) sum[count] += slice[count];
    const sliceBegan = this.#endMs - this.#sliceMs;
    const ms = Math.min(now - this.#beganMs, this.#past.length * this.#sliceMs + (now - sliceBegan));
    return { ms, ...sum };
  }
}
