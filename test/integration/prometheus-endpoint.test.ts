import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { CollectionResult } from '@opentelemetry/sdk-metrics';
import { parseOpenMetrics } from '../helpers/exposition/openmetrics';
import { parseText } from '../helpers/exposition/text';
import { collected, counter, gauge } from '../helpers/metric-data';
import { request, type TestEndpoint, testEndpoint } from '../helpers/prometheus-endpoint';

const openMetrics = { headers: { accept: 'application/openmetrics-text' } };

let endpoint: TestEndpoint;
afterEach(() => endpoint.close());

/** However it ends: a connection that is refused may be reset. */
const closed = (socket: Socket): Promise<void> =>
  new Promise(resolve => socket.once('close', () => resolve()));

const jobs = (done = 3): CollectionResult => collected([counter('jobs', [[done, { queue: 'mail' }]])]);
/** Some megabytes, more than the system takes from a writer whose reader does not read. */
const many = (series = 20_000, length = 1000): CollectionResult =>
  collected([
    gauge(
      'many',
      Array.from({ length: series }, (_, i) => [i, { i, text: 'x'.repeat(length) }]),
    ),
  ]);
/** A collection that ends when the test says so. */
function held(result: CollectionResult = jobs()) {
  let release = (): void => {};
  let calls = 0;
  const gate = new Promise<void>(resolve => (release = resolve));
  const collect = async (): Promise<CollectionResult> => {
    calls++;
    await gate;
    return result;
  };
  return { collect, release: () => release(), calls: () => calls };
}

test('a scrape gets the text format, its length and a type that says so', async () => {
  endpoint = await testEndpoint(async () => jobs());
  const { status, headers, body } = await endpoint.get();
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  assert.equal(headers['content-length'], String(body.length));
  assert.equal(headers['vary'], 'Accept, Accept-Encoding');
  assert.equal(headers['content-encoding'], undefined);
  const sample = parseText(body).get('jobs_total')!.samples[0]!;
  assert.deepEqual([{ ...sample.labels }, sample.value], [{ queue: 'mail' }, 3]);
  await endpoint.ended(1);
  const [{ ok, bytes, durationSeconds }] = endpoint.scrapes as [(typeof endpoint.scrapes)[0]];
  assert.deepEqual({ ok, bytes }, { ok: true, bytes: body.length });
  assert.ok(durationSeconds > 0 && durationSeconds < 10);
});

test('a scraper that asks for OpenMetrics gets it', async () => {
  endpoint = await testEndpoint(async () => jobs());
  const { headers, body } = await endpoint.get('/metrics', openMetrics);
  assert.equal(headers['content-type'], 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  assert.equal(parseOpenMetrics(body).get('jobs')!.samples[0]!.name, 'jobs_total');
});

test('gzip is given to who asks for it, in either format, and unpacks to the same', async () => {
  endpoint = await testEndpoint(async () => many(2000, 100));
  for (const accept of ['text/plain', 'application/openmetrics-text']) {
    const plain = await endpoint.get('/metrics', { headers: { accept, 'accept-encoding': 'gzip;q=0' } });
    const packed = await endpoint.get('/metrics', { headers: { accept, 'accept-encoding': 'gzip' } });
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.equal(packed.headers['content-encoding'], 'gzip');
    assert.equal(packed.headers['content-length'], String(packed.body.length));
    assert.ok(packed.body.length < plain.body.length / 10);
    assert.deepEqual(gunzipSync(packed.body), plain.body);
  }
  assert.ok(
    endpoint.scrapes.every(({ bytes }) => bytes > 200_000),
    'the size told is the uncompressed one',
  );
});

test('HEAD answers as GET does, without the body', async () => {
  endpoint = await testEndpoint(async () => jobs());
  const get = await endpoint.get();
  const head = await endpoint.get('/metrics', { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(head.body.length, 0);
  assert.equal(head.headers['content-length'], get.headers['content-length']);
  assert.equal(head.headers['content-type'], get.headers['content-type']);
});

test('other methods are refused with those that are allowed, and nothing is collected for them', async () => {
  const { collect, calls } = held();
  endpoint = await testEndpoint(collect);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    const { status, headers } = await endpoint.get('/metrics', { method });
    assert.equal(status, 405, method);
    assert.equal(headers['allow'], 'GET, HEAD');
  }
  assert.equal(calls(), 0);
});

test('other paths are not found, the index says where the metrics are', async () => {
  endpoint = await testEndpoint(async () => jobs());
  const statuses: Record<string, number> = {};
  const paths = [
    '/',
    '/metrics',
    '/metrics?a=b',
    '/metrics/',
    '/metricsx',
    '/favicon.ico',
    '/..%2fmetrics',
    '//metrics',
    '*',
  ];
  for (const path of paths) statuses[path] = (await endpoint.get(path)).status;
  assert.deepEqual(statuses, {
    ...Object.fromEntries(paths.map(path => [path, 404])),
    '/': 200,
    '/metrics': 200,
    '/metrics?a=b': 200,
  });
  assert.match((await endpoint.get('/')).body.toString(), /\/metrics/);
  // As a proxy is asked.
  assert.equal((await endpoint.get(`http://elsewhere:1/metrics`)).status, 200);
});

test('scrapes at the same time share one collection, and what was written of it in their format', async () => {
  const result = collected([gauge('level', [[1]])]);
  let written = 0;
  Object.defineProperty(result.resourceMetrics.scopeMetrics[0]!.metrics[0]!.dataPoints[0], 'value', {
    get: () => ++written,
  });
  const { collect, release, calls } = held(result);
  endpoint = await testEndpoint(collect);
  const scrapes = Array.from({ length: 10 }, (_, i) =>
    endpoint.get('/metrics', i % 2 === 0 ? {} : openMetrics),
  );
  while (calls() === 0) await new Promise(setImmediate);
  // Every one of them has arrived once a request on a connection of its own is answered after them.
  await endpoint.get('/');
  release();
  const answers = await Promise.all(scrapes);
  assert.equal(calls(), 1);
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.deepEqual(
    new Set(answers.map(({ body }) => /^level (.*)/m.exec(body.toString())![1])),
    new Set(['1', '2']),
  );
  assert.equal(written, 2, 'once in each format');
  await endpoint.get();
  assert.equal(calls(), 2, 'a later scrape is given new numbers');
});

test('a collection that fails is answered with 500, and the next one counts again', async () => {
  let fail: (() => CollectionResult) | undefined;
  endpoint = await testEndpoint(async () => fail?.() ?? jobs());
  const failures: Record<string, [() => CollectionResult, RegExp]> = {
    rejects: [
      () => {
        throw new Error('no pool');
      },
      /no pool/,
    ],
    'has errors': [
      () => ({ ...jobs(), errors: [new Error('a callback'), new Error('another')] }),
      /a callback; another/,
    ],
  };
  for (const [how, [broken, message]] of Object.entries(failures)) {
    fail = broken;
    for (const options of [{}, openMetrics, { headers: { 'accept-encoding': 'gzip' } }]) {
      const { status, headers, body } = await endpoint.get('/metrics', options);
      assert.equal(status, 500, how);
      assert.equal(headers['content-encoding'], undefined);
      assert.match(body.toString(), message);
      assert.doesNotMatch(body.toString(), /jobs/);
    }
    fail = undefined;
    assert.equal((await endpoint.get()).status, 200);
  }
  assert.deepEqual(
    endpoint.scrapes.map(({ ok }) => ok),
    [false, false, false, true, false, false, false, true],
  );
  assert.equal(endpoint.logged.filter(line => /warn/.test(line)).length, 2, 'each failure is said once');
});

test('writing that fails in the middle is answered with 500, not with the half that was written', async () => {
  endpoint = await testEndpoint(async () => {
    const result = many(5000, 100);
    const points = result.resourceMetrics.scopeMetrics[0]!.metrics[0]!.dataPoints;
    Object.defineProperty(points[4000], 'value', {
      get: () => {
        throw new Error('this point is broken');
      },
    });
    return result;
  });
  const { status, body } = await endpoint.get();
  assert.equal(status, 500);
  assert.equal(body.toString(), 'metrics could not be collected: this point is broken\n');
});

test('a collection that hangs is answered with 500 in time, and does not hold the next one up', async () => {
  const hanging = held();
  let hangs = true;
  endpoint = await testEndpoint(() => (hangs ? hanging.collect() : Promise.resolve(jobs())), {
    limits: { collectMs: 200 },
  });
  const { status, body } = await endpoint.get();
  assert.equal(status, 500);
  assert.match(body.toString(), /within 200 ms/);
  hangs = false;
  assert.equal((await endpoint.get()).status, 200);
  hanging.release();
});

test('a scraper that goes away while metrics are collected leaves those beside it their answer', async () => {
  const { collect, release, calls } = held();
  endpoint = await testEndpoint(collect);
  const gone = await endpoint.raw('GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n');
  while (calls() === 0) await new Promise(setImmediate);
  const other = endpoint.get();
  gone.destroy();
  await endpoint.get('/');
  release();
  assert.equal((await other).status, 200);
  await endpoint.ended(2);
  assert.deepEqual(endpoint.scrapes.map(({ ok }) => ok).sort(), [false, true]);
  assert.deepEqual(
    endpoint.logged.filter(line => /warn/.test(line)),
    [],
  );
});

test('a scraper that goes away in the middle of its answer is no failure of the others', async () => {
  endpoint = await testEndpoint(async () => many());
  const socket = await endpoint.raw('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(socket, 'data');
  socket.destroy();
  await endpoint.ended(1);
  assert.equal(endpoint.scrapes[0]!.ok, false);
  assert.equal((await endpoint.get()).status, 200);
  assert.deepEqual(
    endpoint.logged.filter(line => /warn/.test(line)),
    [],
  );
});

test('a reader that stops reading is cut off, and holds up nobody meanwhile', async () => {
  endpoint = await testEndpoint(async () => many(), { limits: { stallMs: 400, collectMs: 60_000 } });
  const socket = await endpoint.raw('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
  socket.pause();
  const begin = performance.now();
  const other = await endpoint.get();
  assert.equal(other.status, 200);
  assert.ok(performance.now() - begin < 5000);
  await endpoint.ended(2);
  assert.deepEqual(
    endpoint.scrapes.map(({ ok }) => ok),
    [true, false],
  );
  socket.destroy();
});

test('who asks on and on and reads no answer is cut off', async () => {
  endpoint = await testEndpoint(async () => many(), { limits: { stallMs: 400, collectMs: 60_000 } });
  const socket = await endpoint.raw('');
  socket.pause();
  const closed = new Promise(resolve => socket.once('close', resolve));
  const asked = Buffer.from('GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1000));
  // Until neither side's buffers take more.
  while (socket.write(asked)) await new Promise(setImmediate);
  const writing = setInterval(() => socket.write(asked), 50);
  await closed.finally(() => clearInterval(writing));
});

test('scrapes beyond the limit are told to come later', async () => {
  const { collect, release, calls } = held();
  endpoint = await testEndpoint(collect, { limits: { scrapes: 3 } });
  const scrapes = [endpoint.get(), endpoint.get(), endpoint.get()];
  while (calls() === 0) await new Promise(setImmediate);
  await endpoint.get('/');
  const refused = await endpoint.get();
  assert.equal(refused.status, 503);
  assert.equal(refused.headers['retry-after'], '1');
  release();
  assert.deepEqual(
    (await Promise.all(scrapes)).map(({ status }) => status),
    [200, 200, 200],
  );
  assert.equal((await endpoint.get()).status, 200);
});

test('connections that rest make room for a scraper', async () => {
  endpoint = await testEndpoint(async () => jobs(), { limits: { connections: 8 } });
  const agents = Array.from({ length: 30 }, () => new http.Agent({ keepAlive: true }));
  for (const agent of agents) assert.equal((await endpoint.get('/metrics', { agent })).status, 200);
  for (const agent of agents) agent.destroy();
});

test('a connection rests between scrapes and serves the next', async () => {
  endpoint = await testEndpoint(async () => jobs());
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const reused: boolean[] = [];
  for (let i = 0; i < 3; i++) reused.push((await endpoint.get('/metrics', { agent })).reused);
  assert.deepEqual(reused, [false, true, true]);
  agent.destroy();
});

test('a request that never ends is cut off', async () => {
  endpoint = await testEndpoint(async () => jobs(), { limits: { requestMs: 200 } });
  const socket = await endpoint.raw('GET /metrics HTTP/1.1\r\nX-Slow: ');
  socket.resume();
  await closed(socket);
});

test('what is no HTTP is refused and does no harm', async () => {
  endpoint = await testEndpoint(async () => jobs());
  for (const bytes of [
    '\x16\x03\x01\x02\x00',
    'GET\r\n\r\n',
    `GET /${'x'.repeat(100_000)} HTTP/1.1\r\n\r\n`,
  ]) {
    const socket = await endpoint.raw(bytes);
    socket.resume();
    await closed(socket);
  }
  assert.equal((await endpoint.get()).status, 200);
});

test('a busy port is an error that says so', async () => {
  const blocker = createServer().listen(0, '127.0.0.1');
  await once(blocker, 'listening');
  const { port } = blocker.address() as { port: number };
  endpoint = await testEndpoint(async () => jobs());
  await assert.rejects(
    testEndpoint(async () => jobs(), { port }),
    { code: 'EADDRINUSE' },
  );
  blocker.close();
});

const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some(own => own?.address === '::1');
for (const host of ['::1', '[::1]']) {
  test(`an IPv6 host, ${host}, is listened on and shown in brackets`, async t => {
    if (!hasIpv6) return t.skip('this machine has no ::1');
    endpoint = await testEndpoint(async () => jobs(), { host });
    assert.equal(endpoint.url, `http://[::1]:${endpoint.port}/metrics`);
    const { hostname, port, pathname } = new URL(endpoint.url);
    assert.equal(
      (await request({ host: hostname.slice(1, -1), port, path: pathname, agent: false })).status,
      200,
    );
  });
}

test('closing lets a scrape under way end, and takes no more', async () => {
  const { collect, release, calls } = held(many(2000));
  endpoint = await testEndpoint(collect, { limits: { closeMs: 10_000 } });
  const scrape = endpoint.get();
  while (calls() === 0) await new Promise(setImmediate);
  const closing = endpoint.close();
  assert.equal(endpoint.close(), closing);
  await assert.rejects(endpoint.get(), { code: 'ECONNREFUSED' });
  release();
  const { status, body } = await scrape;
  assert.equal(status, 200);
  assert.equal(parseText(body).get('many')!.samples.length, 2000);
  await closing;
});

test('closing waits for no scrape longer than it may', async () => {
  const { collect, release, calls } = held();
  endpoint = await testEndpoint(collect, { limits: { closeMs: 50 } });
  const scrape = assert.rejects(endpoint.get(), { code: 'ECONNRESET' });
  while (calls() === 0) await new Promise(setImmediate);
  await endpoint.close();
  await scrape;
  release();
});
