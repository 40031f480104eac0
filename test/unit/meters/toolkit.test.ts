import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meterBatchProcessor } from '../../../instrumentation/meters/batch-processor';
import { meterChannel } from '../../../instrumentation/meters/channel';
import type { MeterContext } from '../../../instrumentation/meters/context';
import { meterLock } from '../../../instrumentation/meters/lock';
import { meterObjectPool } from '../../../instrumentation/meters/object-pool';
import { HistogramCell } from '../../../instrumentation/metrics/cells';
import { MetricRegistry } from '../../../instrumentation/metrics/registry';
import { BatchProcessor, Channel } from '../../../toolkit/channel';
import { LockManager, Mutex, ReadWriteLock } from '../../../toolkit/lock';
import { BufferPool, ConnectionPool, ObjectPool } from '../../../toolkit/object-pool';

/** All series that are shown, as `name{values of the attributes}` and value; of histograms count and sum. */
function shown(registry: MetricRegistry): Map<string, number | [number, number]> {
  const found = new Map<string, number | [number, number]>();
  for (const { metric, ...instrument } of [...registry.read()].map(one => ({
    metric: one.metric,
    cells: one.cells(),
  }))) {
    for (const cell of instrument.cells) {
      const value = cell instanceof HistogramCell ? ([cell.count, cell.sum] as [number, number]) : cell.value;
      const key = `${metric.name.replace('vitals.', '')}{${Object.values(cell.attributes).join(' ')}}`;
      if (value !== undefined) found.set(key, value);
    }
  }
  return found;
}

test('a connection pool shows its sizes, waits, uses, timeouts and failures', async () => {
  const registry = new MetricRegistry(2000, error => assert.fail(String(error)));
  const stop = meterObjectPool({ registry } as MeterContext);
  let now = 0;
  const pool = new ConnectionPool<object>({
    name: 'db',
    create: () => ({}),
    maxActive: 2,
    acquireTimeoutMs: 500,
    clock: () => now,
  });
  const [a] = [await pool.acquire(), await pool.acquire()];
  await assert.rejects(pool.acquire(), { code: 'POOL_ACQUIRE_TIMEOUT' });
  const waiting = pool.acquire();
  const before = shown(registry);
  assert.deepEqual(
    [
      'size{db connection idle}',
      'size{db connection used}',
      'limit{db connection}',
      'pending{db connection}',
    ].map(key => before.get(`pool.${key}`)),
    [0, 2, 2, 1],
  );
  now = 250;
  pool.release(a);
  pool.discard(await waiting);
  // It is closed in this turn, not in this call.
  await new Promise(resolve => setImmediate(resolve));
  const after = shown(registry);
  const expected: Record<string, number | [number, number]> = {
    'acquired{db connection}': 3,
    'reused{db connection}': 1,
    'released{db connection}': 2,
    'created{db connection}': 2,
    'destroyed{db connection}': 1,
    'leaked{db connection}': 0,
    'size{db connection used}': 1,
    'pending{db connection}': 0,
    'timeouts{db connection}': 1,
    'failures{db connection exhausted}': 0,
    'wait_time{db connection}': [3, 0.25],
    'use_time{db connection}': [2, 0.25],
  };
  for (const [key, value] of Object.entries(expected)) assert.deepEqual(after.get(`pool.${key}`), value, key);
  assert.equal(after.has('pool.memory{db connection used}'), false);
  await pool.close({ timeoutMs: 1 });
  assert.equal(shown(registry).get('pool.size{db connection used}'), undefined);
  stop();
});

test('a buffer pool shows its memory, and an object pool nothing that it does not have', () => {
  const registry = new MetricRegistry(2000, error => assert.fail(String(error)));
  const stop = meterObjectPool({ registry } as MeterContext);
  const buffers = new BufferPool({ name: 'b' });
  const objects = new ObjectPool<object>({ name: 'o', create: () => ({}), max: 1 });
  buffers.release(buffers.acquire(100));
  const kept = [buffers.acquire(3000), objects.acquire()];
  objects.tryAcquire();
  const now = shown(registry);
  assert.equal(now.get('pool.memory{b buffer idle}'), 1024);
  assert.equal(now.get('pool.memory{b buffer used}'), 4096);
  assert.equal(now.get('pool.failures{o object exhausted}'), 1);
  for (const key of ['pending{o object}', 'wait_time{o object}', 'timeouts{o object}', 'limit{b buffer}']) {
    assert.equal(now.has(`pool.${key}`), false, key);
  }
  assert.equal(kept.length, 2);
  buffers.close();
  objects.close();
  stop();
});

test('locks show by mode how often they were taken, waited for and held, a manager all its keys together', async () => {
  const registry = new MetricRegistry(2000, error => assert.fail(String(error)));
  const stop = meterLock({ registry } as MeterContext);
  let now = 0;
  const clock = (): number => now;
  const mutex = new Mutex({ name: 'm', clock });
  const rw = new ReadWriteLock({ name: 'rw', clock });
  const manager = new LockManager({ name: 'rows', detectDeadlocks: true, clock });
  const first = await mutex.lock();
  const second = mutex.lock();
  await assert.rejects(mutex.lock({ timeoutMs: 1 }));
  const reader = await rw.readLock();
  const controller = new AbortController();
  const writer = assert.rejects(rw.writeLock({ signal: controller.signal }));
  const session = manager.session();
  await session.lock('a');
  await session.lock('b');
  await assert.rejects(session.lock('a'));
  assert.equal(shown(registry).get('lock.waiters{m exclusive}'), 1);
  assert.equal(shown(registry).get('lock.waiters{rw write}'), 1);
  now = 500;
  controller.abort();
  await writer;
  first.release();
  await second;
  const after = shown(registry);
  const expected: Record<string, number | [number, number]> = {
    'acquired{m exclusive}': 2,
    'contended{m exclusive}': 2,
    'held{m exclusive}': 1,
    'waiters{m exclusive}': 0,
    'failures{m exclusive timeout}': 1,
    'wait_time{m exclusive}': [2, 0.5],
    'hold_time{m exclusive}': [1, 0.5],
    'held{rw read}': 1,
    'acquired{rw write}': 0,
    'failures{rw write aborted}': 1,
    'held{rows write}': 2,
    'failures{rows write deadlock}': 1,
  };
  for (const [key, value] of Object.entries(expected)) assert.deepEqual(after.get(`lock.${key}`), value, key);
  assert.equal(after.has('lock.acquired{m read}'), false);
  reader.release();
  for (const one of [mutex, rw, manager]) one.close();
  assert.equal(
    [...shown(registry).keys()].some(key => key.startsWith('lock.held')),
    false,
  );
  stop();
});

test('a channel shows its messages, and by side the calls that waited and those that failed', async () => {
  const registry = new MetricRegistry(2000, error => assert.fail(String(error)));
  const stop = meterChannel({ registry } as MeterContext);
  let now = 0;
  const orders = new Channel<number>({ name: 'orders', capacity: 2, timeEvery: 1, clock: () => now });
  const other = new Channel<number>({ name: 'orders', capacity: 3, overflow: 'drop-oldest' });
  for (let i = 0; i < 5; i++) other.trySend(i);
  for (let i = 0; i < 2; i++) await orders.send(i);
  assert.equal(orders.trySend(2), false);
  await assert.rejects(orders.sendWithTimeout(2, 1));
  const controller = new AbortController();
  const aborted = assert.rejects(orders.send(2, { signal: controller.signal }));
  const waiting = orders.send(3);
  const before = shown(registry);
  assert.deepEqual(
    ['length{orders}', 'capacity{orders}', 'waiters{orders send}'].map(key => before.get(`channel.${key}`)),
    [5, 5, 2],
  );
  now = 250;
  controller.abort();
  await aborted;
  for (let i = 0; i < 3; i++) await orders.receive();
  await waiting;
  await assert.rejects(orders.receiveWithTimeout(1));
  orders.close();
  other.close();
  assert.throws(() => other.trySend(1));
  const after = shown(registry);
  const expected: Record<string, number | [number, number]> = {
    'sent{orders}': 8,
    'received{orders}': 3,
    'dropped{orders}': 2,
    'length{orders}': 3,
    'capacity{orders}': 3,
    'blocked{orders send}': 3,
    'blocked{orders receive}': 1,
    'failures{orders send refused}': 1,
    'failures{orders send timeout}': 1,
    'failures{orders send aborted}': 1,
    'failures{orders send closed}': 1,
    'failures{orders receive timeout}': 1,
    'failures{orders receive aborted}': 0,
    'wait_time{orders send}': [3, 0.5],
    'wait_time{orders receive}': [1, 0],
  };
  for (const [key, value] of Object.entries(expected))
    assert.deepEqual(after.get(`channel.${key}`), value, key);
  assert.equal(after.has('channel.failures{orders receive refused}'), false);
  other.clear();
  assert.equal(shown(registry).has('channel.length{orders}'), false);
  assert.equal(shown(registry).get('channel.dropped{orders}'), 5);
  stop();
});

test('a batch processor shows its batches and what became of their items', async () => {
  const registry = new MetricRegistry(2000, error => assert.fail(String(error)));
  const stop = meterBatchProcessor({ registry } as MeterContext);
  let now = 0;
  const rows = new BatchProcessor<number>({
    name: 'rows',
    maxSize: 3,
    retry: { attempts: 2, delayMs: 1 },
    clock: () => now,
    process: items => {
      now += 250;
      if (items.includes(3)) throw new RangeError('no');
    },
    onFailed: () => Promise.reject(new RangeError('nor this')),
  });
  for (let i = 0; i < 3; i++) await rows.add(i);
  await rows.flush();
  for (let i = 3; i < 5; i++) await rows.add(i);
  const flushing = rows.flush();
  assert.equal(shown(registry).get('channel.batch.running{rows}'), 1);
  await flushing;
  const after = shown(registry);
  const expected: Record<string, number | [number, number]> = {
    'size{rows}': [2, 5],
    'flushes{rows size}': 1,
    'flushes{rows time}': 0,
    'flushes{rows flush}': 1,
    'flushes{rows close}': 0,
    'items{rows processed}': 3,
    'items{rows failed}': 2,
    'retries{rows}': 1,
    'unreported{rows}': 1,
    'running{rows}': 0,
    'run_time{rows}': [2, 0.75],
  };
  for (const [key, value] of Object.entries(expected))
    assert.deepEqual(after.get(`channel.batch.${key}`), value, key);
  await rows.close();
  assert.equal(shown(registry).has('channel.batch.running{rows}'), false);
  stop();
});
