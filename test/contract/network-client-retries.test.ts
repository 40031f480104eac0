import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, afterEach, describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type HttpClient,
  HttpClientClosedError,
  type HttpClientOptions,
  HttpConnectionError,
  HttpTimeoutError,
} from '../../toolkit/network/client';
import { type FaultyProxy, startFaultyProxy } from '../helpers/faulty-proxy';
import {
  assertAtRest,
  assertClientLaws,
  clientOf,
  failure,
  type Handler,
  startServer,
  subjects,
  type TestServer,
  until,
  useUndici,
} from '../helpers/http-clients';

const quick = { baseDelayMs: 1, maxDelayMs: 2 };
const plenty = { ...quick, budget: { burst: 1000 } };

for (const { undici, protocol } of subjects) {
  describe(`retries of HttpClient over undici ${undici}, ${protocol}`, () => {
    const ends: (() => Promise<unknown>)[] = [];
    const clients: HttpClient[] = [];
    const start = async (handler: Handler): Promise<TestServer> => {
      const server = await startServer(handler, protocol);
      ends.push(() => server.close());
      return server;
    };
    const proxied = async (server: TestServer): Promise<FaultyProxy & { readonly url: string }> => {
      const proxy = await startFaultyProxy(server.port);
      ends.push(() => proxy.close());
      return { ...proxy, url: server.url.replace(String(server.port), String(proxy.port)) };
    };
    const make = (server: TestServer, options: Partial<HttpClientOptions>): HttpClient => {
      useUndici(undici);
      const client = clientOf(server, options);
      clients.push(client);
      return client;
    };
    /** Answers the statuses in turn, then 200. */
    const statuses =
      (codes: number[], headers: Record<string, string> = {}): Handler =>
      (request, response) => {
        request.resume();
        const status = codes.shift() ?? 200;
        response.writeHead(status, status === 200 ? {} : headers).end(String(status));
      };
    afterEach(async () => {
      for (const client of clients.splice(0)) {
        await client.destroy();
        assertAtRest(client.stats());
      }
      for (const end of ends.splice(0).reverse()) await end();
    });
    after(() => useUndici('7'));

    test('what may be repeated is, after the statuses that say so, and no more often than allowed', async () => {
      const server = await start(() => {});
      const client = make(server, { retry: plenty });
      const attempts = async (codes: number[], options = {}): Promise<unknown> => {
        server.handler = statuses(codes);
        const { status, attempts } = await client.request('/', options);
        return [status, attempts];
      };
      assert.deepEqual(await attempts([503, 429]), [200, 3]);
      assert.deepEqual(await attempts([408, 502, 504]), [504, 3]);
      assert.deepEqual(await attempts([500]), [500, 1]);
      assert.deepEqual(await attempts([503], { method: 'PUT', body: 'x' }), [200, 2]);
      assert.deepEqual(await attempts([503], { method: 'POST', body: 'x' }), [503, 1]);
      assert.deepEqual(await attempts([503], { method: 'POST', body: 'x', idempotent: true }), [200, 2]);
      assert.deepEqual(await attempts([503], { idempotent: false }), [503, 1]);
      assert.deepEqual(await attempts([503], { method: 'PUT', body: Readable.from(['x']) }), [503, 1]);
      server.handler = statuses([503]);
      const stream = await client.stream('/');
      assert.deepEqual([stream.status, stream.attempts], [200, 2]);
      stream.body.resume();
      await until(() => client.stats().inFlight === 0);
      const { exchanges, retries, calls } = client.stats();
      assert.deepEqual({ exchanges, retries, calls }, { exchanges: 9, retries: 7, calls: 9 });
    });

    test('Retry-After is waited for, and given to the caller where it asks for too much', async () => {
      const server = await start(() => {});
      const client = make(server, { retry: { ...plenty, maxRetryAfterMs: 5000 } });
      server.handler = statuses([503], { 'retry-after': '1' });
      const began = performance.now();
      assert.equal((await client.get('/')).status, 200);
      assert.ok(performance.now() - began >= 990);
      server.handler = statuses([503], { 'retry-after': '6' });
      assert.deepEqual([(await client.get('/')).status, client.stats().retries], [503, 1]);
      server.handler = statuses([429], { 'retry-after': '2' });
      const short = await client.get('/', { timeouts: { totalMs: 1500 } });
      assert.deepEqual([short.status, client.stats().retries], [429, 1], 'no wait that time does not allow');
    });

    test('connections that are refused, cut or never answered fail as such, and are repeated', async () => {
      const server = await start(statuses([]));
      const proxy = await proxied(server);
      const client = make(server, { baseUrl: proxy.url, retry: plenty });
      assert.equal((await client.get('/')).status, 200);
      proxy.set('reset');
      const error = await failure(client.get('/path?token=secret'), HttpConnectionError);
      assert.equal(error.attempts, 3);
      assert.match(error.reason, /^(ECONNRESET|UND_ERR_SOCKET|UND_ERR_INFO|ERR_HTTP2_\w+)$/);
      assert.equal(error.origin, proxy.url);
      assert.doesNotMatch(error.message, /secret|path/);
      assert.equal((await failure(client.post('/', 'x'), HttpConnectionError)).attempts, 1);
      proxy.set('hang');
      const late = await failure(client.get('/', { timeouts: { totalMs: 100 } }), HttpTimeoutError);
      assert.equal(late.kind, 'total');
      proxy.set('none');
      assert.equal((await client.get('/')).status, 200);
      server.handler = (_, response) => {
        response.writeHead(200);
        response.write('half');
        setTimeout(() => {
          server.handler = statuses([]);
          for (const socket of server.sockets) socket.destroy();
        }, 20);
      };
      const repeated = await client.get('/half');
      assert.equal(repeated.text(), '200');
      await proxy.close();
      ends.splice(ends.length - 1, 1);
      const refused = await failure(client.get('/'), HttpConnectionError);
      assert.match(refused.reason, /ECONNREFUSED|UND_ERR_SOCKET|ECONNRESET/);
      assert.ok(client.stats().connections.failed > 0);
    });

    // Without TLS a server that listens has a connection at once.
    if (protocol === 'HTTP/2') {
      test('connecting that takes too long is a timeout of its own', async () => {
        const server = await start(() => {});
        const proxy = await proxied(server);
        proxy.set('hang');
        const client = make(server, { baseUrl: proxy.url, retry: false, timeouts: { connectMs: 100 } });
        const { kind, timeoutMs, attempts } = await failure(client.get('/'), HttpTimeoutError);
        assert.deepEqual({ kind, timeoutMs, attempts }, { kind: 'connect', timeoutMs: 100, attempts: 1 });
      });
    }

    test('the budget bounds the retries of all calls together, for each origin', async () => {
      const server = await start(statuses([]));
      server.handler = (_, response) => response.writeHead(503).end();
      const healthy = await start((_, response) => response.end('fine'));
      const budget = { ratio: 0.2, minPerSecond: 0, burst: 4 };
      const client = make(server, { retry: { ...quick, budget } });
      for (let i = 0; i < 20; i++) await client.get('/');
      const { retries, retriesRefused, attempts, origins } = client.stats();
      // 4 saved, and a fifth of 20, less what came while the bucket was full.
      assert.equal(retries, 7);
      assert.equal(attempts, 27);
      assert.ok(retriesRefused >= 12 && retriesRefused <= 20);
      assert.equal(origins[0]!.retriesRefused, retriesRefused);
      assert.ok(origins[0]!.retryTokens < 1);
      await client.get(healthy.url);
      assert.equal(client.stats().origins[1]!.retryTokens, 4);
    });

    test('a call that waits for its retry ends by signal, time and closing', async () => {
      const server = await start((_, response) => response.writeHead(503, { 'retry-after': '5' }).end());
      const client = make(server, { retry: plenty });
      const controller = new AbortController();
      const aborted = assert.rejects(client.get('/', { signal: controller.signal }), {
        code: 'HTTP_ABORTED',
      });
      await until(() => client.stats().answered === 1);
      controller.abort();
      await aborted;
      const closed = failure(client.get('/'), HttpClientClosedError);
      await until(() => client.stats().answered === 2);
      assert.deepEqual(await client.close({ timeoutMs: 20 }), { aborted: 1 });
      await closed;
      assert.equal(client.stats().retries, 0);
    });
  });
}

test('the laws hold whatever callers, servers and the network do', { timeout: 60_000 }, async t => {
  let state = 1;
  const random = (): number => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  const server = await startServer((request, response) => {
    request.resume();
    const dice = random();
    if (dice < 0.1) return void request.socket.destroy();
    if (dice < 0.15) return undefined;
    if (dice < 0.25) {
      response.writeHead(200);
      response.write('half');
      setTimeout(() => request.socket.destroy(), 2);
      return undefined;
    }
    const headers = dice < 0.6 ? { 'cache-control': 'max-age=60', etag: '"1"' } : {};
    response.writeHead(dice < 0.35 ? 503 : dice < 0.4 ? 500 : 200, headers).end('body');
    return undefined;
  });
  t.after(() => server.close());
  const operation = fc.record({
    path: fc.constantFrom('/a', '/b', '/c'),
    method: fc.constantFrom('GET', 'GET', 'GET', 'POST', 'PUT', 'HEAD'),
    how: fc.constantFrom('request', 'request', 'stream', 'drop'),
    totalMs: fc.constantFrom(20, 200),
    abortAfterMs: fc.constantFrom(undefined, undefined, 0, 5),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(operation, { maxLength: 40 }),
      fc.boolean(),
      fc.constantFrom(1, 3),
      async (operations, cache, pipelining) => {
        const client = clientOf(server, {
          cache,
          connections: { perOrigin: 2, maxQueue: 20, pipelining },
          retry: { ...quick, budget: { burst: 3, minPerSecond: 0 } },
        });
        const run = async ({ path, method, how, totalMs, abortAfterMs }: (typeof operations)[number]) => {
          const controller = new AbortController();
          if (abortAfterMs !== undefined) setTimeout(() => controller.abort(), abortAfterMs);
          const options = { method, timeouts: { totalMs }, signal: controller.signal };
          try {
            if (how === 'request') await client.request(path, options);
            else {
              const { body } = await client.stream(path, options);
              if (how === 'drop') body.on('error', () => {}).destroy();
              else for await (const _ of body);
            }
          } catch {
            // Every way to fail is an outcome.
          }
          assertClientLaws(client.stats());
        };
        await Promise.all(operations.map(run));
        await client.close({ timeoutMs: 500 });
        await until(() => client.stats().inFlight === 0 && client.stats().connections.open === 0);
        const stats = client.stats();
        assertAtRest(stats);
        assert.equal(stats.calls, operations.length);
        assert.ok(stats.retries <= 3 + 0.2 * stats.exchanges);
      },
    ),
    { numRuns: 25 },
  );
});
