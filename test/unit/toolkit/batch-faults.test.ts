import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { test } from 'node:test';
import { BatchProcessor, type BatchStats, Channel } from '../../../toolkit/channel';
import { batchSource } from '../../../toolkit/channel/batch-stats';
import { liveSources } from '../../../toolkit/sources';
import { assertBatchLaws, recording } from '../../helpers/batches';
import { turns } from '../../helpers/channels';
import { deferred } from '../../helpers/fake-redis';
import { collectUntil } from '../../helpers/garbage';

const registered = (name: string) =>
  liveSources<BatchStats>(batchSource.kind, batchSource.layout).filter(one => one.name === name);

test('a batch that fails is reported with its items, once, and the next runs', async () => {
  const heard: unknown[] = [];
  const listen = (message: unknown): void => void heard.push(message);
  subscribe('otel-vitals:batch.failed', listen);
  try {
    const { processor, batches, failures } = recording({
      maxSize: 2,
      process: items => {
        const first = items[0];
        // It may do with its array what it likes.
        items.length = 0;
        if (first === 0) throw new RangeError('thrown');
        if (first === 2) return Promise.reject(new RangeError('rejected'));
        return undefined;
      },
    });
    for (let i = 0; i < 6; i++) await processor.add(i);
    await processor.close();
    assert.equal(batches.length, 3);
    assert.deepEqual(
      failures.map(({ name, items, error, attempts }) => [name, items, (error as Error).message, attempts]),
      [
        ['rows', [0, 1], 'thrown', 1],
        ['rows', [2, 3], 'rejected', 1],
      ],
    );
    assert.deepEqual(heard, failures);
    const { processed, failed, retries } = assertBatchLaws(processor);
    assert.deepEqual([processed, failed, retries], [2, 4, 0]);
  } finally {
    unsubscribe('otel-vitals:batch.failed', listen);
  }
});

test('a batch is tried again after growing pauses, until it succeeds, must not, or has had its attempts', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const attempts: [number, number][] = [];
  let now = 0;
  const { processor, failures } = recording({
    maxSize: 1,
    clock: () => now,
    retry: {
      attempts: 4,
      delayMs: 100,
      factor: 3,
      maxDelayMs: 500,
      random: () => 0,
      shouldRetry: error => error instanceof RangeError,
    },
    process: ([item], { attempt }) => {
      attempts.push([item!, attempt]);
      if (item === 0 && attempt === 2) return;
      throw item === 1 ? new TypeError('for good') : new RangeError('for now');
    },
  });
  await processor.add(0);
  await turns(1);
  const tick = async (ms: number): Promise<void> => {
    now += ms;
    t.mock.timers.tick(ms);
    await turns(1);
  };
  await tick(99);
  assert.equal(attempts.length, 1);
  await tick(1);
  assert.deepEqual(attempts, [
    [0, 1],
    [0, 2],
  ]);
  await processor.add(1);
  await turns(1);
  assert.equal((failures[0]!.error as Error).message, 'for good');
  assert.equal(failures[0]!.attempts, 1);
  await processor.add(2);
  await turns(1);
  for (const pause of [100, 300]) await tick(pause);
  await tick(499);
  assert.equal(failures.length, 1, 'the longest pause is 500');
  await tick(1);
  assert.deepEqual([failures[1]!.items, failures[1]!.attempts], [[2], 4]);
  const { retries, processed, failed, runTime } = assertBatchLaws(processor);
  assert.deepEqual([retries, processed, failed], [4, 1, 2]);
  assert.equal(Math.round(runTime.sum * 1000), 1000);
});

test('a processor that hangs is given up after its time, told so by its signal, and frees its slot', async () => {
  const signals: AbortSignal[] = [];
  const late = deferred();
  const { processor, batches, failures } = recording({
    maxSize: 1,
    timeoutMs: 10,
    process: async ([item], { signal }) => {
      if (item !== 0) return;
      signals.push(signal);
      await late.promise;
      throw new RangeError('too late to be heard');
    },
  });
  await processor.add(0);
  await processor.add(1);
  await processor.close();
  assert.deepEqual(batches, [[0], [1]]);
  assert.equal((failures[0]!.error as { code?: string }).code, 'BATCH_TIMEOUT');
  assert.deepEqual(failures[0]!.items, [0]);
  assert.equal(signals[0]!.aborted, true);
  assert.equal(signals[0]!.reason, failures[0]!.error);
  // An unhandled rejection would fail the test.
  late.resolve();
  await turns();
  assert.equal(assertBatchLaws(processor).failed, 1);
});

test('close processes what was accepted, refuses those who wait, and lets nobody in any more', async () => {
  const gate = deferred();
  const { processor, batches } = recording({ maxSize: 2, capacity: 2, process: () => gate.promise });
  for (let i = 0; i < 4; i++) await processor.add(i);
  const refused = assert.rejects(processor.add(4), { code: 'CHANNEL_CLOSED', channel: 'rows' });
  const closing = processor.close();
  assert.equal(processor.close(), closing);
  await refused;
  await assert.rejects(processor.add(5), { code: 'CHANNEL_CLOSED' });
  assert.throws(() => processor.tryAdd(5), { code: 'CHANNEL_CLOSED' });
  assert.equal(registered('rows').length > 0, true);
  gate.resolve();
  assert.deepEqual(await closing, { abandoned: [] });
  assert.deepEqual(batches, [
    [0, 1],
    [2, 3],
  ]);
  assert.equal(assertBatchLaws(processor).processed, 4);
});

test('close with a processor that hangs gives up in its time, and says which items were left', async () => {
  let aborted: unknown;
  const output = new Channel<number>({ name: 'out' });
  const { processor, failures } = recording<number>({
    maxSize: 2,
    capacity: 4,
    output,
    process: (_items, { signal }) => {
      signal.addEventListener('abort', () => {
        aborted = signal.reason;
      });
      return new Promise<number>(() => {});
    },
  });
  for (let i = 0; i < 5; i++) await processor.add(i);
  const { abandoned } = await processor.close({ timeoutMs: 10 });
  assert.deepEqual(abandoned, [0, 1, 2, 3, 4]);
  assert.deepEqual(failures.map(({ items, attempts }) => [items, attempts]).sort(), [
    [[0, 1], 1],
    [[2, 3, 4], 0],
  ]);
  for (const { error } of failures) assert.equal((error as { code?: string }).code, 'BATCH_ABANDONED');
  assert.equal((aborted as { code?: string }).code, 'BATCH_ABANDONED');
  const { failed, running } = assertBatchLaws(processor);
  assert.deepEqual([failed, running], [5, 0]);
  assert.equal(output.closed, true);
});

test('close gives up pauses before another attempt, and results that nobody takes', async () => {
  const pausing = recording({
    maxSize: 1,
    retry: { attempts: 9, delayMs: 60_000 },
    process: () => Promise.reject(new RangeError('for now')),
  });
  await pausing.processor.add(1);
  assert.deepEqual(await pausing.processor.close({ timeoutMs: 5 }), { abandoned: [1] });
  assert.equal((pausing.failures[0]!.error as { code?: string }).code, 'BATCH_ABANDONED');
  const stuck = recording<number>({
    maxSize: 1,
    output: new Channel<number>({ name: 'a consumer that vanished' }),
    process: () => 1,
  });
  await stuck.processor.add(1);
  assert.deepEqual(await stuck.processor.close({ timeoutMs: 5 }), { abandoned: [1] });
  assert.equal(assertBatchLaws(stuck.processor).failed, 1);
});

test('a closed output fails the batch, which is not processed a second time', async () => {
  const output = new Channel<number>({ name: 'out' });
  output.close();
  const { processor, batches, failures } = recording<number>({
    maxSize: 1,
    output,
    retry: { attempts: 3, delayMs: 1 },
    process: () => 1,
  });
  await processor.add(1);
  await processor.flush();
  assert.equal(batches.length, 1);
  assert.equal((failures[0]!.error as { code?: string }).code, 'CHANNEL_CLOSED');
});

test('a report that fails or hangs is counted, and holds up nothing for longer than its time', async () => {
  for (const onFailed of [
    () => {
      throw new RangeError('no');
    },
    () => Promise.reject(new RangeError('no')),
    () => new Promise(() => {}),
  ]) {
    const { processor } = recording({
      maxSize: 1,
      timeoutMs: 10,
      onFailed,
      process: () => Promise.reject(new RangeError('no')),
    });
    await processor.add(1);
    await processor.flush();
    const { unreported, failed } = assertBatchLaws(processor);
    assert.deepEqual([unreported, failed], [1, 1]);
  }
});

test('is among the live sources under its name until it is closed, or dropped', async () => {
  const name = 'visible batches';
  const make = () => new BatchProcessor<number>({ name, maxSize: 1, process: () => {}, onFailed: () => {} });
  const processor = make();
  assert.equal(registered(name).length, 1);
  await processor.close();
  assert.equal(registered(name).length, 0);
  await (async () => {
    const dropped = make();
    await dropped.add(1);
    await dropped.flush();
  })();
  await collectUntil(() => registered(name).length === 0);
});

test('close keeps its time although onFailed hangs, and says of each item once what became of it', async () => {
  const told: number[] = [];
  const processor = new BatchProcessor<number>({
    name: 'hung',
    maxSize: 1,
    capacity: 10,
    concurrency: 2,
    timeoutMs: 60_000,
    process: ([item]) => (item === 1 ? Promise.reject(new Error('failed')) : new Promise(() => {})),
    onFailed: ({ items }) => {
      told.push(...items);
      return new Promise(() => {});
    },
  });
  for (const item of [1, 2, 3, 4]) processor.tryAdd(item);
  while (told.length === 0) await new Promise(resolve => setImmediate(resolve));
  const since = performance.now();
  const { abandoned } = await processor.close({ timeoutMs: 200 });
  const took = performance.now() - since;
  assert.ok(took >= 190 && took < 10_000, `${took} ms`);
  assert.deepEqual([...abandoned].sort(), [2, 3, 4], 'the first failed by itself');
  assert.deepEqual([...told].sort(), [1, 2, 3, 4]);
  const { accepted, failed, waiting, working, unreported } = processor.stats();
  assert.deepEqual([accepted, failed, waiting, working, unreported], [4, 4, 0, 0, 3]);
});

test('what onFailed does with items that were given up is waited for, while time is left', async () => {
  let written = 0;
  const processor = new BatchProcessor<number>({
    name: 'written',
    process: () => new Promise(() => {}),
    onFailed: async ({ items }) => {
      await new Promise(resolve => setTimeout(resolve, 20));
      written += items.length;
    },
  });
  for (const item of [1, 2]) processor.tryAdd(item);
  assert.deepEqual(await processor.close({ timeoutMs: 2000 }), { abandoned: [1, 2] });
  assert.deepEqual([written, processor.stats().unreported], [2, 0]);
});
