import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TieredCache } from '../../../toolkit/cache';
import { Channel, select } from '../../../toolkit/channel';
import { LockFreeQueue, Mutex, ReadWriteLock, SpinLock } from '../../../toolkit/lock';
import { HttpClient } from '../../../toolkit/network';
import { ConnectionPool } from '../../../toolkit/object-pool';
import { TaskPool } from '../../../toolkit/worker-pool';

const refused = {
  name: 'TypeError',
  message: /^Expected signal to be an AbortSignal, got (null|object|string)$/,
};

for (const [what, given] of [
  ['null', null],
  ['a text', 'abort'],
  ['an object that can only be listened to', { aborted: false, addEventListener() {} }],
] as const) {
  const signal = given as unknown as AbortSignal;

  test(`${what} for a signal is refused by everything that takes one, before anything is done`, async () => {
    const tasks = new TaskPool({ name: 't', max: 1 });
    let ran = 0;
    await assert.rejects(
      tasks.run(() => ran++, { signal }),
      refused,
    );
    assert.deepEqual([ran, tasks.stats().accepted], [0, 0]);

    const channel = new Channel<number>({ name: 'c', capacity: 1 });
    await assert.rejects(async () => channel.send(1, { signal }), refused);
    await assert.rejects(async () => channel.receive({ signal }), refused);
    await assert.rejects(async () => select([{ receive: channel }], { signal }), refused);
    assert.deepEqual([channel.stats().sent, channel.length], [0, 0]);

    const mutex = new Mutex({ name: 'm' });
    const lock = new ReadWriteLock({ name: 'rw' });
    await assert.rejects(async () => mutex.lock({ signal }), refused);
    await assert.rejects(async () => lock.readLock({ signal }), refused);
    await assert.rejects(async () => lock.writeLock({ signal }), refused);
    assert.equal(mutex.tryLock() !== undefined, true);

    const spin = new SpinLock({ name: 's' });
    const queue = new LockFreeQueue<number>({ name: 'q', capacity: 2 });
    await assert.rejects(spin.lockAsync({ signal }), refused);
    await assert.rejects(async () => queue.dequeue({ signal }), refused);

    const pool = new ConnectionPool({
      name: 'p',
      maxActive: 1,
      create: async () => ({}),
      destroy: async () => {},
    });
    await assert.rejects(pool.acquire({ signal }), refused);
    assert.equal(pool.stats().acquired, 0);
    await pool.close();

    const client = new HttpClient({ name: 'h' });
    await assert.rejects(client.get('http://127.0.0.1:9/', { signal }), refused);
    assert.equal(client.stats().attempts, 0);
    await client.close();

    const cache = new TieredCache<number>({ name: 'k', l1: { maxEntries: 1 } });
    await assert.rejects(cache.warmUp(['a'], { signal, loader: async () => 1 }), refused);
    cache.close();
  });
}
