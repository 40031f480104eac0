import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { test } from 'node:test';
import fc from 'fast-check';
import { BatchProcessor, type BatchProcessorOptions, Channel } from '../../../toolkit/channel';
import { assertBatchLaws, recording } from '../../helpers/batches';
import { turns } from '../../helpers/channels';
import { deferred } from '../../helpers/fake-redis';

test('a full batch begins at once, what is left when its oldest item has waited', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { processor, batches } = recording({ maxSize: 3, maxWaitMs: 500 });
  for (let i = 0; i < 3; i++) await processor.add(i);
  await turns(1);
  assert.deepEqual(batches, [[0, 1, 2]]);
  await processor.add(3);
  t.mock.timers.tick(400);
  await processor.add(4);
  await turns(1);
  assert.equal(batches.length, 1);
  t.mock.timers.tick(100);
  await turns(1);
  assert.deepEqual(batches, [
    [0, 1, 2],
    [3, 4],
  ]);
  const { flushes, processed, waiting } = assertBatchLaws(processor);
  assert.deepEqual(flushes, { size: 1, time: 1, flush: 0, close: 0 });
  assert.deepEqual([processed, waiting], [5, 0]);
});

test('an item that came while the slot was taken goes with the next batch, its time being over', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const first = deferred();
  const { processor, batches } = recording({
    maxSize: 2,
    maxWaitMs: 500,
    process: async items => {
      if (items[0] === 0) await first.promise;
    },
  });
  await processor.add(0);
  await processor.add(1);
  await processor.add(2);
  t.mock.timers.tick(500);
  await turns(1);
  assert.equal(batches.length, 1, 'more than one at a time');
  first.resolve();
  await turns(1);
  assert.deepEqual(batches[1], [2]);
  assert.equal(assertBatchLaws(processor).flushes.time, 1);
});

test('flush sends what waits, and resolves when that and what ran before has ended', async () => {
  const gates = [deferred(), deferred()];
  const { processor, batches } = recording({
    maxSize: 2,
    concurrency: 2,
    process: items => gates[items[0]! < 2 ? 0 : 1]!.promise,
  });
  for (let i = 0; i < 3; i++) await processor.add(i);
  let flushed = false;
  const flushing = processor.flush().then(() => {
    flushed = true;
  });
  await processor.add(3);
  await turns(1);
  assert.deepEqual(batches, [[0, 1], [2]]);
  gates[1]!.resolve();
  await turns(1);
  assert.equal(flushed, false, 'the first batch still runs');
  gates[0]!.resolve();
  await flushing;
  assert.equal(processor.length, 1, 'what came after the call waits on');
  assert.equal(assertBatchLaws(processor).flushes.flush, 1);
  await processor.flush();
  await processor.flush();
  assert.deepEqual(batches[2], [3]);
});

test('no more batches run at a time than may, and who adds to a full processor waits', async () => {
  let running = 0;
  let most = 0;
  const gates: (() => void)[] = [];
  const { processor, batches } = recording({
    maxSize: 2,
    concurrency: 2,
    capacity: 3,
    process: async () => {
      most = Math.max(most, ++running);
      await new Promise<void>(resolve => gates.push(resolve));
      running--;
    },
  });
  for (let i = 0; i < 7; i++) await processor.add(i);
  assert.equal(processor.tryAdd(99), false);
  await assert.rejects(processor.add(98, { timeoutMs: 5 }), { code: 'CHANNEL_TIMEOUT' });
  let added = false;
  const adding = processor.add(7).then(() => {
    added = true;
  });
  await turns(1);
  assert.deepEqual([added, running, processor.length], [false, 2, 3]);
  gates.shift()!();
  await adding;
  const closing = processor.close();
  while (batches.flat().length < 8 || running > 0) {
    gates.shift()?.();
    await turns(1);
  }
  await closing;
  assert.equal(most, 2);
  assert.deepEqual(
    batches.flat().sort((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6, 7],
  );
  assert.equal(assertBatchLaws(processor).processed, 8);
});

test('each batch is an array of its own, in the order of adding', async () => {
  const kept: number[][] = [];
  const { processor } = recording({ maxSize: 4, process: items => void kept.push(items) });
  for (let i = 0; i < 10; i++) await processor.add(i);
  await processor.close();
  assert.deepEqual(kept, [
    [0, 1, 2, 3],
    [4, 5, 6, 7],
    [8, 9],
  ]);
});

test('a batch runs in the context in which the processor was made, not in that of who added last', async () => {
  const context = new AsyncLocalStorage<string>();
  const seen: (string | undefined)[] = [];
  const { processor } = context.run('maker', () =>
    recording({
      maxSize: 1,
      process: () => {
        seen.push(context.getStore());
        throw new RangeError('no');
      },
      onFailed: () => void seen.push(context.getStore()),
    }),
  );
  await context.run('a request', () => processor.add(1));
  await processor.flush();
  assert.deepEqual(seen, ['maker', 'maker']);
});

test('results go to the output, which holds up the next batch while it is full', async () => {
  const output = new Channel<string>({ name: 'results' });
  const { processor, batches, failures } = recording<string | undefined>({
    maxSize: 1,
    capacity: 5,
    output,
    process: ([item]) => (item === 1 ? undefined : `row ${item}`),
  });
  for (let i = 0; i < 4; i++) await processor.add(i);
  await turns(1);
  assert.deepEqual(batches, [[0]]);
  const got: string[] = [];
  const reading = (async () => {
    for await (const result of output) got.push(result);
  })();
  await processor.close();
  await reading;
  assert.deepEqual(got, ['row 0', 'row 2', 'row 3']);
  assert.equal(failures.length, 0);
});

test('wrong options are refused, saying what was expected and what came', () => {
  const make = (options: Partial<BatchProcessorOptions<number>>) => () =>
    new BatchProcessor<number>({ name: 'x', process: () => {}, onFailed: () => {}, ...options });
  assert.throws(make({ name: '' }), /Expected name to be a string of at least one character/);
  assert.throws(make({ onFailed: undefined as never }), /Expected onFailed to be a function, got undefined/);
  assert.throws(make({ process: 1 as never }), /Expected process to be a function, got number/);
  assert.throws(make({ maxSize: 0 }), /Expected maxSize to be an integer above zero, got 0/);
  assert.throws(make({ capacity: 99 }), /Expected capacity to be at least maxSize, which is 100, got 99/);
  assert.throws(make({ maxWaitMs: -1 }), /Expected maxWaitMs to be milliseconds above 0/);
  assert.throws(make({ output: [] as never }), /Expected output to be a Channel, got object/);
  assert.throws(make({ retry: { attempts: 0 } }), /Expected retry.attempts to be an integer above zero/);
  assert.throws(make({ retry: { factor: 0.5 } }), /Expected retry.factor to be at least 1, got 0.5/);
});

test('whatever happens, every accepted item is processed or reported as failed, once and in order', async () => {
  const act = fc.oneof(
    { weight: 8, arbitrary: fc.constant({ do: 'add' }) },
    {
      weight: 2,
      arbitrary: fc.constantFrom({ do: 'tryAdd' }, { do: 'turn' }, { do: 'flush' }, { do: 'abort' }),
    },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(act, { maxLength: 60 }),
      fc.record({
        maxSize: fc.integer({ min: 1, max: 5 }),
        extra: fc.nat(4),
        concurrency: fc.integer({ min: 1, max: 3 }),
      }),
      // What becomes of each attempt.
      fc.array(fc.constantFrom('ok', 'throw', 'reject', 'later', 'hang'), { maxLength: 30 }),
      async (acts, { maxSize, extra, concurrency }, fates) => {
        const processed: number[] = [];
        const failed: number[] = [];
        let attempts = 0;
        const processor = new BatchProcessor<number>({
          name: 'any',
          maxSize,
          capacity: maxSize + extra,
          concurrency,
          maxWaitMs: 60_000,
          retry: { attempts: 2, delayMs: 1, random: () => 1 },
          onFailed: ({ items }) => void failed.push(...items),
          process: async items => {
            const fate = fates[attempts++ % Math.max(fates.length, 1)] ?? 'ok';
            if (fate === 'throw') throw new RangeError('thrown');
            if (fate === 'reject') await Promise.reject(new RangeError('rejected'));
            if (fate === 'later') await turns(1);
            if (fate === 'hang') await new Promise(() => {});
            processed.push(...items);
          },
        });
        const accepted: number[] = [];
        const adding: Promise<void>[] = [];
        const controllers: AbortController[] = [];
        let next = 0;
        for (const one of acts) {
          if (one.do === 'add') {
            const item = next++;
            const controller = new AbortController();
            controllers.push(controller);
            adding.push(
              processor.add(item, { signal: controller.signal }).then(
                () => void accepted.push(item),
                () => {},
              ),
            );
          } else if (one.do === 'tryAdd') {
            const item = next++;
            if (processor.tryAdd(item)) accepted.push(item);
          } else if (one.do === 'flush') void processor.flush();
          else if (one.do === 'abort') controllers.at(-1)?.abort();
          else await turns(1);
          assertBatchLaws(processor);
        }
        const { abandoned } = await processor.close({ timeoutMs: 10 });
        await Promise.all(adding);
        const stats = assertBatchLaws(processor);
        assert.deepEqual([stats.waiting, stats.working, stats.running], [0, 0, 0]);
        assert.deepEqual([stats.processed, stats.failed], [processed.length, failed.length]);
        for (const item of abandoned) assert.ok(failed.includes(item));
        assert.deepEqual(
          [...processed, ...failed].sort((a, b) => a - b),
          accepted.sort((a, b) => a - b),
        );
        if (concurrency === 1)
          assert.deepEqual(
            processed,
            [...processed].sort((a, b) => a - b),
          );
      },
    ),
    { numRuns: 25 },
  );
});
