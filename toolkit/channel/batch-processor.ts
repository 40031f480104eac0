import { AsyncResource } from 'node:async_hooks';
import { channel as diagnostics } from 'node:diagnostics_channel';
import { delayMs } from '../options';
import { registerSource } from '../sources';
import {
  type BatchFailure,
  type BatchProcessorOptions,
  type SettledBatchOptions,
  settleBatchOptions,
} from './batch-options';
import { type BatchOutcome, BatchRun } from './batch-run';
import { BatchCounters, type BatchReason, type BatchStats, batchSource } from './batch-stats';
import { Channel, coreOf } from './channel';
import { BatchAbandonedError, BatchTimeoutError } from './errors';
import type { ChannelMessage, ChannelWaitOptions } from './options';

/** Options of {@link BatchProcessor.close}. */
export interface CloseBatchProcessorOptions {
  /**
   * How long it takes at most, in milliseconds. Batches are given up before, so that the last tenth of it, at most a
   * second, is left for `onFailed` to be told of them. @default 10000
   */
  readonly timeoutMs?: number;
}

/** Most of the time of `close` that is kept for telling of what is given up, in milliseconds. */
const mostReportMs = 1000;

/** Subscribers get a {@link BatchFailure} for each batch that was given up. */
const failedChannel = diagnostics('otel-vitals:batch.failed');

/**
 * Collects items into batches and has them processed: a batch begins when it is full, when its oldest item has waited
 * long enough, or when it is asked for. Every item that was accepted is processed or reported as failed. Items that
 * wait keep the process alive until then.
 */
export class BatchProcessor<T extends ChannelMessage, R = unknown> {
  readonly name: string;
  readonly #options: SettledBatchOptions<T, R>;
  readonly #input: Channel<T>;
  readonly #counters: BatchCounters;
  readonly #unregister: () => void;
  /** Batches are of nobody's request, and so run in the context in which the processor was made. */
  readonly #scope = new AsyncResource('BatchProcessor');
  /** In the order of their items. */
  readonly #runs = new Set<BatchRun<T, R>>();
  /** Ends the waiting for calls of `onFailed` under way. */
  readonly #reports = new Set<(error: unknown) => void>();
  readonly #flushes: { readonly until: number; readonly resolve: () => void }[] = [];
  /** Items before this place need not wait for their batch to fill. */
  #due = 0;
  #dueReason: BatchReason = 'time';
  #timer: NodeJS.Timeout | undefined;
  #closing: Promise<{ readonly abandoned: readonly T[] }> | undefined;

  /** @throws TypeError when an option is not as documented */
  constructor(options: BatchProcessorOptions<T, R>) {
    const settled = settleBatchOptions(options);
    const { name, capacity, now } = settled;
    this.name = name;
    this.#options = settled;
    this.#input = new Channel<T>({ name, capacity, clock: now });
    const counters = new BatchCounters(this.#input[coreOf].counters);
    this.#counters = counters;
    this.#unregister = registerSource({ ...batchSource, name, stats: () => counters.snapshot() }, this);
  }

  /** Items that wait for their batch. */
  get length(): number {
    return this.#input.length;
  }

  /**
   * Takes an item in, once there is room. Rejects with ChannelClosedError, ChannelTimeoutError or ChannelAbortedError,
   * and then the item was not taken.
   */
  add(item: T, options?: ChannelWaitOptions): Promise<void> {
    const accepted = this.#input.send(item, options);
    this.#pump();
    return accepted;
  }

  /**
   * Takes an item in if there is room.
   *
   * @throws ChannelClosedError
   */
  tryAdd(item: T): boolean {
    const accepted = this.#input.trySend(item);
    if (accepted) this.#pump();
    return accepted;
  }

  /** Has the items accepted so far processed without waiting for more; resolves when all have ended, however they did. */
  flush(): Promise<void> {
    return this.#flush('flush');
  }

  /** Counters and sizes, as documented at {@link BatchStats}. */
  stats(): BatchStats {
    return this.#counters.snapshot();
  }

  /**
   * Takes no more items, refuses those who wait with theirs, and has those accepted processed. When time is running out,
   * what is left is given up and reported as failed; an `onFailed` that takes longer than is left is not waited for. Never
   * rejects; calling it again gives the same promise.
   *
   * @returns the items that were given up
   */
  close({
    timeoutMs = 10_000,
  }: CloseBatchProcessorOptions = {}): Promise<{ readonly abandoned: readonly T[] }> {
    this.#closing ??= this.#close(delayMs('timeoutMs', timeoutMs));
    return this.#closing;
  }

  #flush(reason: BatchReason): Promise<void> {
    this.#due = this.#accepted;
    this.#dueReason = reason;
    const until = this.#accepted;
    return new Promise<void>(resolve => {
      this.#flushes.push({ until, resolve });
      this.#pump();
      this.#tellFlushed();
    });
  }

  get #taken(): number {
    return this.#counters.input.received;
  }

  get #accepted(): number {
    return this.#counters.input.sent;
  }

  /** Begins the batches that can be begun. */
  #pump(): void {
    const { concurrency, maxSize } = this.#options;
    while (this.#runs.size < concurrency && this.#input.length > 0) {
      if (this.#input.length >= maxSize) this.#begin('size');
      else if (this.#taken < this.#due) this.#begin(this.#dueReason);
      else break;
    }
    if (this.#input.length === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    } else {
      // It may fire early for items that came later, never late.
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        if (this.#taken >= this.#due) this.#dueReason = 'time';
        this.#due = this.#accepted;
        this.#pump();
      }, this.#options.maxWaitMs);
    }
  }

  #begin(reason: BatchReason): void {
    const first = this.#taken;
    const items: T[] = [];
    // Each item that is taken lets one in whose sender waits: the end is fixed beforehand.
    for (let left = Math.min(this.#input.length, this.#options.maxSize); left > 0; left--) {
      items.push(this.#input.tryReceive()!);
    }
    const counters = this.#counters;
    counters.flushes[reason]++;
    counters.size.record(items.length);
    counters.running++;
    const run = new BatchRun<T, R>(items, reason, first, this.#options, counters);
    this.#runs.add(run);
    const since = this.#options.now();
    // Not within the call that added the last item.
    queueMicrotask(() => {
      this.#scope.runInAsyncScope(() => {
        void run.run().then(outcome => this.#ended(run, outcome, since));
      });
    });
  }

  async #ended(run: BatchRun<T, R>, outcome: BatchOutcome, since: number): Promise<void> {
    const counters = this.#counters;
    if (!outcome.ok) {
      const { error, attempts } = outcome;
      run.ended = true;
      await this.#report({ name: this.name, items: run.items, error, attempts });
    }
    counters[outcome.ok ? 'processed' : 'failed'] += run.items.length;
    counters.running--;
    counters.runTime.record((this.#options.now() - since) / 1000);
    this.#runs.delete(run);
    this.#pump();
    this.#tellFlushed();
  }

  /** Never rejects. */
  async #report(failure: BatchFailure<T>): Promise<void> {
    const { onFailed, timeoutMs } = this.#options;
    failedChannel.publish(failure);
    let timer: NodeJS.Timeout | undefined;
    let giveUp: ((error: unknown) => void) | undefined;
    try {
      await new Promise<unknown>((resolve, reject) => {
        giveUp = reject;
        this.#reports.add(reject);
        timer = setTimeout(() => reject(new BatchTimeoutError(this.name, timeoutMs)), timeoutMs);
        new Promise<unknown>(done => done(onFailed(failure))).then(resolve, reject);
      });
    } catch {
      this.#counters.unreported++;
    }
    clearTimeout(timer);
    this.#reports.delete(giveUp!);
  }

  #tellFlushed(): void {
    const [oldest] = this.#runs;
    const ended = Math.min(this.#taken, oldest?.first ?? Infinity);
    while (this.#flushes.length > 0 && this.#flushes[0]!.until <= ended) this.#flushes.shift()!.resolve();
  }

  async #close(timeoutMs: number): Promise<{ readonly abandoned: readonly T[] }> {
    this.#input.close();
    const flushed = this.#flush('close');
    const abandoned: T[] = [];
    const reportMs = Math.min(timeoutMs / 10, mostReportMs);
    if (!(await endsIn(flushed, timeoutMs - reportMs))) {
      const told = this.#abandon(abandoned, timeoutMs);
      if (!(await endsIn(told, reportMs))) {
        for (const giveUp of this.#reports) giveUp(new BatchAbandonedError(this.name, timeoutMs));
        await told;
      }
    }
    this.#options.output?.close();
    this.#unregister();
    return { abandoned };
  }

  async #abandon(abandoned: T[], timeoutMs: number): Promise<void> {
    const error = new BatchAbandonedError(this.name, timeoutMs);
    const left: T[] = [];
    while (this.#input.length > 0) left.push(this.#input.tryReceive()!);
    for (const run of this.#runs) {
      // It failed by itself, and is being told of.
      if (run.ended) continue;
      abandoned.push(...run.items);
      run.abandon(error);
    }
    abandoned.push(...left);
    if (left.length > 0) {
      await this.#report({ name: this.name, items: left, error, attempts: 0 });
      this.#counters.failed += left.length;
    }
    await this.#flush('close');
  }
}

/** Whether `work` ends within so many milliseconds. */
function endsIn(work: Promise<unknown>, ms: number): Promise<boolean> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, ms, false);
    void work.then(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
