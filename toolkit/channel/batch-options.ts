import { callable, delayMs, nonEmptyString, optionalCallable, positiveInteger } from '../options';
import type { BatchReason } from './batch-stats';
import { Channel } from './channel';
import type { ChannelMessage } from './options';

/** What a batch is processed with. */
export interface BatchContext {
  /** 1 for the first attempt. */
  readonly attempt: number;
  readonly reason: BatchReason;
  /** Aborted when the attempt's time is up or the processor gives up at its close: then end. */
  readonly signal: AbortSignal;
}

/** A batch that was given up, as `onFailed` and subscribers of `otel-vitals:batch.failed` get it. */
export interface BatchFailure<T> {
  /** The processor's name. */
  readonly name: string;
  readonly items: readonly T[];
  /** What the last attempt failed with. */
  readonly error: unknown;
  /** Attempts that were made; 0 for items whose batch never began. */
  readonly attempts: number;
}

/** When a batch that failed is tried again. */
export interface BatchRetryOptions {
  /** Most attempts, the first included. @default 1 */
  readonly attempts?: number;
  /** Pause after the first attempt, in milliseconds. Of each pause a random half is left out. @default 100 */
  readonly delayMs?: number;
  /** By how much each pause is longer than the one before. @default 2 */
  readonly factor?: number;
  /** Longest pause, in milliseconds. @default 30000 */
  readonly maxDelayMs?: number;
  /** Whether another attempt may help; one that throws says no. @default it may */
  readonly shouldRetry?: (error: unknown) => boolean;
  /** A number from 0 up to 1. @default Math.random */
  readonly random?: () => number;
}

/** Options of a batch processor. */
export interface BatchProcessorOptions<T extends ChannelMessage, R = unknown> {
  /** Names the processor in statistics and errors. */
  readonly name: string;
  /** Processes a batch. The array is its own, to keep or to change. A throw or a rejection fails the whole batch. */
  readonly process: (items: T[], context: BatchContext) => R | PromiseLike<R>;
  /**
   * Told of each batch that was given up, with its items: they are processed nowhere else. Waited for, for at most
   * `timeoutMs`.
   */
  readonly onFailed: (failure: BatchFailure<T>) => unknown;
  /** Most items in a batch; as many begin one at once. @default 100 */
  readonly maxSize?: number;
  /** How long an item waits for its batch to fill, in milliseconds. @default 1000 */
  readonly maxWaitMs?: number;
  /** Most batches that run at a time. @default 1 */
  readonly concurrency?: number;
  /** Most items that wait; who adds one more waits. At least `maxSize`. @default twice maxSize */
  readonly capacity?: number;
  /** How long one attempt may take, in milliseconds. @default 30000 */
  readonly timeoutMs?: number;
  /** @default no second attempt */
  readonly retry?: BatchRetryOptions;
  /**
   * Gets what `process` gives, but for undefined and null. While it is full, the batch still counts as running. It is
   * closed when the processor is. A batch whose result it refuses counts as failed. @default nobody gets it
   */
  readonly output?: Channel<R & NonNullable<unknown>>;
  /** Milliseconds of a clock that never goes back. @default performance.now */
  readonly clock?: () => number;
}

/** The options with their defaults, checked. */
export type SettledBatchOptions<T extends ChannelMessage, R> = Omit<
  Required<BatchProcessorOptions<T, R>>,
  'retry' | 'output' | 'clock'
> & {
  readonly retry: Required<BatchRetryOptions>;
  readonly output: Channel<R & NonNullable<unknown>> | undefined;
  readonly now: () => number;
};

/** @throws TypeError when an option is not as documented */
export function settleBatchOptions<T extends ChannelMessage, R>(
  options: BatchProcessorOptions<T, R>,
): SettledBatchOptions<T, R> {
  const { name, process, onFailed, output, clock } = options;
  const maxSize = positiveInteger('maxSize', options.maxSize ?? 100);
  const capacity = positiveInteger('capacity', options.capacity ?? maxSize * 2);
  if (capacity < maxSize) {
    throw new TypeError(`Expected capacity to be at least maxSize, which is ${maxSize}, got ${capacity}`);
  }
  if (output !== undefined && !(output instanceof Channel)) {
    throw new TypeError(`Expected output to be a Channel, got ${typeof output}`);
  }
  return {
    name: nonEmptyString('name', name),
    process: callable('process', process),
    onFailed: callable('onFailed', onFailed),
    maxSize,
    maxWaitMs: delayMs('maxWaitMs', options.maxWaitMs ?? 1000),
    concurrency: positiveInteger('concurrency', options.concurrency ?? 1),
    capacity,
    timeoutMs: delayMs('timeoutMs', options.timeoutMs ?? 30_000),
    retry: settleRetry(options.retry ?? {}),
    output,
    now: optionalCallable('clock', clock) ?? (() => performance.now()),
  };
}

function settleRetry(options: BatchRetryOptions): Required<BatchRetryOptions> {
  const factor = options.factor ?? 2;
  if (!(factor >= 1)) throw new TypeError(`Expected retry.factor to be at least 1, got ${String(factor)}`);
  return {
    attempts: positiveInteger('retry.attempts', options.attempts ?? 1),
    delayMs: delayMs('retry.delayMs', options.delayMs ?? 100),
    factor,
    maxDelayMs: delayMs('retry.maxDelayMs', options.maxDelayMs ?? 30_000),
    shouldRetry: optionalCallable('retry.shouldRetry', options.shouldRetry) ?? (() => true),
    random: optionalCallable('retry.random', options.random) ?? Math.random,
  };
}
