/** A step of a response, as the header `Server-Timing` has it. */
export interface TimingMark {
  readonly name: string;
  /** Absent of what has no duration, such as a hit of a cache. */
  readonly ms?: number | undefined;
  readonly description?: string | undefined;
}

const token = /^[!#$%&'*+.^`|~\w-]+$/;
/** A header that grows without end is refused by browsers and proxies. */
const mostMarks = 50;

/** Steps of one response: what took how long. They are sent in its `Server-Timing`. */
export class ResponseTiming {
  readonly #marks: TimingMark[] = [];
  #sent = false;

  /**
   * Notes a step.
   *
   * @param name letters, digits and `-_.`, as a token of HTTP
   * @param ms how long it took; left out of what has no duration
   * @returns whether it will be sent: not once the head has gone, nor past 50 of them
   * @throws TypeError when the name is no token, or the time not zero or more
   */
  mark(name: string, ms?: number, description?: string): boolean {
    if (typeof name !== 'string' || !token.test(name)) {
      throw new TypeError(
        `Expected name to be letters, digits and -_. as a token of HTTP, got ${String(name)}`,
      );
    }
    if (ms !== undefined && !(ms >= 0 && ms < Infinity)) {
      throw new TypeError(`Expected ms to be a number of milliseconds of zero or more, got ${String(ms)}`);
    }
    if (this.#sent || this.#marks.length >= mostMarks) return false;
    this.#marks.push({ name, ms, description });
    return true;
  }

  /** Begins a step; the result ends it, and gives how long it took, in milliseconds. */
  start(name: string, description?: string): () => number {
    const began = performance.now();
    let ms: number | undefined;
    return () => {
      if (ms !== undefined) return ms;
      ms = performance.now() - began;
      this.mark(name, ms, description);
      return ms;
    };
  }

  /** Runs `fn` as a step, whether it ends well or not. */
  measure<R>(name: string, fn: () => PromiseLike<R>, description?: string): Promise<R>;
  measure<R>(name: string, fn: () => R, description?: string): R;
  measure<R>(name: string, fn: () => R, description?: string): R | Promise<Awaited<R>> {
    const end = this.start(name, description);
    let result: R;
    try {
      result = fn();
    } catch (error) {
      end();
      throw error;
    }
    if (typeof (result as PromiseLike<unknown> | null | undefined)?.then === 'function') {
      return Promise.resolve(result).finally(end);
    }
    end();
    return result;
  }

  /** The steps so far. */
  marks(): readonly TimingMark[] {
    return [...this.#marks];
  }

  /** @internal */
  sent(): void {
    this.#sent = true;
  }
}

/** The value of a `Server-Timing` header. */
export function serverTiming(marks: readonly TimingMark[]): string {
  return marks
    .map(({ name, ms, description }) => {
      const duration = ms === undefined ? '' : `;dur=${Math.round(ms * 100) / 100}`;
      // Only what a header may hold; quotes and backslashes are escaped.
      const text = description?.replace(/[^\t\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&');
      return `${name}${text === undefined ? '' : `;desc="${text}"`}${duration}`;
    })
    .join(', ');
}
