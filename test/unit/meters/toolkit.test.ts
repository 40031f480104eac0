import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MeterContext } from '../../../instrumentation/meters/context';
import { meterLock } from '../../../instrumentation/meters/lock';
import { meterObjectPool } from '../../../instrumentation/meters/object-pool';
import { HistogramCell } from '../../../instrumentation/metrics/cells';
import { MetricRegistry } from '../../../instrumentation/metrics/registry';
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
