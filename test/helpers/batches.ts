import assert from 'node:assert/strict';
import {
  type BatchFailure,
  BatchProcessor,
  type BatchProcessorOptions,
  type BatchStats,
} from '../../toolkit/channel';

/** The laws that a batch processor's statistics obey at any moment. */
export function assertBatchLaws<T extends NonNullable<unknown>, R>(
  processor: BatchProcessor<T, R>,
): BatchStats {
  const stats = processor.stats();
  const shown = JSON.stringify(stats);
  const { accepted, waiting, working, processed, failed, running, flushes, size, runTime } = stats;
  assert.equal(accepted, waiting + working + processed + failed, shown);
  assert.equal(waiting, processor.length, shown);
  const begun = flushes.size + flushes.time + flushes.flush + flushes.close;
  assert.equal(size.count, begun, shown);
  assert.equal(runTime.count + running, begun, shown);
  assert.ok(working >= 0 && running >= 0, shown);
  return stats;
}

/** A processor that notes its batches and failures. */
export function recording<R = unknown>(
  options: Partial<BatchProcessorOptions<number, R>> = {},
): {
  processor: BatchProcessor<number, R>;
  batches: number[][];
  failures: BatchFailure<number>[];
} {
  const batches: number[][] = [];
  const failures: BatchFailure<number>[] = [];
  const { process, onFailed, ...others } = options;
  const processor = new BatchProcessor<number, R>({
    name: 'rows',
    ...others,
    process: (items, context) => {
      batches.push([...items]);
      return process?.(items, context) as R;
    },
    onFailed: failure => {
      failures.push(failure);
      return onFailed?.(failure);
    },
  });
  return { processor, batches, failures };
}
