import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LockFreeQueue, type LockHandle, SpinLock } from '../../toolkit/lock';
import { startThread, type TaskThread } from '../helpers/threads';

const span = 1e9;

/** What a thread gives; undefined where it gives nothing for so long that it was forgotten. */
function soon({ result }: TaskThread): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>(resolve => {
    timer = setTimeout(resolve, 20_000, undefined);
  });
  return Promise.race([result, late]).finally(() => clearTimeout(timer));
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 1));
}

test('two million messages of three threads reach four, each once and in order of its sender', async () => {
  const queue = new LockFreeQueue<number>({ name: 'stress', capacity: 64, messageBytes: 8 }, 0x7fffff00);
  const count = 700_000;
  const consumers = [0, 1, 2].map(() => startThread({ do: 'consume', queue: queue.shared }));
  const producers = [1, 2, 3].map(who => startThread({ do: 'produce', queue: queue.shared, who, count }));
  // The main thread takes part, and stays awake.
  const own = { count: 0, sum: 0, next: new Map<number, number>() };
  const consuming = (async () => {
    for await (const message of queue) {
      const who = Math.floor(message / span);
      assert.ok(message % span >= (own.next.get(who) ?? 0));
      own.next.set(who, (message % span) + 1);
      own.count++;
      own.sum += message % span;
    }
  })();
  await Promise.all(producers.map(({ result }) => result));
  queue.close();
  await consuming;
  const results = (await Promise.all(consumers.map(({ result }) => result))) as {
    count: number;
    sum: number;
  }[];
  const all = [...results, own];
  assert.equal(
    all.reduce((total, one) => total + one.count, 0),
    3 * count,
  );
  assert.equal(
    all.reduce((total, one) => total + one.sum, 0),
    (3 * count * (count - 1)) / 2,
  );
  const { sent, received, length, waitingConsumers, waitingProducers } = queue.stats();
  assert.deepEqual(
    [sent, received, length, waitingConsumers, waitingProducers],
    [3 * count, 3 * count, 0, 0, 0],
  );
});

test('messages of every type go to another thread and back whole', async () => {
  const requests = new LockFreeQueue({ name: 'requests', capacity: 4 });
  const answers = new LockFreeQueue({ name: 'answers', capacity: 4 });
  const echo = startThread({ do: 'echo', requests: requests.shared, answers: answers.shared });
  const messages = [
    0,
    -1.5,
    Number.MAX_VALUE,
    Number.POSITIVE_INFINITY,
    '',
    'short',
    'é',
    'x'.repeat(120),
    '€'.repeat(40),
    'ü'.repeat(30),
    true,
    false,
    null,
    { a: [1, { b: 'c' }] },
    [1, 2],
    new Uint8Array([0, 255, 7]),
    Buffer.alloc(0),
  ];
  for (const message of messages) {
    await requests.enqueue(message);
    const answer = await answers.dequeue({ timeoutMs: 30_000 });
    if (message instanceof Uint8Array) assert.deepEqual([...(answer as Uint8Array)], [...message]);
    else assert.deepEqual(answer, message);
  }
  requests.close();
  assert.equal(await echo.result, messages.length);
  await assert.rejects(answers.dequeue(), { code: 'QUEUE_CLOSED' });
});

test('a full queue lets its producers wait, on the main thread without blocking it, and loses nothing', async () => {
  const requests = new LockFreeQueue<number>({ name: 'requests', capacity: 2 });
  const answers = new LockFreeQueue<number>({ name: 'answers', capacity: 2 });
  const count = 20_000;
  const got: number[] = [];
  let beats = 0;
  const heart = setInterval(() => beats++, 1);
  const sending = Promise.all(Array.from({ length: count }, (_, i) => requests.enqueue(i)));
  const echo = startThread({ do: 'echo', requests: requests.shared, answers: answers.shared });
  const receiving = (async () => {
    for await (const message of answers) got.push(message);
  })();
  await sending;
  requests.close();
  await Promise.all([echo.result, receiving]);
  clearInterval(heart);
  assert.equal(got.length, count);
  assert.ok(got.every((message, i) => message === i));
  assert.ok(beats > 10, `the event loop turned ${beats} times`);
});

test('a thread that waits for a message gives up in time, and one that waits on a closed queue at once', async () => {
  const queue = new LockFreeQueue({ name: 'empty' });
  assert.deepEqual(await startThread({ do: 'call', queue: queue.shared, timeoutMs: 20 }).result, [
    'QUEUE_TIMEOUT',
  ]);
  const waiting = startThread({ do: 'call', queue: queue.shared, timeoutMs: 60_000 });
  while (queue.stats().waitingConsumers === 0) await new Promise(resolve => setImmediate(resolve));
  queue.close();
  assert.deepEqual(await waiting.result, ['QUEUE_CLOSED']);
});

test('a spin lock excludes threads through a million rounds, the main thread among them', async () => {
  const lock = new SpinLock({ name: 'counter' });
  const memory = new SharedArrayBuffer(8);
  const words = new Int32Array(memory);
  const rounds = 300_000;
  const threads = [1, 2, 3].map(() => startThread({ do: 'count', lock: lock.shared, memory, rounds }));
  let own = 0;
  let done = false;
  const all = Promise.all(threads.map(({ result }) => result)).then(() => {
    done = true;
  });
  while (!done) {
    const handle = await lock.lockAsync();
    words[0] = words[0]! + 1;
    words[1] = words[1]! - 1;
    own++;
    handle.release();
    await new Promise(resolve => setImmediate(resolve));
  }
  await all;
  assert.deepEqual([...words], [3 * rounds + own, -(3 * rounds + own)]);
  const { acquired, released, held, waiters } = lock.stats().modes.exclusive!;
  assert.deepEqual([acquired, released, held, waiters], [3 * rounds + own, 3 * rounds + own, 0, 0]);
});

test('the main thread waits for a spin lock without blocking, in time or until it is aborted', async () => {
  const lock = new SpinLock({ name: 'held' });
  const thread = startThread({ do: 'hold', lock: lock.shared, ms: 300 });
  await thread.said('held');
  assert.equal(lock.tryLock(), undefined);
  assert.equal(lock.holder, thread.worker.threadId);
  let beats = 0;
  const heart = setInterval(() => beats++, 1);
  await assert.rejects(lock.lockAsync({ timeoutMs: 20 }), { code: 'LOCK_TIMEOUT', timeoutMs: 20 });
  const controller = new AbortController();
  const aborted = lock.lockAsync({ signal: controller.signal });
  const waiting = lock.lockAsync();
  controller.abort();
  await assert.rejects(aborted, { code: 'LOCK_ABORTED' });
  const handle = await waiting;
  clearInterval(heart);
  assert.ok(beats > 5, `the event loop turned ${beats} times`);
  assert.equal(lock.holder, 0);
  handle.release();
  assert.throws(() => handle.release(), { code: 'LOCK_RELEASED' });
  assert.equal(lock.isLocked, false);
  const { timeouts, aborted: abortedCount, contended } = lock.stats().modes.exclusive!;
  assert.deepEqual([timeouts, abortedCount, contended], [1, 1, 3]);
  assert.equal(await thread.result, 'released');
});

test('a message whose consumer was terminated when it was woken goes to another that sleeps', async () => {
  const queue = new LockFreeQueue<string>({ name: 'left' });
  const gone = startThread({ do: 'ask and hang', queue: queue.shared });
  gone.result.catch(() => {});
  await gone.said('asked');
  const other = startThread({ do: 'ask and wait', queue: queue.shared });
  await until(() => queue.stats().waitingConsumers === 2);
  queue.tryEnqueue('for one of them');
  await gone.worker.terminate();
  assert.equal(await soon(other), 'for one of them');
  await until(() => queue.stats().waitingConsumers === 0);
});

test('a spin lock whose next holder was terminated when it was woken goes to another that sleeps', async () => {
  const lock = new SpinLock({ name: 'left' });
  const handle = lock.tryLock()!;
  const gone = startThread({ do: 'ask and hang', lock: lock.shared });
  gone.result.catch(() => {});
  await gone.said('asked');
  const other = startThread({ do: 'ask and wait', lock: lock.shared });
  await until(() => lock.stats().modes.exclusive!.waiters === 2);
  handle.release();
  await gone.worker.terminate();
  assert.equal(await soon(other), 'locked');
  await until(() => lock.stats().modes.exclusive!.waiters === 0);
});

test('a main thread that gave up waiting takes no wake from a consumer while it is busy', async () => {
  const queue = new LockFreeQueue<number>({ name: 'given up' });
  await assert.rejects(queue.dequeue({ timeoutMs: 5 }), { code: 'QUEUE_TIMEOUT' });
  assert.equal(queue.stats().waitingConsumers, 0);
  const signal = AbortSignal.timeout(5);
  await assert.rejects(queue.dequeue({ signal }), { code: 'QUEUE_ABORTED' });
  const consumer = startThread({ do: 'ask and wait', queue: queue.shared });
  await until(() => queue.stats().waitingConsumers === 1);
  queue.tryEnqueue(7);
  // The result of the thread can't be heard of here while this thread is busy, but that the message is gone can.
  const end = performance.now() + 20_000;
  while (queue.length > 0 && performance.now() < end);
  assert.equal(queue.length, 0);
  assert.equal(await soon(consumer), 7);
});

test('what a thread was told is accepted is received before the queue is said to be closed', async () => {
  for (let round = 0; round < 12; round++) {
    const queue = new LockFreeQueue({ name: 'closing', capacity: 8, messageBytes: 16_000 });
    const producer = startThread({ do: 'send until closed', queue: queue.shared });
    let got = 0;
    for await (const message of queue) {
      assert.ok(message);
      if (++got === 20) queue.close();
    }
    const { sent, received, length } = queue.stats();
    assert.deepEqual([await producer.result, sent, received, length], [got, got, got, 0]);
  }
});

test('those who wait for long are counted all the while, and those that were terminated soon no more', async () => {
  const [queue, lock] = [new LockFreeQueue<number>({ name: 'long' }), new SpinLock({ name: 'long' })];
  const held = lock.tryLock()!;
  const waiting = [queue.dequeue(), queue.dequeue(), lock.lockAsync(), lock.lockAsync()];
  const threads = [
    startThread({ do: 'ask and wait', queue: queue.shared }),
    startThread({ do: 'ask and wait', lock: lock.shared }),
  ];
  const counts = (): number[] => [queue.stats().waitingConsumers, lock.stats().modes.exclusive!.waiters];
  await until(() => counts().join() === '2,3');
  const end = performance.now() + 3000;
  while (performance.now() < end) {
    assert.deepEqual(counts(), [2, 3]);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  for (const { worker, result } of threads) {
    result.catch(() => {});
    await worker.terminate();
  }
  await until(() => counts().join() === '1,2');
  queue.tryEnqueue(1);
  queue.tryEnqueue(2);
  held.release();
  ((await waiting[2]) as LockHandle).release();
  ((await waiting[3]) as LockHandle).release();
  assert.deepEqual([await waiting[0], await waiting[1], counts()], [1, 2, [0, 0]]);
});
