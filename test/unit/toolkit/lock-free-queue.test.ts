import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { MeterContext } from '../../../instrumentation/meters/context';
import { meterSharedQueue } from '../../../instrumentation/meters/shared-queue';
import { MetricRegistry } from '../../../instrumentation/metrics/registry';
import { LockFreeQueue, type QueueMessage, SpinLock } from '../../../toolkit/lock';
import { liveSources } from '../../../toolkit/sources';
import { collectUntil } from '../../helpers/garbage';

test('it behaves as a bounded first-in, first-out queue, wherever its positions run over', () => {
  const message = fc.oneof(
    fc.double({ noNaN: true }),
    fc.string({ maxLength: 30, unit: 'grapheme' }),
    fc.boolean(),
    fc.constant(null),
  );
  fc.assert(
    fc.property(
      fc.array(fc.oneof(message, fc.constant(undefined)), { maxLength: 80 }),
      fc.constantFrom(0, 0x7ffffffd, -3, 12345),
      fc.integer({ min: 1, max: 9 }),
      (steps, start, capacity) => {
        const queue = new LockFreeQueue({ name: 'model', capacity, messageBytes: 1000 }, start);
        const model: QueueMessage[] = [];
        let [sent, received, refused] = [0, 0, 0];
        for (const step of steps) {
          if (step === undefined) {
            assert.deepEqual(queue.tryDequeue(), model.shift());
            received = sent - model.length;
          } else if (queue.tryEnqueue(step)) {
            model.push(step);
            sent++;
          } else {
            assert.equal(model.length, queue.capacity);
            refused++;
          }
          assert.equal(queue.length, model.length);
        }
        const stats = queue.stats();
        assert.deepEqual(
          [stats.sent, stats.received, stats.refused, stats.length],
          [sent, received, refused, model.length],
        );
        queue.close();
      },
    ),
  );
});

test('its capacity is raised to a power of two', () => {
  const capacity = (wanted: number): number => new LockFreeQueue({ name: 'q', capacity: wanted }).capacity;
  assert.deepEqual([1, 2, 3, 1000, 1024].map(capacity), [2, 2, 4, 1024, 1024]);
});

test('a message that is too large, or none at all, is refused and takes no place', () => {
  const queue = new LockFreeQueue({ name: 'q', capacity: 2, messageBytes: 10 });
  for (const large of ['x'.repeat(11), '€€€€', new Uint8Array(11), { a: 'bcdef' }]) {
    assert.throws(() => queue.tryEnqueue(large), { code: 'QUEUE_MESSAGE_TOO_LARGE', maxBytes: 10 });
  }
  assert.throws(() => queue.tryEnqueue(undefined as never), /Expected a message, got undefined/);
  assert.throws(() => queue.tryEnqueue((() => {}) as never), /Expected a message, got function/);
  assert.throws(() => queue.tryEnqueue({ a: 1n } as never), TypeError);
  assert.equal(queue.length, 0);
  assert.ok(queue.tryEnqueue('x'.repeat(10)));
  assert.equal(queue.tryDequeue(), 'x'.repeat(10));
});

test('bytes that were received are a copy', () => {
  const queue = new LockFreeQueue({ name: 'q', capacity: 2 });
  queue.tryEnqueue(new Uint8Array([1, 2]));
  const got = queue.tryDequeue() as Uint8Array;
  queue.tryEnqueue(new Uint8Array([9, 9]));
  queue.tryEnqueue(new Uint8Array([9, 9]));
  assert.deepEqual([...got], [1, 2]);
});

test('a closed queue takes nothing more, gives what it has, and ends whoever iterates', async () => {
  const queue = new LockFreeQueue<number>({ name: 'q' });
  for (const n of [1, 2, 3]) queue.tryEnqueue(n);
  queue.close();
  assert.equal(queue.closed, true);
  assert.throws(() => queue.tryEnqueue(4), { code: 'QUEUE_CLOSED', queue: 'q' });
  await assert.rejects(queue.enqueue(4), { code: 'QUEUE_CLOSED' });
  const got: number[] = [];
  for await (const n of queue) got.push(n);
  assert.deepEqual(got, [1, 2, 3]);
  assert.throws(() => queue.tryDequeue(), { code: 'QUEUE_CLOSED' });
});

test('waits on one thread are served in order, end in time or by a signal, and swallow no message', async () => {
  const queue = new LockFreeQueue<number>({ name: 'q', capacity: 2 });
  const controller = new AbortController();
  const first = queue.dequeue();
  const aborted = queue.dequeue({ signal: controller.signal });
  const late = queue.dequeue({ timeoutMs: 5 });
  const last = queue.dequeue();
  controller.abort(new RangeError('enough'));
  await assert.rejects(aborted, (error: Error) => error.cause instanceof RangeError);
  await assert.rejects(late, { code: 'QUEUE_TIMEOUT', waitedFor: 'message', timeoutMs: 5 });
  queue.tryEnqueue(1);
  queue.tryEnqueue(2);
  assert.deepEqual(await Promise.all([first, last]), [1, 2]);
  await Promise.all([queue.enqueue(3), queue.enqueue(4)]);
  const full = queue.enqueue(5);
  await assert.rejects(queue.enqueue(6, { timeoutMs: 5 }), { code: 'QUEUE_TIMEOUT', waitedFor: 'room' });
  await assert.rejects(queue.enqueue(7, { signal: AbortSignal.abort() }), { code: 'QUEUE_ABORTED' });
  assert.equal(queue.tryDequeue(), 3);
  await full;
  assert.deepEqual([queue.tryDequeue(), queue.tryDequeue(), queue.tryDequeue()], [4, 5, undefined]);
});

test('closing wakes those who wait on the main thread', async () => {
  const queue = new LockFreeQueue<number>({ name: 'q', capacity: 2 });
  const empty = assert.rejects(queue.dequeue(), { code: 'QUEUE_CLOSED' });
  await new Promise(resolve => setImmediate(resolve));
  queue.close();
  await empty;
  const full = new LockFreeQueue<number>({ name: 'q', capacity: 2 });
  await Promise.all([full.enqueue(1), full.enqueue(2)]);
  const blocked = assert.rejects(full.enqueue(3), { code: 'QUEUE_CLOSED' });
  await new Promise(resolve => setImmediate(resolve));
  full.close();
  await blocked;
});

test('the main thread is never blocked: what would do it is refused', () => {
  const queue = new LockFreeQueue<number>({ name: 'q' });
  assert.throws(() => queue.enqueueSync(1), { code: 'LOCK_MAIN_THREAD', instead: 'enqueue' });
  assert.throws(() => queue.dequeueSync(), { code: 'LOCK_MAIN_THREAD', instead: 'dequeue' });
  const lock = new SpinLock({ name: 'l' });
  assert.throws(() => lock.lock(), { code: 'LOCK_MAIN_THREAD', instead: 'lockAsync' });
});

test('another handle on the same memory is the same queue and lock, and does not show twice', () => {
  const queue = new LockFreeQueue<string>({ name: 'one', capacity: 4 });
  const other = new LockFreeQueue<string>(structuredClone(queue.shared));
  queue.tryEnqueue('hello');
  assert.equal(other.tryDequeue(), 'hello');
  const lock = new SpinLock({ name: 'one' });
  const handle = new SpinLock(structuredClone(lock.shared)).tryLock()!;
  assert.equal(lock.tryLock(), undefined);
  handle.release();
  assert.equal(lock.isLocked, false);
  assert.deepEqual(
    liveSources()
      .filter(({ name }) => name === 'one')
      .map(({ kind }) => kind),
    ['shared_queue', 'lock'],
  );
  queue.close();
  lock.close();
});

test('wrong options are refused, saying what was expected and what came', () => {
  assert.throws(() => new LockFreeQueue({ name: '' }), /Expected name to be a string/);
  assert.throws(
    () => new LockFreeQueue({ name: 'q', capacity: 0 }),
    /Expected capacity to be an integer above/,
  );
  assert.throws(() => new LockFreeQueue({ name: 'q', capacity: 2 ** 25 }), /Expected capacity to be at most/);
  assert.throws(
    () => new LockFreeQueue({ name: 'q', buffer: new SharedArrayBuffer(8) }),
    /Expected buffer to be what a LockFreeQueue of these sizes shares/,
  );
  assert.throws(
    () => new SpinLock({ name: 'l', buffer: new SharedArrayBuffer(8) }),
    /Expected buffer to be what a SpinLock shares/,
  );
  assert.throws(
    () => new SpinLock({ name: 'l', maxSpins: -1 }),
    /Expected maxSpins to be an integer of zero/,
  );
});

test('a queue shows in the metrics, over the turn of its 32-bit counters, until it is dropped', async () => {
  const registry = new MetricRegistry(2000, error => assert.fail(String(error)));
  const stop = meterSharedQueue({ registry } as MeterContext);
  const value = (name: string): unknown => {
    const instrument = [...registry.read()].find(
      ({ metric }) => metric.name === `vitals.shared_queue.${name}`,
    );
    const cells = [...(instrument?.cells() ?? [])];
    const own = cells.find(({ attributes }) => attributes['shared_queue.name'] === 'turning');
    return (own as { value?: number } | undefined)?.value;
  };
  (() => {
    const queue = new LockFreeQueue<number>({ name: 'turning', capacity: 2 }, -2);
    for (let i = 0; i < 5; i++) {
      queue.tryEnqueue(i);
      queue.tryDequeue();
    }
    queue.tryEnqueue(1);
    queue.tryEnqueue(2);
    queue.tryEnqueue(3);
    assert.deepEqual(
      ['sent', 'received', 'refused', 'length', 'capacity', 'waiters'].map(value),
      [7, 5, 1, 2, 2, 0],
    );
  })();
  await collectUntil(() => liveSources('shared_queue').every(({ name }) => name !== 'turning'));
  assert.deepEqual([value('sent'), value('length')], [7, undefined]);
  stop();
});

test("a producer's messages stay in order although some of them wait for room", async () => {
  const queue = new LockFreeQueue<string>({ name: 'q', capacity: 2 });
  for (const message of ['1', '2']) queue.tryEnqueue(message);
  const waiting = [queue.enqueue('3'), queue.enqueue('4')];
  queue.tryDequeue();
  // The room is for the first that waits; the other still does, and this one must not go before it.
  assert.equal(queue.tryEnqueue('5'), false);
  assert.equal(queue.stats().refused, 1);
  assert.deepEqual([queue.tryDequeue(), queue.tryDequeue()], ['2', '3']);
  assert.equal(queue.tryEnqueue('5'), true);
  await Promise.all(waiting);
  assert.deepEqual([queue.tryDequeue(), queue.tryDequeue(), queue.tryDequeue()], ['4', '5', undefined]);
});

test('a message goes to the call that waits for one, and not to one that only asks', async () => {
  const queue = new LockFreeQueue<number>({ name: 'q', capacity: 4 });
  const waiting = queue.dequeue();
  queue.tryEnqueue(1);
  assert.equal(queue.tryDequeue(), undefined);
  queue.tryEnqueue(2);
  assert.deepEqual([queue.tryDequeue(), await waiting], [2, 1]);
});

test('whoever gave up waiting is not counted among those who wait', async () => {
  const queue = new LockFreeQueue<number>({ name: 'q', capacity: 2 });
  const controller = new AbortController();
  const aborted = queue.dequeue({ signal: controller.signal });
  const late = queue.dequeue({ timeoutMs: 5 });
  assert.equal(queue.stats().waitingConsumers, 1, 'one thread waits, with two calls');
  controller.abort();
  await assert.rejects(aborted, { code: 'QUEUE_ABORTED' });
  await assert.rejects(late, { code: 'QUEUE_TIMEOUT' });
  assert.equal(queue.stats().waitingConsumers, 0);
  for (const message of [1, 2]) queue.tryEnqueue(message);
  await assert.rejects(queue.enqueue(3, { timeoutMs: 5 }), { code: 'QUEUE_TIMEOUT' });
  assert.equal(queue.stats().waitingProducers, 0);
});

test('a message that closes the queue while it is written down is not accepted', () => {
  const queue = new LockFreeQueue({ name: 'q' });
  const message = {
    toJSON: () => {
      queue.close();
      return 'x';
    },
  };
  assert.throws(() => queue.tryEnqueue(message), { code: 'QUEUE_CLOSED' });
  assert.equal(queue.length, 0);
  assert.throws(() => queue.tryDequeue(), { code: 'QUEUE_CLOSED' });
});

test('a wait for a spin lock that is refused for its options counts as none', async () => {
  const lock = new SpinLock({ name: 'l' });
  lock.tryLock();
  for (const timeoutMs of [Number.NaN, 0, 2 ** 40])
    await assert.rejects(lock.lockAsync({ timeoutMs }), /Expected timeoutMs/);
  await assert.rejects(lock.lockAsync({ timeoutMs: 5 }), { code: 'LOCK_TIMEOUT' });
  const { contended, timeouts, aborted, waiters } = lock.stats().modes.exclusive!;
  assert.deepEqual([contended, timeouts, aborted, waiters], [1, 1, 0, 0]);
});
