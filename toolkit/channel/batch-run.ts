import type { SettledBatchOptions } from './batch-options';
import type { BatchCounters, BatchReason } from './batch-stats';
import { BatchTimeoutError } from './errors';
import type { ChannelMessage } from './options';

/** How a batch ended. */
export type BatchOutcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly error: unknown; readonly attempts: number };

/** One batch on its way: its attempts, the pauses between them, and the handing on of its result. */
export class BatchRun<T extends ChannelMessage, R> {
  readonly #options: SettledBatchOptions<T, R>;
  readonly #counters: BatchCounters;
  readonly #abandoned = new AbortController();
  /** Whether it failed, and only `onFailed` is still waited for. */
  ended = false;
  /** Fails what is waited for now. */
  #fail: ((error: unknown) => void) | undefined;

  constructor(
    readonly items: readonly T[],
    readonly reason: BatchReason,
    /** The place of its first item among all. */
    readonly first: number,
    options: SettledBatchOptions<T, R>,
    counters: BatchCounters,
  ) {
    this.#options = options;
    this.#counters = counters;
  }

  /** Never rejects. */
  async run(): Promise<BatchOutcome> {
    const { retry, output } = this.#options;
    let attempt = 0;
    let result: R;
    try {
      for (;;) {
        attempt++;
        try {
          result = await this.#attempt(attempt);
          break;
        } catch (error) {
          if (this.#abandoned.signal.aborted || attempt >= retry.attempts || !this.#mayRetry(error))
            throw error;
        }
        this.#counters.retries++;
        await this.#pause(attempt);
      }
      if (output !== undefined && result !== undefined && result !== null) {
        await output.send(result, { signal: this.#abandoned.signal });
      }
      return { ok: true };
    } catch (error) {
      const { aborted, reason } = this.#abandoned.signal;
      return { ok: false, error: aborted ? reason : error, attempts: attempt };
    }
  }

  /** Ends it at once, as failed with `error`. */
  abandon(error: unknown): void {
    this.#abandoned.abort(error);
    this.#fail?.(error);
  }

  #mayRetry(error: unknown): boolean {
    try {
      return this.#options.retry.shouldRetry(error);
    } catch {
      // The batch's own failure is the one to tell of.
      return false;
    }
  }

  #attempt(attempt: number): Promise<R> {
    const { name, process, timeoutMs } = this.#options;
    const controller = new AbortController();
    const { signal } = controller;
    return this.#waitFor<R>(
      resolve =>
        resolve(
          new Promise(done => done(process([...this.items], { attempt, reason: this.reason, signal }))),
        ),
      timeoutMs,
      () => new BatchTimeoutError(name, timeoutMs),
      error => controller.abort(error),
    );
  }

  #pause(attempt: number): Promise<void> {
    const { delayMs, factor, maxDelayMs, random } = this.#options.retry;
    const longest = Math.min(maxDelayMs, delayMs * factor ** (attempt - 1));
    return this.#waitFor<void>(() => {}, Math.max(longest * (1 - random() / 2), 1));
  }

  /** Waits for what `begin` begins; when time is up, rejects with what `late` makes or else resolves. */
  #waitFor<V>(
    begin: (resolve: (value: V | PromiseLike<V>) => void) => void,
    ms: number,
    late?: () => unknown,
    onFail?: (error: unknown) => void,
  ): Promise<V> {
    let timer: NodeJS.Timeout | undefined;
    return new Promise<V>((resolve, reject) => {
      this.#fail = error => {
        onFail?.(error);
        reject(error);
      };
      timer = setTimeout(() => (late === undefined ? resolve(undefined as V) : this.#fail?.(late())), ms);
      const work = new Promise<V>(begin);
      work.then(resolve, reject);
    }).finally(() => {
      clearTimeout(timer);
      this.#fail = undefined;
    });
  }
}
