import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type FaultName, faultNames, faultTable } from '../../mall/faults/table';
import { type FaultShop, startFaultShop } from '../helpers/fault-shop';
import { call } from '../helpers/mall';
import type { Samples } from '../helpers/samples';

/**
 * Faults whose findings need half a minute go on side by side, in one shop with customers in it, so that all of them
 * need hardly longer than one. Each test is of one fault: its own metric moves, its own subject is found, and it heals.
 */
const sideBySide: readonly {
  readonly name: FaultName;
  readonly parameters?: Readonly<Record<string, number>>;
  /** The metric that the table names, of what the fault concerns. */
  readonly read: (samples: Samples) => number | undefined;
  /** What it is while the fault is on, given what it was before. */
  readonly moved: (value: number, before: number) => boolean;
  /** The subject of the finding. */
  readonly about: RegExp;
  /** Of the finding's evidence. */
  readonly evidence?: readonly [string, RegExp];
}[] = [
  {
    name: 'channel-backlog',
    read: samples => samples.value('vitals_channel_length', { channel_name: 'order-events' }),
    moved: value => value > 900,
    about: /^order-events$/,
  },
  {
    name: 'lock-convoy',
    read: samples => samples.value('vitals_lock_waiters', { lock_name: 'stock' }),
    moved: value => value >= 10,
    about: /^stock$/,
  },
  {
    name: 'worker-pool-saturation',
    read: samples =>
      samples.value('vitals_worker_pool_rejected_total', { worker_pool_name: 'recommendations' }),
    moved: (value, before) => value > before + 50,
    about: /^recommendations$/,
  },
  {
    name: 'cache-stampede',
    read: samples => samples.value('vitals_cache_stampede_suppressed_total', { cache_name: 'products' }),
    moved: (value, before) => value > before + 500,
    about: /^products$/,
  },
  {
    name: 'file-descriptor-leak',
    parameters: { perSecond: 400, most: 830 },
    read: samples => samples.value('process_unix_file_descriptor_count'),
    moved: value => value > 830,
    about: /^the process$/,
  },
  {
    name: 'slow-query',
    read: samples => samples.value('vitals_db_slow_queries_total', { db_system_name: 'postgresql' }),
    moved: (value, before) => value >= before + 3,
    about: /^shop$/,
    evidence: ['query', /./],
  },
  {
    name: 'n-plus-one',
    read: samples => samples.count('db_client_operation_duration_seconds', { db_operation_name: 'SELECT' }),
    moved: (value, before) => value > before + 100,
    about: /one by one/,
  },
  {
    name: 'redis-down',
    read: samples =>
      samples.value('vitals_cache_tier_available', { cache_name: 'products', cache_tier: 'l2' }),
    moved: value => value === 0,
    about: /^products l2$/,
  },
  {
    name: 'connection-leak',
    parameters: { everyMs: 3500, most: 6 },
    read: samples => samples.value('vitals_db_connection_leaks_total'),
    moved: (value, before) => value > before,
    about: /^shop$/,
    evidence: ['stack', /beginAndForget/],
  },
  {
    name: 'pool-exhaustion',
    read: samples => samples.value('db_client_connection_pending_requests'),
    moved: value => value >= 10,
    about: /^shop$/,
  },
];

let shop: FaultShop;
const earlier = new Map<FaultName, number>();

before(async () => {
  shop = await startFaultShop({
    // Longer than the shop lets a write take: those that wait for the table of events are no leak.
    env: { DATABASE_LEAK_AFTER_MS: '13000', VITALS_GC_INTERVAL_MS: '3000' },
    // Four fifths of the limit are to be had; it is inherited.
    beforeShop() {
      const limit = spawnSync('prlimit', ['--pid', `${process.pid}`, '--nofile=1024:1024']);
      assert.equal(limit.status, 0, String(limit.error ?? limit.stderr));
    },
  });
  // Somebody has ordered: an order event is told again and again.
  while ((await shop.servers.sql('SELECT FROM order_events LIMIT 1')).length === 0) await wait(100);
  const samples = await shop.samples();
  for (const { name, read } of sideBySide) earlier.set(name, read(samples) ?? 0);
  for (const { name, parameters } of sideBySide) await shop.start(name, parameters);
});
after(async () => {
  await shop?.close();
});

for (const { name, read, moved, about, evidence } of sideBySide) {
  const { finding, metric } = faultTable[name].shows;
  test(`${name}: ${metric} shows it`, async () => {
    await shop.metric(read, value => moved(value, earlier.get(name)!), 60_000);
  });

  test(`${name}: the process finds ${finding}`, async () => {
    const found = await shop.finding(name, about);
    if (evidence !== undefined) assert.match(String(found.evidence[evidence[0]]), evidence[1]);
  });
}

test('through all of it the shop is alive, and shows products or says that it is busy', async () => {
  assert.equal((await call(shop.url, 'GET', '/health/live')).status, 200);
  const { status, body } = await call(shop.url, 'GET', '/products/1');
  assert.ok(status === 200 || (status === 503 && body.error.code === 'unavailable'), JSON.stringify(body));
});

test('each of them is on and says until when, and another of the same is refused', async () => {
  const { body } = await call(shop.url, 'GET', '/faults');
  const on = body.faults.filter((one: { active: boolean }) => one.active);
  assert.deepEqual(
    on.map((one: { name: string }) => one.name).sort(),
    sideBySide.map(one => one.name).sort(),
  );
  for (const { since, until } of on) assert.equal(until - since, 240_000);
  const again = await call(shop.url, 'POST', '/faults/lock-convoy');
  assert.deepEqual([again.status, again.body.error.code], [409, 'fault_active']);
});

test('healed, Redis is used again, connections, files and locks are given back, and the channel is empty', async () => {
  for (const { name } of sideBySide) await shop.heal(name);
  const is = (name: FaultName, wanted: (value: number) => boolean) =>
    shop.metric(sideBySide.find(one => one.name === name)!.read, wanted, 30_000);
  await is('file-descriptor-leak', value => value < 400);
  await is('lock-convoy', value => value < 10);
  await is('channel-backlog', value => value < 50);
  await is('pool-exhaustion', value => value < 10);
  await is('redis-down', value => value === 1);
  await shop.metric(
    samples => samples.value('db_client_connection_count', { db_client_connection_state: 'used' }),
    value => value <= 3,
  );
});

test('gc-pressure: v8js.gc.duration shows it', async () => {
  const seconds = (samples: Samples) =>
    samples.value('v8js_gc_duration_seconds_sum', { v8js_gc_type: 'minor' }) ?? 0;
  const before = seconds(await shop.samples());
  // It goes on during the next tests.
  await shop.start('gc-pressure');
  await shop.metric(seconds, value => value > before + 0.5, 60_000);
});

test('error-burst: requests fail with 500, but for those about faults and health', async () => {
  const failed = (samples: Samples): number =>
    samples.count('http_server_request_duration_seconds', {
      error_type: /./,
      http_response_status_code: '500',
    });
  const earlier = failed(await shop.samples());
  await shop.start('error-burst', { percent: 100 });
  await shop.metric(failed, value => value > earlier + 10);
  for (const path of ['/faults', '/health/live'])
    assert.equal((await call(shop.url, 'GET', path)).status, 200);
  assert.equal((await call(shop.url, 'GET', '/products/1')).status, 500);
  await shop.heal('error-burst');
  assert.equal((await call(shop.url, 'GET', '/products/1')).status, 200);
});

test('slow-payment: calls of the gateway take long, and no longer once it is healed', async () => {
  const slow = (samples: Samples): number =>
    samples.count('http_client_request_duration_seconds', { http_request_method: 'POST' }) -
    (samples.value('http_client_request_duration_seconds_bucket', { http_request_method: 'POST', le: '1' }) ??
      0);
  const earlier = slow(await shop.samples());
  await shop.start('slow-payment', { latencyMs: 1200 });
  await shop.metric(slow, value => value >= earlier + 2, 30_000);
  await shop.heal('slow-payment');
});

test('cache-penetration and cache-avalanche: the cache loads again and again what nobody has or has just been lost', async () => {
  // The finding cache_low_hit_ratio needs three minutes of it: test/unit/diagnosis/toolkit.test.ts has it.
  const absent = (samples: Samples) =>
    samples.value('vitals_cache_loads_total', { cache_name: 'products', cache_load_result: 'absent' });
  const misses = (samples: Samples) =>
    samples.value('vitals_cache_operations_total', {
      cache_name: 'products',
      cache_tier: 'l1',
      cache_operation: 'get',
      cache_result: 'miss',
    });
  const earlier = await shop.samples();
  await shop.start('cache-penetration');
  await shop.metric(absent, value => value > (absent(earlier) ?? 0) + 300);
  await shop.heal('cache-penetration');
  const between = await shop.samples();
  await shop.start('cache-avalanche');
  await shop.metric(misses, value => value > (misses(between) ?? 0) + 300);
  await shop.heal('cache-avalanche');
});

test('gc-pressure: the process finds gc_young_generation', async () => {
  await shop.finding('gc-pressure', /young generation/);
  await shop.heal('gc-pressure');
});

test('event-loop-block and cpu-burn: blocks are counted, and each is found by the name of its function', async () => {
  const stalls = (samples: Samples): number => samples.count('vitals_eventloop_stall_duration_seconds');
  const utilization = (samples: Samples) => samples.value('nodejs_eventloop_utilization_ratio');
  const earlier = stalls(await shop.samples());
  // Long ones: on a busy machine a block is mostly waiting for a CPU, and what did not run is not found to block.
  await shop.start('event-loop-block', { blockMs: 1500, everyMs: 3000 });
  await shop.metric(stalls, value => value >= earlier + 2);
  await shop.finding('event-loop-block', /^blockEventLoop /);
  await shop.heal('event-loop-block');
  await shop.start('cpu-burn', { sliceMs: 1000 });
  await shop.metric(utilization, value => value > 0.7);
  await shop.finding('cpu-burn', /^burnCpu /);
  await shop.heal('cpu-burn');
});

test('a fault heals by itself after its time', async () => {
  await shop.start('error-burst', { percent: 100, seconds: 1 });
  const end = Date.now() + 20_000;
  const isOn = async (): Promise<boolean> =>
    (await call(shop.url, 'GET', '/faults')).body.faults.find(
      (one: { name: string }) => one.name === 'error-burst',
    ).active;
  assert.equal(await isOn(), true);
  while (await isOn()) assert.ok(Date.now() < end, 'it is still on');
  assert.equal((await call(shop.url, 'GET', '/products/1')).status, 200);
});

test('what makes no sense is refused: unknown faults, parameters beyond their bounds or of another fault', async () => {
  const unknown = await call(shop.url, 'POST', '/faults/earthquake');
  assert.deepEqual([unknown.status, unknown.body.error.code], [404, 'fault_not_found']);
  assert.deepEqual(unknown.body.error.details.faults, faultNames);
  for (const body of [
    { seconds: 0 },
    { seconds: 3601 },
    { blockMs: 60_000 },
    { callers: 3 },
    { blockMs: 1.5 },
  ]) {
    const { status, body: answer } = await call(shop.url, 'POST', '/faults/event-loop-block', body);
    assert.deepEqual([status, answer.error.code], [400, 'invalid_request'], JSON.stringify(body));
  }
});
