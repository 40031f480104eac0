import { FixedHistogram, type HistogramSnapshot } from '../histogram';
import type { ChannelCounters } from './stats';

/** The registered kind of a batch processor and the layout of {@link BatchStats}. */
export const batchSource = { kind: 'batch_processor', layout: 1 } as const;

/** Why a batch was begun: it was full, its oldest item had waited, or `flush` or `close` was called. */
export type BatchReason = 'size' | 'time' | 'flush' | 'close';

/**
 * A batch processor's counters since it was made, and its present sizes. They are exact at any moment:
 *
 * - `accepted = waiting + working + processed + failed`
 * - `size.count` is the sum of `flushes`, and `runTime.count + running` too
 */
export interface BatchStats {
  /** Items that were taken in. */
  readonly accepted: number;
  /** Items that wait for their batch. */
  readonly waiting: number;
  /** Items of batches that run. */
  readonly working: number;
  /** Items of batches that succeeded. */
  readonly processed: number;
  /** Items of batches that failed, and those left when `close` ran out of time. */
  readonly failed: number;
  /** Batches that run, pauses between attempts included. */
  readonly running: number;
  /** Batches that were begun, by why. */
  readonly flushes: { readonly [R in BatchReason]: number };
  /** Attempts after the first. */
  readonly retries: number;
  /** Failures of which `onFailed` could not be told, because it failed, hung, or had not ended when `close` had to. */
  readonly unreported: number;
  /** Items per batch. */
  readonly size: HistogramSnapshot;
  /** Time of batches from begin to end, all attempts and the pauses between them, in seconds. */
  readonly runTime: HistogramSnapshot;
}

/** Bucket bounds of the items of a batch. */
export const batchSizeBounds = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];

/** Bucket bounds of the time of a batch, in seconds. */
export const batchRunBounds = [
  1e-4, 5e-4, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

/** The numbers behind {@link BatchStats}. They hold no item. */
export class BatchCounters {
  processed = 0;
  failed = 0;
  running = 0;
  retries = 0;
  unreported = 0;
  readonly flushes = { size: 0, time: 0, flush: 0, close: 0 };
  readonly size = new FixedHistogram(batchSizeBounds);
  readonly runTime = new FixedHistogram(batchRunBounds);

  /** @param input counters of the channel that the items come from */
  constructor(readonly input: ChannelCounters) {}

  snapshot(): BatchStats {
    const { processed, failed, running, retries, unreported, input } = this;
    return {
      accepted: input.sent,
      waiting: input.sent - input.received,
      working: input.received - processed - failed,
      processed,
      failed,
      running,
      flushes: { ...this.flushes },
      retries,
      unreported,
      size: this.size.snapshot(),
      runTime: this.runTime.snapshot(),
    };
  }
}
