import type { TransferListItem } from 'node:worker_threads';
import {
  abortSignal,
  delayMs,
  nonEmptyString,
  nonNegativeInteger,
  optionalCallable,
  positiveInteger,
} from '../options';

/** What both pools take. All times in milliseconds. */
export interface CommonWorkerPoolOptions {
  /** Names the pool in statistics, metrics and errors. */
  readonly name: string;
  /** Workers there are at least. @default 1, and at most max */
  readonly min?: number;
  /** Most workers. @default of a TaskPool twice the CPUs, of a WorkerPool the CPUs */
  readonly max?: number;
  /** A worker that was not needed for this long is let go, down to `min`. @default 30000 */
  readonly idleMs?: number;
  /** Most tasks that wait; one more is refused with a TaskQueueFullError. Infinity for no limit. @default 1000 */
  readonly maxQueue?: number;
  /** A worker is added once all are busy and more tasks than this wait for each. @default 0 */
  readonly growQueue?: number;
  /** Workers stay while fewer would be busy for more than this share of the time, 0 to 1. @default 0.8 */
  readonly shrinkUtilization?: number;
  /** A waiting task gains one level of priority per this time. @default 1000 */
  readonly ageingMs?: number;
  /** How long a task may wait, where it does not say itself. @default Infinity */
  readonly queueTimeoutMs?: number;
  /** How long a task may run, where it does not say itself. @default Infinity */
  readonly runTimeoutMs?: number;
  /** Milliseconds of a clock that never goes back. @default performance.now */
  readonly clock?: () => number;
}

/** What a single task may say. */
export interface TaskOptions {
  /** An integer from -10 to 10; higher goes first. @default 0 */
  readonly priority?: number;
  /** How long it may wait. @default that of the pool */
  readonly queueTimeoutMs?: number;
  /** How long it may run. @default that of the pool */
  readonly runTimeoutMs?: number;
  /** Takes it back while it waits; ends it while it runs. */
  readonly signal?: AbortSignal;
  /** Names it among those that {@link CloseReport} tells of. */
  readonly label?: string;
}

/** Options of one task of a WorkerPool. */
export interface WorkerTaskOptions extends TaskOptions {
  /** Which export of the module runs it. @default the default export */
  readonly handler?: string;
  /** What is handed over instead of copied, such as ArrayBuffers; the caller can no longer use it. */
  readonly transfer?: readonly TransferListItem[];
}

/** Options of closing a pool. */
export interface CloseWorkerPoolOptions {
  /** Whether tasks that wait are still run, or dropped at once. Those that run are waited for either way. @default true */
  readonly drain?: boolean;
  /** How long tasks are waited for, in milliseconds; then they are dropped. @default 30000 */
  readonly timeoutMs?: number;
}

/** An accepted task that a closing pool did not bring to its end. */
export interface LostTask {
  readonly label: string | undefined;
  readonly priority: number;
  /** Whether it had begun. */
  readonly running: boolean;
  /** What was to be run: of a TaskPool the function, of a WorkerPool the input. */
  readonly task: unknown;
}

/** What became of the tasks when a pool was closed. */
export interface CloseReport {
  /** Each of them was rejected with a TaskDroppedError too. */
  readonly lost: readonly LostTask[];
}

/** The options with their defaults, checked. */
export interface SettledOptions {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly idleMs: number;
  readonly maxQueue: number;
  readonly growQueue: number;
  readonly shrinkUtilization: number;
  readonly ageingMs: number;
  readonly queueTimeoutMs: number;
  readonly runTimeoutMs: number;
  readonly now: () => number;
}

/** @throws TypeError when an option is not as documented */
export function settleOptions(options: CommonWorkerPoolOptions, defaultMax: number): SettledOptions {
  const max = positiveInteger('max', options.max ?? Math.max(defaultMax, options.min ?? 1));
  const min = nonNegativeInteger('min', options.min ?? Math.min(1, max));
  if (min > max) throw new TypeError(`Expected min to be at most max, which is ${max}, got ${min}`);
  const { maxQueue = 1000, growQueue = 0, shrinkUtilization = 0.8 } = options;
  if (!(shrinkUtilization > 0 && shrinkUtilization <= 1)) {
    throw new TypeError(
      `Expected shrinkUtilization to be above 0 and at most 1, got ${String(shrinkUtilization)}`,
    );
  }
  return {
    name: nonEmptyString('name', options.name),
    min,
    max,
    idleMs: delayMs('idleMs', options.idleMs ?? 30_000),
    maxQueue: maxQueue === Infinity ? maxQueue : nonNegativeInteger('maxQueue', maxQueue),
    growQueue: nonNegativeInteger('growQueue', growQueue),
    shrinkUtilization,
    ageingMs: delayMs('ageingMs', options.ageingMs ?? 1000),
    queueTimeoutMs: timeLimit('queueTimeoutMs', options.queueTimeoutMs ?? Infinity),
    runTimeoutMs: timeLimit('runTimeoutMs', options.runTimeoutMs ?? Infinity),
    now: optionalCallable('clock', options.clock) ?? (() => performance.now()),
  };
}

/** The least and the most that `priority` may be. */
export const mostPriority = 10;

/** @throws TypeError when an option of a task is not as documented */
export function checkTaskOptions(options: TaskOptions): void {
  if (options === null || typeof options !== 'object') {
    throw new TypeError(`Expected the options of a task to be an object, got ${String(options)}`);
  }
  const { priority = 0, queueTimeoutMs, runTimeoutMs, signal } = options;
  if (!Number.isInteger(priority) || Math.abs(priority) > mostPriority) {
    throw new TypeError(
      `Expected priority to be an integer from -${mostPriority} to ${mostPriority}, got ${String(priority)}`,
    );
  }
  if (queueTimeoutMs !== undefined) timeLimit('queueTimeoutMs', queueTimeoutMs);
  if (runTimeoutMs !== undefined) timeLimit('runTimeoutMs', runTimeoutMs);
  abortSignal(signal);
}

/** @throws TypeError when an option that only threads have is not as documented */
export function checkThreadTask({ handler, transfer }: WorkerTaskOptions): void {
  if (handler !== undefined) nonEmptyString('handler', handler);
  if (transfer !== undefined && !Array.isArray(transfer)) {
    throw new TypeError(`Expected transfer to be an array, got ${String(transfer)}`);
  }
}

/** @throws TypeError when an option of closing is not as documented */
export function checkCloseOptions({ timeoutMs }: CloseWorkerPoolOptions): void {
  if (timeoutMs !== undefined) delayMs('timeoutMs', timeoutMs);
}

/** @throws TypeError when `value` is neither Infinity nor a delay */
function timeLimit(name: string, value: number): number {
  return value === Infinity ? value : delayMs(name, value);
}
