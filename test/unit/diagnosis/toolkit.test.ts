import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { loadConfig } from '../../../instrumentation/config/load';
import { type Finding, startDiagnosis } from '../../../instrumentation/diagnosis';
import { createLog } from '../../../instrumentation/log';
import { createGcSource } from '../../../instrumentation/meters/gc-source';
import type { GaugeCell } from '../../../instrumentation/metrics/cells';
import { MetricRegistry } from '../../../instrumentation/metrics/registry';
import { Channel } from '../../../toolkit/channel';
import { LockFreeQueue, Mutex } from '../../../toolkit/lock';
import { ConnectionPool, ObjectPool } from '../../../toolkit/object-pool';
import { TaskPool } from '../../../toolkit/worker-pool';

function setUp(env: Record<string, string> = {}, onFinding?: (finding: Finding) => void) {
  const lines: string[] = [];
  const ticks: (() => void)[] = [];
  const registry = new MetricRegistry(2000, error => assert.fail(String(error)));
  const log = createLog('warn', line => lines.push(line));
  const found = [] as Finding[];
  const diagnosis = startDiagnosis(
    {
      registry,
      log,
      config: loadConfig(env).config,
      onTick(tick) {
        ticks.push(tick);
        return () => ticks.splice(ticks.indexOf(tick), 1);
      },
    },
    createGcSource({ registry, log }),
    {
      subject: { serviceName: 'shop', serviceVersion: undefined, agentVersion: '0' },
      nodeFlags: [],
      onFinding: onFinding ?? (finding => found.push(finding)),
    },
  );
  const series = (): Record<string, number | undefined> =>
    Object.fromEntries(
      [...registry.read()]
        .filter(({ metric }) => metric.name === 'vitals.findings')
        .flatMap(instrument => [...instrument.cells()])
        .map(cell => [String(cell.attributes['finding.code']), (cell as GaugeCell).value]),
    );
  const look = (times: number): void => {
    for (let i = 0; i < times; i++) for (const tick of ticks) tick();
  };
  return { diagnosis, found, lines, log, series, look, ticks };
}

test('an object that is never given back is a finding with the stack that took it', async t => {
  const { diagnosis, found, lines, series, look } = setUp();
  t.after(() => diagnosis.stop());
  const pool = new ObjectPool({
    name: 'images',
    create: () => ({}),
    leakDetection: { afterMs: 5, sampleEvery: 1 },
  });
  t.after(() => pool.close());
  function takesAndForgets(): object {
    return pool.acquire();
  }
  const kept = takesAndForgets();
  while (found.length === 0) await delay(5);
  assert.equal(found[0]!.code, 'pool_leak');
  assert.equal(found[0]!.subject, 'images');
  assert.match(String(found[0]!.evidence['stack']), /takesAndForgets/);
  assert.ok(Number(found[0]!.evidence['held_ms']) >= 5);
  assert.match(
    lines[0]!,
    /^otel-vitals info: finding pool_leak: images has an object .*runbooks\/pool-leak\.md\n$/,
  );
  assert.equal(lines.length, 1);
  assert.deepEqual(series(), { pool_leak: 1 });
  pool.release(kept);
  look(61);
  assert.deepEqual(series(), { pool_leak: 0 });
  assert.equal(diagnosis.findings().resolved[0]!.code, 'pool_leak');
});

test('a lock that is held for too long is a finding', async t => {
  const { diagnosis, found } = setUp();
  t.after(() => diagnosis.stop());
  const mutex = new Mutex({ name: 'ledger', holdWatch: { afterMs: 5, sampleEvery: 1 } });
  const held = await mutex.lock();
  while (found.length === 0) await delay(5);
  held.release();
  assert.deepEqual([found[0]!.code, found[0]!.subject], ['lock_held', 'ledger']);
});

test('ten callers behind a lock for half a minute are a convoy, nine are none', async t => {
  const { diagnosis, found, look } = setUp();
  t.after(() => diagnosis.stop());
  const mutex = new Mutex({ name: 'stock' });
  const held = await mutex.lock();
  const waiting = Array.from({ length: 9 }, () => mutex.lock());
  look(5);
  assert.equal(found.length, 0);
  waiting.push(mutex.lock());
  look(3);
  assert.deepEqual(
    [found[0]!.code, found[0]!.subject, found[0]!.evidence],
    ['lock_convoy', 'stock', { waiters: 10 }],
  );
  held.release();
  for (const next of waiting) (await next).release();
});

test('a pool with all in use is exhausted while callers wait or are turned away, and not before', async t => {
  const { diagnosis, found, look } = setUp();
  t.after(() => diagnosis.stop());
  const connections = new ConnectionPool<object>({
    name: 'db',
    create: () => ({}),
    maxActive: 1,
    acquireTimeoutMs: 60_000,
  });
  const first = await connections.acquire();
  look(5);
  assert.equal(found.length, 0, 'busy, and nobody waits');
  const second = connections.acquire();
  look(3);
  assert.deepEqual(
    found.map(({ subject, evidence }) => [subject, evidence]),
    [['db', { used: 1, limit: 1, pending: 1, turned_away: 0 }]],
  );
  connections.release(first);
  connections.release(await second);
  await connections.close();

  const objects = new ObjectPool({ name: 'parsers', create: () => ({}), max: 1 });
  t.after(() => objects.close());
  const only = objects.acquire();
  look(1);
  for (let i = 0; i < 3; i++) {
    assert.throws(() => objects.acquire());
    look(1);
  }
  objects.release(only);
  assert.deepEqual(
    [found[1]!.code, found[1]!.subject, found[1]!.evidence['turned_away']],
    ['pool_exhausted', 'parsers', 1],
  );
});

test('a worker pool whose queue stays full, or that turns tasks away, is saturated, and one that is busy is not', async () => {
  const { diagnosis, found, look, series } = setUp();
  const open: (() => void)[] = [];
  const task = (): Promise<void> => new Promise(resolve => open.push(resolve));
  const pool = new TaskPool({ name: 'mails', max: 1, maxQueue: 2 });
  const tasks = [pool.run(task), pool.run(task)];
  look(5);
  assert.equal(found.length, 0, 'there is room');
  tasks.push(pool.run(task));
  look(2);
  assert.equal(found.length, 0, 'not for half a minute yet');
  look(1);
  const evidence = { queued: 2, limit: 2, turned_away: 0, busy: 1, workers_limit: 1 };
  assert.deepEqual(
    found.map(one => [one.code, one.severity, one.subject, one.evidence, one.runbook]),
    [['queue_saturated', 'warning', 'mails', evidence, 'docs/runbooks/queue-saturated.md']],
  );
  while (pool.stats().workers.busy > 0) {
    for (const end of open.splice(0)) end();
    await delay(1);
  }
  await Promise.all(tasks);
  await pool.close();
  look(3);
  assert.deepEqual(series(), { queue_saturated: 0 });

  const none = new TaskPool({ name: 'none waits', max: 1, maxQueue: 0 });
  const endless = new TaskPool({ name: 'endless', max: 1, maxQueue: Infinity });
  const busy = [none.run(task), endless.run(task)];
  look(1);
  for (let i = 0; i < 3; i++) {
    look(1);
    await assert.rejects(endless.run(task, { queueTimeoutMs: 1 }), { code: 'TASK_QUEUE_TIMEOUT' });
  }
  look(1);
  assert.deepEqual(
    found.slice(1).map(one => [one.subject, one.evidence]),
    [['endless', { queued: 0, turned_away: 1, busy: 1, workers_limit: 1 }]],
  );
  for (const end of open.splice(0)) end();
  await Promise.all(busy);
  await Promise.all([none.close(), endless.close()]);
  diagnosis.stop();
});

test('a channel that is full while senders wait or are turned away is saturated', async t => {
  const { diagnosis, found, look } = setUp();
  t.after(() => diagnosis.stop());
  const orders = new Channel<number>({ name: 'orders', capacity: 1 });
  await orders.send(1);
  look(5);
  assert.equal(found.length, 0, 'full, and nobody waits');
  const sending = orders.send(2);
  look(3);
  const evidence = { queued: 1, limit: 1, turned_away: 0, senders_waiting: 1, receivers_waiting: 0 };
  assert.deepEqual(
    found.map(one => [one.code, one.subject, one.evidence]),
    [['queue_saturated', 'orders', evidence]],
  );
  for (const channel of [orders, orders]) await channel.receive();
  await sending;

  const events = new Channel<number>({ name: 'events', capacity: 1 });
  look(1);
  for (let i = 0; i < 3; i++) {
    assert.deepEqual([events.trySend(1), events.trySend(2)], [true, false]);
    await events.receive();
    look(1);
  }
  assert.deepEqual([found[1]!.subject, found[1]!.evidence['turned_away']], ['events', 1]);
});

test('a channel without a buffer is saturated while its senders wait and nothing is received, or time out', async t => {
  const { diagnosis, found, look, series } = setUp();
  t.after(() => diagnosis.stop());
  const meets = new Channel<number>({ name: 'meets' });
  const sending = Array.from({ length: 9 }, (_, i) => meets.send(i));
  for (let i = 0; i < 5; i++) {
    await meets.receive();
    look(1);
  }
  assert.equal(found.length, 0, 'senders wait, as they do without a buffer, and are served');
  assert.equal(meets.trySend(10), false);
  look(3);
  const evidence = { queued: 0, limit: 0, turned_away: 0, senders_waiting: 4, receivers_waiting: 0 };
  assert.deepEqual(
    found.map(one => [one.code, one.subject, one.evidence]),
    [['queue_saturated', 'meets', evidence]],
  );
  for (let i = 0; i < 4; i++) await meets.receive();
  await Promise.all(sending);
  look(3);
  assert.deepEqual(series(), { queue_saturated: 0 });
  const late = new Channel<number>({ name: 'late' });
  look(1);
  for (let i = 0; i < 3; i++) {
    await assert.rejects(late.send(1, { timeoutMs: 1 }), { code: 'CHANNEL_TIMEOUT' });
    look(1);
  }
  assert.deepEqual([found[1]!.subject, found[1]!.evidence['turned_away']], ['late', 1]);
});

test('a queue between threads that is full while senders wait or are turned away is saturated', async t => {
  const { diagnosis, found, look, series } = setUp();
  t.after(() => diagnosis.stop());
  const queue = new LockFreeQueue<number>({ name: 'jobs', capacity: 2 });
  for (const message of [1, 2]) queue.tryEnqueue(message);
  look(5);
  assert.equal(found.length, 0, 'full, and nobody waits');
  const waiting = queue.enqueue(3);
  look(2);
  assert.equal(found.length, 0, 'not for half a minute yet');
  look(1);
  const evidence = { queued: 2, limit: 2, turned_away: 0, senders_waiting: 1, receivers_waiting: 0 };
  assert.deepEqual(
    found.map(one => [one.code, one.subject, one.evidence]),
    [['queue_saturated', 'jobs', evidence]],
  );
  while (queue.tryDequeue() !== undefined) await delay(1);
  await waiting;
  look(3);
  assert.deepEqual(series(), { queue_saturated: 0 });
  const polled = new LockFreeQueue<number>({ name: 'polled', capacity: 2 });
  look(1);
  for (let i = 0; i < 3; i++) {
    while (polled.tryEnqueue(i));
    while (polled.tryDequeue() !== undefined);
    look(1);
  }
  assert.deepEqual([found[1]!.subject, found[1]!.evidence['turned_away']], ['polled', 1]);
  queue.close();
  polled.close();
});

test('a channel that drops messages at every look for half a minute is a finding, and one that did once is not', async t => {
  const { diagnosis, found, look } = setUp();
  t.after(() => diagnosis.stop());
  const channels = (['drop-newest', 'drop-oldest'] as const).map(
    overflow => new Channel<number>({ name: overflow, capacity: 1, overflow }),
  );
  const once = new Channel<number>({ name: 'once', capacity: 1, overflow: 'drop-newest' });
  look(1);
  for (let i = 0; i < 3; i++) {
    for (const channel of i === 0 ? [...channels, once] : channels) {
      await channel.send(i);
      await channel.send(i);
    }
    look(1);
  }
  assert.deepEqual(
    found.map(one => [one.code, one.severity, one.subject, one.evidence]),
    [
      ['sends_dropped', 'info', 'drop-newest', { dropped: 2, length: 1, capacity: 1 }],
      ['sends_dropped', 'info', 'drop-oldest', { dropped: 2, length: 1, capacity: 1 }],
    ],
  );
});

test('an error of onFinding is a warning, and a meter that is switched off looks at nothing', async () => {
  const failing = setUp({}, () => {
    throw new Error('mine');
  });
  const mutex = new Mutex({ name: 'one', holdWatch: { afterMs: 5, sampleEvery: 1 } });
  const held = await mutex.lock();
  const off = setUp({ OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'findings' });
  while (failing.log.warnings === 0) await delay(5);
  assert.match(failing.lines[1]!, /onFinding failed: mine/);
  assert.deepEqual(off.found, []);
  assert.deepEqual(off.ticks, []);
  held.release();
  failing.diagnosis.stop();
  assert.deepEqual(failing.ticks, []);
});
