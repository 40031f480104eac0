import { stayAlive } from '../keep-alive';
import { delayMs } from '../options';

/**
 * Nobody sleeps longer without looking, because whoever was woken may have been terminated before it ran, or be busy,
 * and then nobody wakes the next. In milliseconds.
 */
export const longestSleepMs = 100;

/** How a call waits for another thread. */
export interface ThreadWaitOptions {
  /** How long, in milliseconds. @default for ever */
  readonly timeoutMs?: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

interface AsyncAtomics {
  /** Of the 2024 edition of the language; V8 has it since Node.js 16. */
  waitAsync(
    words: Int32Array,
    index: number,
    expected: number,
    ms: number,
  ): { readonly async: false } | { readonly async: true; readonly value: Promise<unknown> };
}

/**
 * Resolves once somebody notifies or time is up, or at once where the word is not as expected. Keeps no process alive by
 * itself, even when another thread is about to notify.
 */
export async function sleepAsync(
  words: Int32Array,
  index: number,
  expected: number,
  ms: number,
): Promise<void> {
  const sleep = (Atomics as unknown as AsyncAtomics).waitAsync(words, index, expected, ms);
  if (sleep.async) await sleep.value;
}

interface Waiting {
  /** Gives the result once it is to be had. */
  readonly attempt: () => unknown;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  timer: NodeJS.Timeout | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onAbort: () => void;
}

/** What those who wait wait for. */
export interface WaitedFor {
  /** Sleeps until another thread may have made an attempt worth while, and so many milliseconds at most. */
  sleep(ms: number): Promise<void>;
  /** Wakes another thread in place of this one, which was woken and has nobody left to serve. */
  passOn(): void;
  /** This thread is among those that wait, or no more. */
  count(change: 1 | -1): void;
  /** It still is. Called after each sleep. */
  renew(): void;
}

/**
 * Calls of one thread that wait for others, in order. Together they sleep once: a sleep by `Atomics.waitAsync` cannot
 * be taken back, so each call that gave up would leave one behind, and swallow a wake meant for somebody else. It lasts no
 * longer than the last of them may wait.
 */
export class AsyncWaits {
  readonly #for: WaitedFor;
  readonly #waiting = new Set<Waiting>();
  #asleep = false;
  /** When the last of those who wait gives up, at the latest. */
  #end = 0;

  constructor(waitedFor: WaitedFor) {
    this.#for = waitedFor;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Waits until `attempt` gives something else than undefined, or throws.
   *
   * @param errors what to reject with when time is up or the signal was aborted
   */
  wait<R>(
    attempt: () => R | undefined,
    options: ThreadWaitOptions,
    errors: { timeout(ms: number): Error; aborted(reason: unknown): Error },
  ): Promise<R> {
    const { timeoutMs, signal } = options;
    if (timeoutMs !== undefined) delayMs('timeoutMs', timeoutMs);
    return new Promise<R>((resolve, reject) => {
      const fail = (error: Error): void => {
        this.#remove(one);
        reject(error);
      };
      const one: Waiting = {
        attempt,
        resolve: resolve as (result: unknown) => void,
        reject,
        timer: undefined,
        signal,
        onAbort: () => fail(errors.aborted(signal!.reason)),
      };
      this.#end = Math.max(this.#end, performance.now() + (timeoutMs ?? Infinity));
      if (timeoutMs !== undefined) one.timer = setTimeout(() => fail(errors.timeout(timeoutMs)), timeoutMs);
      signal?.addEventListener('abort', one.onAbort, { once: true });
      this.#waiting.add(one);
      if (this.#waiting.size === 1) this.#count(1);
      if (!this.#asleep) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#asleep = true;
    for (;;) {
      await this.#for.sleep(Math.min(Math.max(this.#end - performance.now(), 1), longestSleepMs));
      this.serve();
      if (this.#waiting.size === 0) break;
      this.#for.renew();
    }
    this.#asleep = false;
    this.#for.passOn();
  }

  /** Serves those who can be served now, in order. */
  serve(): void {
    for (const one of this.#waiting) {
      try {
        const result = one.attempt();
        if (result === undefined) return;
        this.#remove(one);
        one.resolve(result);
      } catch (error) {
        this.#remove(one);
        one.reject(error);
      }
    }
  }

  #remove(one: Waiting): void {
    if (!this.#waiting.delete(one)) return;
    clearTimeout(one.timer);
    one.signal?.removeEventListener('abort', one.onAbort);
    if (this.#waiting.size > 0) return;
    this.#end = 0;
    this.#count(-1);
  }

  #count(change: 1 | -1): void {
    // A promise of waitAsync does not keep Node.js alive: the process would end, with status 13 or none, in the middle of
    // a wait.
    stayAlive(change);
    this.#for.count(change);
  }
}
