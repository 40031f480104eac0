import { delayMs, listener, positiveInteger, positiveIntegerOrInfinity } from '../../options';

/** A write that did not reach the source. */
export interface UnwrittenWrite<V> {
  readonly key: string;
  /** `undefined`: the key was deleted. */
  readonly value: V | undefined;
}

/** One that was given up, as `onLost` gets it. */
export interface LostWrite<V> extends UnwrittenWrite<V> {
  /** What the last attempt failed with. */
  readonly error: unknown;
  readonly attempts: number;
}

/** Options of writing back. */
export interface WriteBackOptions<V> {
  /** Most keys whose value waits to be written; who writes one more waits for room. @default 1000 */
  readonly maxPending?: number;
  /** How long a caller waits for room, in milliseconds; then a CacheBacklogError, and the write is not accepted. @default 5000 */
  readonly acceptTimeoutMs?: number;
  /** For how long a value may be overtaken by a newer one before it is written, in milliseconds. @default 100 */
  readonly delayMs?: number;
  /** Writes to the source at a time, each of another key. @default 4 */
  readonly concurrency?: number;
  /** How long one attempt may take, in milliseconds. @default 30000 */
  readonly timeoutMs?: number;
  /** Most attempts at one value. @default Infinity: none is given up while the process lives */
  readonly attempts?: number;
  /** Pause after the first attempt, in milliseconds, doubled each time. Of each a random half is left out. @default 100 */
  readonly retryMs?: number;
  /** Longest pause, in milliseconds. @default 30000 */
  readonly maxRetryMs?: number;
  /** Told of each write that was given up after `attempts`. @default nothing */
  readonly onLost?: (write: LostWrite<V>) => unknown;
}

/** The options with their defaults, checked. */
export type SettledWriteBack<V> = Required<Omit<WriteBackOptions<V>, 'onLost'>> & {
  readonly onLost: (write: LostWrite<V>) => void;
};

/** @throws TypeError when an option is not as documented */
export function settleWriteBack<V>(options: WriteBackOptions<V>): SettledWriteBack<V> {
  return {
    maxPending: positiveInteger('writeBack.maxPending', options.maxPending ?? 1000),
    acceptTimeoutMs: delayMs('writeBack.acceptTimeoutMs', options.acceptTimeoutMs ?? 5000),
    delayMs: delayMs('writeBack.delayMs', options.delayMs ?? 100),
    concurrency: positiveInteger('writeBack.concurrency', options.concurrency ?? 4),
    timeoutMs: delayMs('writeBack.timeoutMs', options.timeoutMs ?? 30_000),
    attempts: positiveIntegerOrInfinity('writeBack.attempts', options.attempts ?? Infinity),
    retryMs: delayMs('writeBack.retryMs', options.retryMs ?? 100),
    maxRetryMs: delayMs('writeBack.maxRetryMs', options.maxRetryMs ?? 30_000),
    onLost: listener('writeBack.onLost', options.onLost),
  };
}
