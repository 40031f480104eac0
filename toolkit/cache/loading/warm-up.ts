import { abortSignal, optionalCallable, positiveInteger } from '../../options';

/** How far a warm-up is. `done = present + loaded + absent + failed`. */
export interface WarmUpProgress {
  readonly done: number;
  /** Undefined where the keys have no end that is known. */
  readonly total: number | undefined;
  /** Were in a tier already. */
  readonly present: number;
  readonly loaded: number;
  /** The source has none. */
  readonly absent: number;
  readonly failed: number;
}

/** Options of `warmUp`. */
export interface WarmUpOptions {
  /** Keys at a time. @default 8 */
  readonly concurrency?: number;
  /** Told after each key. @default nothing */
  readonly onProgress?: (progress: WarmUpProgress) => void;
  /** Ends it early; what was begun is finished. */
  readonly signal?: AbortSignal;
}

/** What became of one key. */
export type WarmUpOutcome = 'present' | 'loaded' | 'absent' | 'failed';

/** Runs `warm`, which must not reject, for all keys. */
export async function warmUpAll(
  keys: Iterable<string> | AsyncIterable<string>,
  { concurrency = 8, onProgress, signal }: WarmUpOptions,
  warm: (key: string) => Promise<WarmUpOutcome>,
): Promise<WarmUpProgress> {
  positiveInteger('concurrency', concurrency);
  optionalCallable('onProgress', onProgress);
  abortSignal(signal);
  const counts = { present: 0, loaded: 0, absent: 0, failed: 0 };
  let done = 0;
  const total = Array.isArray(keys)
    ? keys.length
    : keys instanceof Set || keys instanceof Map
      ? keys.size
      : undefined;
  const progress = (): WarmUpProgress => ({ done, total, ...counts });
  const iterator = Symbol.asyncIterator in keys ? keys[Symbol.asyncIterator]() : keys[Symbol.iterator]();
  let over = false;
  const lane = async (): Promise<void> => {
    while (!over && signal?.aborted !== true) {
      const next = await iterator.next();
      if (next.done) {
        over = true;
        return;
      }
      counts[await warm(next.value)]++;
      done++;
      onProgress?.(progress());
    }
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, lane));
  } finally {
    if (!over) await iterator.return?.();
    over = true;
  }
  return progress();
}
