import { delayMs, positiveInteger } from './options';

/** Something that was acquired and is held for too long. */
export interface Held {
  /** How long it has been held, in milliseconds. */
  readonly heldMs: number;
  /** The stack of the call that acquired it. */
  readonly stack: string;
}

/** Options of finding what is held too long: a leak, or a lock that holds everybody up. */
export interface HoldWatchOptions {
  /** Held longer than this is too long, in milliseconds. @default 30000 */
  readonly afterMs?: number;
  /**
   * Every n-th acquisition is watched. Watching one takes a few microseconds for the stack; the others cost a
   * decrement. @default 100
   */
  readonly sampleEvery?: number;
}

interface Watched {
  readonly since: number;
  readonly trace: Trace;
}

/**
 * Watches a sample of what is acquired, and reports each that is held too long, once.
 *
 * Its timer runs only while something is watched and never keeps the process alive.
 */
export class HoldWatch {
  readonly #afterMs: number;
  readonly #sampleEvery: number;
  readonly #report: (held: Held) => void;
  readonly #now: () => number;
  // In the order of acquisition, so the first is the oldest.
  readonly #watched = new Map<number, Watched>();
  #countdown = 1;
  #lastToken = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param report told of each; what it throws is dropped, because it runs from a timer */
  constructor(
    { afterMs = 30_000, sampleEvery = 100 }: HoldWatchOptions,
    report: (held: Held) => void,
    now: () => number = () => performance.now(),
  ) {
    this.#afterMs = delayMs('afterMs', afterMs);
    this.#sampleEvery = positiveInteger('sampleEvery', sampleEvery);
    this.#report = report;
    this.#now = now;
  }

  /**
   * To be called when something was acquired.
   *
   * @param above the function whose caller is the first of the reported stack
   * @returns what {@link end} takes when it is released; 0 where it is not watched
   */
  begin(above: (...args: never[]) => unknown): number {
    return this.start(this.sample(above));
  }

  /** The stack of a call that asks for something, if this one is to be watched; for {@link start} once it has it. */
  sample(above: (...args: never[]) => unknown): Trace | undefined {
    if (--this.#countdown > 0) return undefined;
    this.#countdown = this.#sampleEvery;
    return traceAbove(above);
  }

  start(trace: Trace | undefined): number {
    if (trace === undefined) return 0;
    const token = ++this.#lastToken;
    this.#watched.set(token, { since: this.#now(), trace });
    this.#timer ??= setInterval(() => this.check(), Math.max(this.#afterMs / 4, 1)).unref();
    return token;
  }

  end(token: number): void {
    if (token !== 0) this.#watched.delete(token);
  }

  /** Reports what is held too long by now. Called by the timer. */
  check(): void {
    const now = this.#now();
    for (const [token, { since, trace }] of this.#watched) {
      const heldMs = now - since;
      if (heldMs < this.#afterMs) break;
      this.#watched.delete(token);
      try {
        this.#report({ heldMs, stack: frames(trace) });
      } catch {
        // It is called from a timer, where an error would end the process.
      }
    }
    if (this.#watched.size === 0) this.close();
  }

  /** Forgets what is watched. */
  close(): void {
    this.#watched.clear();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** A stack that was captured; its text is made when it is read. */
export interface Trace {
  readonly stack?: string;
}

/** The stack of the call of `above`. */
export function traceAbove(above: (...args: never[]) => unknown): Trace {
  const trace: { stack?: string } = {};
  Error.captureStackTrace(trace, above);
  return trace;
}

/** The frames of a captured stack, without the line that would name an error. */
export function frames({ stack = '' }: Trace): string {
  return String(stack).replace(/^(?!\s+at )[^\n]*\n/, '');
}
