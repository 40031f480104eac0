import { delayMs } from '../options';

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
  ): { readonly async: false } | { readonly async: true; readonly value: Promise<unknown> };
}

/**
 * Resolves once somebody notifies, or at once where the word is not as expected, and says which. Keeps no process alive
 * by itself.
 */
export async function sleepAsync(
  words: Int32Array,
  index: number,
  expected: number,
): Promise<'woken' | 'awake'> {
  const sleep = (Atomics as unknown as AsyncAtomics).waitAsync(words, index, expected);
  if (!sleep.async) return 'awake';
  await sleep.value;
  return 'woken';
}

// A promise of waitAsync does not keep Node.js alive, even when another thread is about to notify: the process would
// end, with status 13 or none, in the middle of a wait. A timer that is far off does.
const farOffMs = 2 ** 30;
let awake = 0;
let timer: NodeJS.Timeout | undefined;

function stayAwake(change: 1 | -1): void {
  awake += change;
  if (awake === 1 && change === 1) timer = setInterval(() => {}, farOffMs);
  else if (awake === 0) clearInterval(timer);
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
  /** Sleeps until another thread may have made an attempt worth while. */
  sleep(): Promise<unknown>;
  /** Wakes another thread in place of this one, which was woken and has nobody left to serve. */
  passOn(): void;
}

/**
 * Calls of one thread that wait for others, in order. Together they sleep once: a sleep by `Atomics.waitAsync` cannot
 * be taken back, so each call that gave up would leave one behind, and swallow a wake meant for somebody else.
 */
export class AsyncWaits {
  readonly #for: WaitedFor;
  readonly #waiting = new Set<Waiting>();
  #asleep = false;

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
        this.#end(one);
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
      if (timeoutMs !== undefined) one.timer = setTimeout(() => fail(errors.timeout(timeoutMs)), timeoutMs);
      signal?.addEventListener('abort', one.onAbort, { once: true });
      this.#waiting.add(one);
      if (this.#waiting.size === 1) stayAwake(1);
      if (!this.#asleep) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#asleep = true;
    for (;;) {
      await this.#for.sleep();
      this.#serve();
      if (this.#waiting.size === 0) break;
    }
    this.#asleep = false;
    this.#for.passOn();
  }

  #serve(): void {
    for (const one of this.#waiting) {
      try {
        const result = one.attempt();
        if (result === undefined) return;
        this.#end(one);
        one.resolve(result);
      } catch (error) {
        this.#end(one);
        one.reject(error);
      }
    }
  }

  #end(one: Waiting): void {
    if (!this.#waiting.delete(one)) return;
    clearTimeout(one.timer);
    one.signal?.removeEventListener('abort', one.onAbort);
    if (this.#waiting.size === 0) stayAwake(-1);
  }
}
