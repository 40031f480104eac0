// Exercise 3 of the handbook: a cache of three tiers, memory, Redis and a Redis Cluster, with its ways to write, warm-up,
// invalidation, guards against penetration, breakdown and avalanche, and figures. `node docs/examples/cache-system.cjs`
// starts its own redis-server twice, one of them as a cluster of one node, runs and prints. docs/toolkit/cache.md
// explains it.
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { mkdtempSync, rmSync } = require('node:fs');
const { createServer } = require('node:net');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const { createClient, createCluster } = require('redis');
const { TieredCache } = require('otel-vitals/toolkit/cache');

const products = 500;
const queryMs = 5;
let queries = 0;
let writes = 0;
/** Stands for a database: each query takes some milliseconds. */
const database = {
  rows: new Map(Array.from({ length: products }, (_, i) => [`product:${i}`, { id: i, price: 100 }])),
  async load(key) {
    queries++;
    await sleep(queryMs);
    return database.rows.get(key);
  },
  async write(key, row) {
    writes++;
    await sleep(queryMs);
    database.rows.set(key, row);
  },
};
const countQueries = async work => {
  const before = queries;
  await work();
  return queries - before;
};

async function main() {
  const two = await startRedis();
  const three = await startRedis(['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())]);
  const connected = async client => {
    client.on('error', () => {});
    await client.connect();
    return client;
  };
  const node = await connected(createClient({ url: three.url }));
  await node.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', '0', '16383']);
  while (!String(await node.sendCommand(['CLUSTER', 'INFO'])).includes('cluster_state:ok')) await sleep(20);
  const redis = await connected(createClient({ url: two.url, disableOfflineQueue: true }));
  const cluster = await connected(createCluster({ rootNodes: [{ url: three.url }] }));
  const listener = await connected(node.duplicate());
  const caches = [];
  const make = (options = {}) => {
    const cache = new TieredCache({
      name: 'products',
      l1: { maxEntries: 1000, ttlMs: 60_000 },
      l2: { client: redis, ttlMs: 300_000, timeoutMs: 200 },
      l3: { client: cluster, ttlMs: 3_600_000, timeoutMs: 200 },
      source: database,
      invalidation: { subscriber: listener },
      ...options,
    });
    caches.push(cache);
    return cache;
  };
  const figures = {};

  // Warm-up, and where a read is answered from.
  const cache = make();
  const warm = await cache.warmUp(database.rows.keys(), { concurrency: 50 });
  figures['warm-up: loaded, present, absent, failed'] = `${warm.loaded}, ${warm.present}, ${warm.absent}, ${warm.failed}`;
  await sleep(50);
  const keys = [...database.rows.keys()];
  figures['read from memory (median)'] = await timeOf(keys, key => cache.get(key));
  const beside = make({ l1: { maxEntries: 1000 } });
  figures['read from Redis (median)'] = await timeOf(keys, key => beside.get(key));
  await redis.flushAll();
  const behind = make();
  figures['read from the cluster (median)'] = await timeOf(keys, key => behind.get(key));
  figures['read from the source (median)'] = await timeOf(keys.slice(0, 50), key => database.load(key));

  // Breakdown: a hot key is absent, and a thousand ask at once.
  await cache.invalidate('product:1');
  const breakdown = await countQueries(() => Promise.all(Array.from({ length: 1000 }, () => cache.get('product:1'))));
  figures['breakdown: 1000 callers, queries'] = breakdown;

  // Penetration: keys that do not exist.
  const asked = Array.from({ length: 1000 }, (_, i) => `product:x${i % 100}`);
  const readAll = async cache => {
    for (const key of asked) await cache.get(key);
  };
  const bare = make({ name: 'bare' });
  figures['penetration: 1000 reads of 100 absent keys, queries'] = await countQueries(() => readAll(bare));
  const remembers = make({ name: 'remembers', negativeTtlMs: 10_000 });
  figures['the same, remembered to be absent'] = await countQueries(() => readAll(remembers));
  const filters = make({ name: 'filters', filter: { keys: () => database.rows.keys(), expectedKeys: products } });
  await sleep(50);
  figures['the same, behind a filter'] = await countQueries(() => readAll(filters));

  // Avalanche: what was stored together does not expire together, and is served while it is loaded again.
  const stale = make({ name: 'stale', l1: { ttlMs: 300 }, l2: undefined, l3: undefined, invalidation: undefined, jitter: 0.5, staleMs: 5000 });
  await stale.warmUp(keys, { concurrency: 50 });
  await sleep(300);
  figures['avalanche: read of what has expired (slowest)'] = await timeOf(keys, key => stale.get(key), 1);

  // Invalidation across processes, here across caches.
  await Promise.all([cache.get('product:2'), beside.get('product:2')]);
  const begin = performance.now();
  await cache.set('product:2', { id: 2, price: 90 });
  while ((await beside.get('product:2')).price !== 90) await sleep(0);
  figures['a price set in one cache is seen in another after'] = `${(performance.now() - begin).toFixed(0)} ms`;

  // Ways to write: 1000 sets of ten keys.
  for (const writeMode of ['through', 'around', 'back']) {
    const writer = make({ name: writeMode, writeMode });
    const [start, from] = [performance.now(), writes];
    for (let i = 0; i < 1000; i += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, j) => writer.set(`w${j % 10}`, { id: j, price: i })));
    }
    const took = performance.now() - start;
    const { unwritten } = await writer.close();
    figures[`write-${writeMode}: time of 1000 sets, writes to the source, lost`] =
      `${took.toFixed(0)} ms, ${writes - from}, ${unwritten.length}`;
  }

  // Hit ratios: a small memory, a Redis that begins empty, and keys of which some are read far more than others.
  await redis.flushAll();
  const small = make({ l1: { maxEntries: 50, policy: 'lfu' } });
  for (let i = 0; i < 5000; i++) await small.get(keys[Math.floor(Math.random() ** 3 * products)]);
  const { hitRatio, l1, l2, l3 } = small.stats();
  const ratios = [hitRatio, l1.hitRatio, l2.hitRatio, l3.hitRatio].map(ratio => `${(ratio * 100).toFixed(0)} %`);
  figures['hit ratios: all, memory of 50 entries, Redis, cluster'] = ratios.join(', ');

  // Redis is gone.
  await two.stop();
  const without = make();
  let failed = 0;
  figures['read without Redis (median)'] = await timeOf(keys, key => without.get(key).catch(() => failed++));
  figures['reads that failed without Redis'] = failed;

  await Promise.all(caches.map(one => one.close()));
  for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(62)}${value}`);
  for (const client of [redis, node, listener, cluster]) if (client.isOpen) client.destroy();
  await three.stop();
}

/** Times calls one after another: the median, or another quantile. */
async function timeOf(keys, call, quantile = 0.5) {
  const times = [];
  for (const key of keys) {
    const begin = performance.now();
    await call(key);
    times.push(performance.now() - begin);
  }
  times.sort((a, b) => a - b);
  return `${(times[Math.min(times.length - 1, Math.floor(times.length * quantile))] * 1000).toFixed(0)} us`;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

/** A redis-server that keeps nothing and ends with this process. */
async function startRedis(args = []) {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'cache-system-'));
  const settings = ['--port', port, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
  const server = spawn('redis-server', [...settings.map(String), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const end = () => server.kill('SIGKILL');
  process.once('exit', end);
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.stdout.on('data', text => /ready to accept/i.test(text) && resolve());
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      process.off('exit', end);
      const ended = once(server, 'exit');
      end();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

main();
