import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cacheMetrics,
  channelMetrics,
  dbPoolMetrics,
  eventLoopMetrics,
  gcMetrics,
  heapMetrics,
  httpServerMetrics,
  lockMetrics,
  processMetrics,
  workerPoolMetrics,
} from '../../../instrumentation/catalogue';
import type { HistorySample } from '../../../instrumentation/history/contract';
import { recordHistory } from '../../../instrumentation/history/recorder';
import { createLog } from '../../../instrumentation/log';
import type { GcListener, GcSource } from '../../../instrumentation/meters/gc-source';
import { MetricRegistry } from '../../../instrumentation/metrics/registry';

/** A recorder whose interval ends when the test says so. */
function recording(t: import('node:test').TestContext) {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] });
  const registry = new MetricRegistry(2000, assert.ifError);
  let last: HistorySample | undefined;
  let stop = () => {};
  let collected: GcListener | undefined;
  const gc: GcSource = {
    subscribe(listener) {
      collected = listener;
      return () => {
        collected = undefined;
      };
    },
  };
  t.after(() => stop());
  return {
    registry,
    get collected() {
      return collected;
    },
    start() {
      stop = recordHistory({ registry, log: createLog('none') }, gc, sample => {
        last = sample;
      });
    },
    next(): Record<string, number> {
      last = undefined;
      t.mock.timers.tick(2000);
      assert.ok(last !== undefined, 'a sample every two seconds');
      const { names, values } = last as HistorySample;
      assert.equal(new Set(names).size, names.length);
      return Object.fromEntries(names.map((name, i) => [name, values[i]!]));
    },
    stop: () => stop(),
  };
}

test('levels are as the meters have them', t => {
  const recorder = recording(t);
  const { registry } = recorder;
  registry.instrument(heapMetrics.used).with({ 'v8js.heap.space.name': 'old_space' }).set(5000);
  registry.instrument(heapMetrics.used).with({ 'v8js.heap.space.name': 'shared_space' }).set(0);
  registry.instrument(heapMetrics.limit).with({}).set(9000);
  registry.instrument(processMetrics.memoryUsage).with({}).set(7000);
  const pool = { 'db.client.connection.pool.name': 'db:5432/shop' };
  registry
    .instrument(dbPoolMetrics.count)
    .with({ ...pool, 'db.client.connection.state': 'used' })
    .set(3);
  registry
    .instrument(dbPoolMetrics.count)
    .with({ ...pool, 'db.client.connection.state': 'idle' })
    .set(4);
  registry.instrument(dbPoolMetrics.pending).with(pool).set(2);
  for (const mode of ['read', 'write'] as const) {
    registry
      .instrument(lockMetrics.waiters)
      .with({ 'lock.name': 'stock', 'lock.mode': mode } as never)
      .set(4);
  }
  const workers = { 'worker_pool.name': 'resize', 'worker_pool.kind': 'thread' } as const;
  registry
    .instrument(workerPoolMetrics.workers)
    .with({ ...workers, 'worker_pool.state': 'busy' })
    .set(2);
  registry
    .instrument(workerPoolMetrics.workers)
    .with({ ...workers, 'worker_pool.state': 'idle' })
    .set(1);
  registry.instrument(workerPoolMetrics.queueSize).with(workers).set(7);
  registry.instrument(channelMetrics.length).with({ 'channel.name': 'orders' }).set(9);
  recorder.start();
  const sample = recorder.next();
  assert.equal(sample['pools/workers resize'], 2);
  assert.equal(sample['waiting/workers resize'], 7);
  assert.equal(sample['waiting/channel orders'], 9);
  assert.equal(sample['heap/old_space'], 5000);
  assert.equal(sample['heap/shared_space'], undefined);
  assert.equal(sample['heap/limit'], 9000);
  assert.equal(sample['memory/resident'], 7000);
  assert.equal(sample['pools/db:5432/shop'], 3);
  assert.equal(sample['waiting/db:5432/shop'], 2);
  assert.equal(sample['waiting/lock stock'], 8);
});

test('totals are shown by what they grew since the last sample', t => {
  const recorder = recording(t);
  const { registry } = recorder;
  const minor = registry.instrument(gcMetrics.duration).with({ 'v8js.gc.type': 'minor' });
  minor.record(100);
  const gets = registry.instrument(cacheMetrics.operations);
  const l1 = { 'cache.name': 'products', 'cache.tier': 'l1', 'cache.operation': 'get' } as const;
  gets.with({ ...l1, 'cache.result': 'hit' }).add(1000);
  const active = registry.instrument(eventLoopMetrics.time).with({ 'nodejs.eventloop.state': 'active' });
  const idle = registry.instrument(eventLoopMetrics.time).with({ 'nodejs.eventloop.state': 'idle' });
  active.set(100);
  idle.set(100);
  recorder.start();
  minor.record(0.004);
  minor.record(0.008);
  gets.with({ ...l1, 'cache.result': 'hit' }).add(1);
  gets.with({ ...l1, 'cache.result': 'miss' }).add(3);
  gets.with({ ...l1, 'cache.operation': 'set', 'cache.result': 'ok' }).add(50);
  active.set(100.5);
  idle.set(101.5);
  const first = recorder.next();
  assert.ok(first['gcTime/minor']! > 0);
  assert.equal(first['caches/products l1'], 25);
  assert.equal(first['cpu/event loop'], 25);
  const second = recorder.next();
  assert.equal(second['gcTime/minor'], 0);
  assert.equal(second['caches/products l1'], undefined, 'no lookup, no share');
});

test('of the pauses of a kind the longest since the last sample is shown, and none where none was', t => {
  const recorder = recording(t);
  recorder.start();
  const minor = (seconds: number, forced = false) => ({ type: 'minor', seconds, forced }) as const;
  recorder.collected!([minor(0.004), minor(0.032), minor(0.002)]);
  recorder.collected!([minor(0.008), { type: 'major', seconds: 0.25, forced: false }, minor(0.5, true)]);
  const first = recorder.next();
  const pauses = Object.fromEntries(Object.entries(first).filter(([name]) => name.startsWith('gc/')));
  assert.deepEqual(pauses, { 'gc/minor': 32, 'gc/major': 250, 'gc/minor (forced)': 500 });
  recorder.collected!([minor(0.001)]);
  const second = recorder.next();
  assert.deepEqual([second['gc/minor'], second['gc/major']], [1, undefined]);
  recorder.stop();
  assert.equal(recorder.collected, undefined, 'nobody listens any more');
});

test('the busiest routes are shown over all their answers, the others together', t => {
  const recorder = recording(t);
  const duration = recorder.registry.instrument(httpServerMetrics.duration);
  const answer = (route: string, status: number, seconds: number, times: number): void => {
    const cell = duration.with({
      'http.request.method': 'GET',
      'http.route': route,
      'http.response.status_code': status,
      'url.scheme': 'http',
    });
    for (let i = 0; i < times; i++) cell.record(seconds);
  };
  recorder.start();
  answer('/orders/:id', 200, 0.004, 600);
  answer('/orders/:id', 500, 2, 400);
  for (let i = 0; i < 20; i++) answer(`/rare/${i}`, 200, 0.001, 2);
  const sample = recorder.next();
  const routes = Object.keys(sample).filter(name => name.startsWith('requests/'));
  assert.equal(routes.length, 13);
  const rate = sample['requests/GET /orders/:id']!;
  // 9 of the 20 others, which had two requests each.
  assert.ok(Math.abs(sample['requests/all others']! / rate - 18 / 1000) < 1e-9, JSON.stringify(sample));
  assert.ok(sample['p50/GET /orders/:id']! <= 5, JSON.stringify(sample));
  assert.equal(
    sample['p99/GET /orders/:id'],
    1975,
    'by the rank between the bound of 1 s and the longest, of 2 s',
  );
  assert.equal(recorder.next()['requests/GET /orders/:id'], 0);
  // Far from the middle of its bucket, and what came before has no part in it.
  answer('/orders/:id', 200, 1.3, 1);
  const one = recorder.next();
  assert.deepEqual([one['p50/GET /orders/:id'], one['p99/GET /orders/:id']], [1300, 1300]);
});

test('it ends when it is told to', t => {
  const recorder = recording(t);
  recorder.start();
  recorder.next();
  recorder.stop();
  assert.throws(() => recorder.next(), /a sample every two seconds/);
});
