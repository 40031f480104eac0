import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type CacheStats, TieredCache } from '../../toolkit/cache';
import { repository } from '../helpers/app';
import { Caches, connect, endClient } from '../helpers/caches';
import { type RedisServer, startRedis } from '../helpers/redis';
import { connectCluster, startRedisCluster } from '../helpers/redis-cluster';
import { until } from '../helpers/until';

let redis: RedisServer;
const caches = new Caches();
before(async () => {
  redis = await startRedis();
});
after(async () => {
  await caches.close();
  await redis?.close();
});

const processes = 4;
const gets = 1000;

async function stampede(
  loadLock: boolean,
): Promise<{ loads: number; values: string[]; stats: CacheStats }[]> {
  const admin = await connect(redis.url);
  await admin.sendCommand(['FLUSHALL']);
  endClient(admin);
  const script = join(repository, 'test/fixtures/apps/use-toolkit/stampede.js');
  const env = { ...process.env, REDIS_URL: redis.url, LOAD_LOCK: String(loadLock), GETS: String(gets) };
  const children = Array.from({ length: processes }, () => fork(script, { env }));
  try {
    await Promise.all(children.map(child => once(child, 'message')));
    const told = children.map(child => once(child, 'message'));
    for (const child of children) child.send('go');
    return (await Promise.all(told)).map(([one]) => one as never);
  } finally {
    await Promise.all(
      children.map(async child => {
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      }),
    );
  }
}

test('of a thousand calls in each of four processes for one cold key, at most one per process loads', async () => {
  const told = await stampede(false);
  for (const { loads, values, stats } of told) {
    assert.ok(loads <= 1, `${loads} loads`);
    assert.deepEqual(values, ['value']);
    assert.equal(stats.stampedeSuppressed, gets - 1);
    assert.equal(stats.l2!.sets, loads);
  }
});

test('under the lock that processes share, one in all loads', async () => {
  const told = await stampede(true);
  assert.equal(
    told.reduce((sum, { loads }) => sum + loads, 0),
    1,
  );
  for (const { values, stats } of told) {
    assert.deepEqual(values, ['value']);
    assert.deepEqual([stats.lock?.timeouts, stats.lock?.errors], [0, 0]);
  }
});

test('the lock of a process that died is no reason to wait longer than its lease', async () => {
  const client = await connect(redis.url);
  const cache = caches.make<string>({
    name: 'dead',
    l2: { client, timeoutMs: 5000 },
    loadLock: { waitMs: 60_000, pollMs: 5 },
  });
  await client.sendCommand(['SET', 'dead:\0lock:k', 'of a dead process', 'PX', '150']);
  assert.equal(await cache.getOrLoad('k', () => 'loaded'), 'loaded');
  const { waited, acquired, timeouts } = cache.stats().lock!;
  assert.deepEqual([waited, acquired, timeouts], [1, 1, 0]);
  await cache.close();
  endClient(client);
});

test('whoever waits for the lock longer than is allowed loads', async () => {
  const client = await connect(redis.url);
  const cache = caches.make<string>({
    name: 'held',
    l2: { client, timeoutMs: 5000 },
    loadLock: { waitMs: 50, pollMs: 5 },
  });
  await client.sendCommand(['SET', 'held:\0lock:k', 'of a slow process', 'PX', '600000']);
  assert.equal(await cache.getOrLoad('k', () => 'loaded'), 'loaded');
  assert.equal(cache.stats().lock!.timeouts, 1);
  await cache.close();
  endClient(client);
});

test('a cluster whose node is killed, and another cut off and healed, slows calls down and has none fail or be wrong', async t => {
  const servers = await startRedisCluster();
  t.after(() => servers.close());
  const clusters = await Promise.all([connectCluster(servers), connectCluster(servers)]);
  t.after(() => {
    for (const cluster of clusters) cluster.destroy();
  });
  const source = new Map<string, number>();
  const [writer, reader] = clusters.map(
    client =>
      new TieredCache<number>({
        name: 'failover',
        l1: { ttlMs: 30 },
        l3: { client, ttlMs: 500, timeoutMs: 100, breaker: { openMs: 20, maxOpenMs: 100 } },
        source: { load: key => source.get(key), write: (key, value) => void source.set(key, value) },
      }),
  ) as [TieredCache<number>, TieredCache<number>];
  t.after(() => Promise.all([writer.close(), reader.close()]));
  // Enough to be in the slots of every node.
  const keys = Array.from({ length: 30 }, (_, i) => `key ${i}`);
  const overtaken = new Map<string, number>();
  let oldest = 0;
  let round = 0;
  const oneRound = async (): Promise<void> => {
    round++;
    await Promise.all(
      keys.map(async key => {
        await writer.set(key, round);
        assert.equal(await writer.get(key), round);
        const startedAt = performance.now();
        const value = await reader.get(key);
        assert.ok(value !== undefined && value <= round);
        if (value < round)
          oldest = Math.max(oldest, startedAt - (overtaken.get(`${key} ${value}`) ?? startedAt));
        overtaken.set(`${key} ${round - 1}`, performance.now());
      }),
    );
  };
  const rounds = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
    do await oneRound();
    while (!(await holds()));
  };
  const hits = () => reader.stats().l3!.hits;

  await rounds(() => hits() > 0);
  assert.equal(reader.stats().l3!.errors.get, 0);

  process.kill(servers.masters[0]!.pid, 'SIGKILL');
  await rounds(() => writer.stats().l3!.errors.set > 0);
  // The replica takes over, and what was missed is made up for.
  const admin = await connect(servers.replica.url);
  t.after(() => endClient(admin));
  await rounds(async () => String(await admin.sendCommand(['INFO', 'replication'])).includes('role:master'));
  await rounds(() => writer.stats().invalidations.repairs === 0);

  process.kill(servers.masters[1]!.pid, 'SIGSTOP');
  try {
    const before = writer.stats().l3!.errors.set;
    await rounds(() => writer.stats().l3!.errors.set > before);
    for (let i = 0; i < 5; i++) await oneRound();
  } finally {
    process.kill(servers.masters[1]!.pid, 'SIGCONT');
  }
  await until(() => writer.stats().invalidations.repairs === 0);
  await wait(600);
  const before = hits();
  await rounds(() => hits() > before);
  for (const key of keys) await until(async () => (await reader.get(key)) === round);
  // Both times to live, and what a busy machine adds.
  assert.ok(oldest < 530 + 500, `a value was ${oldest} ms too old`);
});
