import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, afterEach, describe, test } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import {
  HttpAbortedError,
  HttpBodyTooLargeError,
  type HttpClient,
  HttpClientClosedError,
  HttpConnectionError,
  HttpDecodingError,
  HttpJsonError,
  HttpOriginLimitError,
  HttpQueueFullError,
  HttpStatusError,
  HttpTimeoutError,
} from '../../toolkit/network/client';
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

const text = 'a text that is long enough to be worth the encoding '.repeat(200);

for (const { undici, protocol } of subjects) {
  describe(`HttpClient over undici ${undici}, ${protocol}`, () => {
    const servers: TestServer[] = [];
    const clients: HttpClient[] = [];
    const start = async (handler: Handler): Promise<TestServer> => {
      const server = await startServer(handler, protocol);
      servers.push(server);
      return server;
    };
    const make = (...args: Parameters<typeof clientOf>): HttpClient => {
      useUndici(undici);
      const client = clientOf(...args);
      clients.push(client);
      return client;
    };
    afterEach(async () => {
      for (const client of clients.splice(0)) {
        await client.destroy();
        assertAtRest(client.stats());
        assert.equal(client.stats().connections.open, 0);
      }
      for (const server of servers.splice(0)) await server.close();
    });
    after(() => useUndici('7'));

    test('methods, bodies, headers and JSON arrive as they were given', async () => {
      const seen: unknown[] = [];
      const server = await start(async (request, response) => {
        const body = (await buffer(request)).toString();
        const { accept, 'content-type': type, 'x-own': own, 'x-all': all } = request.headers;
        seen.push([request.method, request.url, body, { accept, type, own, all }]);
        response.setHeader('content-type', 'application/json');
        if (request.method === 'DELETE') response.writeHead(204).end();
        else response.end(JSON.stringify({ version: request.httpVersion }));
      });
      const client = make(server, { headers: { 'X-All': 'yes', 'X-Own': 'client' } });
      const version = protocol === 'HTTP/2' ? '2.0' : '1.1';
      assert.deepEqual(await client.getJson('/a?b=1', { headers: { 'x-Own': 'call' } }), { version });
      assert.deepEqual(await client.postJson('/b', { c: 'ü' }), { version });
      assert.equal(await client.sendJson('delete', '/d', null), undefined);
      const put = await client.put('/e', Buffer.from('bytes'));
      assert.deepEqual([put.status, put.ok, put.attempts, put.cache], [200, true, 1, 'bypassed']);
      assert.equal((await client.post('/f', Readable.from(['in ', 'pieces']))).status, 200);
      assert.equal((await client.head('/g')).body.length, 0);
      const json = 'application/json';
      const plain = { accept: undefined, type: undefined, own: 'client', all: 'yes' };
      assert.deepEqual(seen, [
        ['GET', '/a?b=1', '', { ...plain, accept: json, own: 'call' }],
        ['POST', '/b', '{"c":"ü"}', { ...plain, accept: json, type: json }],
        ['DELETE', '/d', 'null', { ...plain, accept: json, type: json }],
        ['PUT', '/e', 'bytes', plain],
        ['POST', '/f', 'in pieces', plain],
        ['HEAD', '/g', '', plain],
      ]);
      assert.equal(client.stats().outcomes.ok, 6);
    });

    test('connections are kept, bounded and counted as undici has them', async () => {
      let now = 0;
      let most = 0;
      const server = await start(async (_, response) => {
        most = Math.max(most, ++now);
        await new Promise(resolve => setTimeout(resolve, 20));
        now--;
        response.end('done');
      });
      const client = make(server, { connections: { perOrigin: 2, maxStreams: 3 } });
      const calls = Array.from({ length: 9 }, () => client.get('/'));
      await until(() => now > 0);
      assertClientLaws(client.stats());
      await Promise.all(calls);
      const atOnce = protocol === 'HTTP/2' ? 6 : 2;
      assert.ok(most <= atOnce && most > 1, `${most} at once`);
      const { connections, origins } = client.stats();
      assert.ok(connections.opened <= 2 && connections.opened >= 1);
      assert.equal(connections.opened, server.sockets.size);
      assert.equal(connections.sent, 9);
      assert.equal(connections.reused, 9 - connections.opened);
      assert.deepEqual(
        [origins.length, origins[0]!.origin, origins[0]!.limit, origins[0]!.idle],
        [1, server.url, 2, connections.opened],
      );
    });

    test('bodies are decoded by each encoding, whether small or large', async () => {
      const noise = Array.from({ length: 3000 }, (_, i) =>
        createHash('sha1').update(`${i}`).digest('hex'),
      ).join('');
      const coders = {
        gzip: gzipSync,
        br: brotliCompressSync,
        deflate: deflateSync,
        raw: deflateRawSync,
        both: (body: string) => brotliCompressSync(gzipSync(body)),
      };
      const server = await start((request, response) => {
        const [, name, size] = request.url!.split('/') as [string, keyof typeof coders, string];
        const encoding = { raw: 'deflate', both: 'gzip, br' }[name as string] ?? name;
        response.writeHead(200, { 'content-encoding': encoding, 'content-type': 'text/plain' });
        response.end(coders[name](size === 'large' ? noise : text));
      });
      const client = make(server);
      for (const name of Object.keys(coders)) {
        for (const [size, expected] of [
          ['small', text],
          ['large', noise],
        ]) {
          const answer = await client.get(`/${name}/${size}`);
          assert.ok(answer.text() === expected, `${name} ${size}`);
          assert.equal(answer.header('content-encoding'), undefined);
          const stream = await client.stream(`/${name}/${size}`);
          assert.ok((await buffer(stream.body)).toString() === expected, `${name} ${size} as a stream`);
        }
      }
      const { decoding, bodyBytes } = client.stats();
      assert.equal(decoding.output, 10 * (text.length + noise.length));
      assert.equal(decoding.input, bodyBytes);
    });

    test('what cannot be decoded fails, and what is unknown is left alone', async () => {
      const server = await start((request, response) => {
        const unknown = request.url === '/unknown';
        response.writeHead(200, { 'content-encoding': unknown ? 'rot13' : 'gzip' });
        response.end('no gzip at all');
      });
      const client = make(server);
      const error = await failure(client.get('/broken'), HttpDecodingError);
      assert.equal(error.encoding, 'gzip');
      await failure(
        client.stream('/broken').then(({ body }) => buffer(body)),
        HttpDecodingError,
      );
      const left = await client.get('/unknown');
      assert.deepEqual([left.text(), left.header('content-encoding')], ['no gzip at all', 'rot13']);
      assert.deepEqual(client.stats().outcomes.body, 2);
    });

    test('a body larger than allowed fails, also one that becomes so by decoding', async () => {
      const bomb = gzipSync(Buffer.alloc(8 * 1024 * 1024));
      const server = await start((request, response) => {
        if (request.url === '/bomb') response.setHeader('content-encoding', 'gzip');
        response.end(request.url === '/bomb' ? bomb : Buffer.alloc(300_000));
      });
      const client = make(server, { maxBodyBytes: 200_000 });
      assert.equal((await failure(client.get('/large'), HttpBodyTooLargeError)).decoding, false);
      assert.equal((await failure(client.get('/bomb'), HttpBodyTooLargeError)).decoding, true);
      const read = async (path: string): Promise<unknown> => buffer((await client.stream(path)).body);
      await failure(read('/large'), HttpBodyTooLargeError);
      await failure(read('/bomb'), HttpBodyTooLargeError);
      assert.equal((await client.get('/large', { maxBodyBytes: 300_000 })).body.length, 300_000);
      assert.equal(client.stats().outcomes.body, 4);
    });

    test('a stream gives the body as it comes, and waits for its reader', async () => {
      let written = 0;
      const server = await start(async (_, response) => {
        for (let i = 0; i < 40; i++) {
          written = i;
          if (!response.write(Buffer.alloc(256 * 1024, i))) await once(response, 'drain').catch(() => {});
          if (response.destroyed) return;
        }
        response.end();
      });
      const client = make(server);
      const { body, status } = await client.stream('/', { maxBodyBytes: Infinity });
      assert.equal(status, 200);
      await once(body, 'readable');
      await new Promise(resolve => setTimeout(resolve, 50));
      assert.ok(written < 39, 'the server had to wait');
      assert.equal(client.stats().inFlight, 1);
      assert.equal((await buffer(body)).length, 40 * 256 * 1024);
      await until(() => client.stats().inFlight === 0);
      assert.equal(client.stats().outcomes.ok, 1);

      const dropped = await client.stream('/', { maxBodyBytes: Infinity });
      dropped.body.destroy();
      await until(() => client.stats().inFlight === 0);
      assert.equal(client.stats().outcomes.aborted, 1);
    });

    test('each limit of time ends what takes longer, and says which it was', async () => {
      const server = await start((request, response) => {
        if (request.url === '/body') {
          response.writeHead(200);
          response.write('some');
        }
      });
      const client = make(server, { connections: { perOrigin: 1, maxStreams: 1 }, retry: false });
      const kindOf = async (promise: Promise<unknown>): Promise<unknown> => {
        const { kind, phase, timeoutMs } = await failure(promise, HttpTimeoutError);
        return [kind, phase, timeoutMs];
      };
      assert.deepEqual(await kindOf(client.get('/', { timeouts: { headersMs: 60 } })), [
        'headers',
        'headers',
        60,
      ]);
      assert.deepEqual(await kindOf(client.get('/body', { timeouts: { bodyMs: 60 } })), ['body', 'body', 60]);
      assert.deepEqual(await kindOf(client.get('/', { timeouts: { totalMs: 60 } })), [
        'total',
        'headers',
        60,
      ]);
      assert.deepEqual(await kindOf(client.get('/body', { timeouts: { totalMs: 60 } })), [
        'total',
        'body',
        60,
      ]);
      const first = kindOf(client.get('/', { timeouts: { totalMs: 300 } }));
      const queued = kindOf(client.get('/', { timeouts: { totalMs: 60 } }));
      assert.deepEqual(await queued, ['total', 'queue', 60]);
      assertClientLaws(client.stats());
      assert.deepEqual(await first, ['total', 'headers', 300]);
      const forgotten = await client.stream('/body', { timeouts: { totalMs: 60 } });
      await until(() => forgotten.body.destroyed);
      const unread = await client.stream('/body', { timeouts: { totalMs: 60 } });
      assert.deepEqual(await kindOf(buffer(unread.body)), ['total', 'body', 60]);
      assert.equal(client.stats().outcomes.timeout, 8);
      assert.equal(client.stats().abandoned, 6);
    });

    // Streams of HTTP/2 end one by one.
    if (protocol === 'HTTP/1.1') {
      test('a call that shares its connection with one that is aborted is answered, or its stream fails', async () => {
        let halves = 1;
        const server = await start((request, response) => {
          if (request.url !== '/half') return;
          response.writeHead(200);
          if (halves-- > 0) response.write('half');
          else response.end('whole');
        });
        const client = make(server, { connections: { perOrigin: 1, pipelining: 2 } });
        const abortAnother = async (): Promise<void> => {
          await until(() => server.asked.length === 1);
          const controller = new AbortController();
          const aborted = failure(client.get('/other', { signal: controller.signal }), HttpAbortedError);
          await until(() => server.asked.length === 2);
          controller.abort();
          await aborted;
        };
        const [whole] = await Promise.all([client.get('/half'), abortAnother()]);
        assert.equal(whole.text(), 'whole');
        server.asked.length = 0;
        halves = 1;
        const { body } = await client.stream('/half');
        await Promise.all([failure(buffer(body), HttpConnectionError), abortAnother()]);
        await until(() => client.stats().inFlight === 0);
        const { ok, aborted, connection } = client.stats().outcomes;
        assert.deepEqual({ ok, aborted, connection }, { ok: 1, aborted: 2, connection: 1 });
      });
    }

    test('a signal ends the call wherever it is, and before it began', async () => {
      const server = await start(() => {});
      const client = make(server, { connections: { perOrigin: 1, maxStreams: 1 } });
      const first = new AbortController();
      const second = new AbortController();
      const running = failure(client.get('/', { signal: first.signal }), HttpAbortedError);
      await until(() => server.asked.length === 1);
      const queued = failure(client.get('/', { signal: second.signal }), HttpAbortedError);
      second.abort('no more');
      assert.equal((await queued).cause, 'no more');
      first.abort();
      await running;
      await failure(client.get('/', { signal: AbortSignal.abort() }), HttpAbortedError);
      assert.equal(client.stats().outcomes.aborted, 3);
      await until(() => client.stats().connections.pending === 0);
    });

    test('what waits for a connection, and how many origins there are, is bounded', async () => {
      const server = await start(() => {});
      const other = await start((_, response) => response.end('other'));
      const third = await start((_, response) => response.end('third'));
      const client = make(server, {
        connections: { perOrigin: 1, maxStreams: 1, maxQueue: 2, maxOrigins: 2 },
      });
      const ends = new AbortController();
      const { signal } = ends;
      const hold = (): Promise<Error> => failure(client.get('/', { signal }), HttpAbortedError);
      const held = [hold()];
      await until(() => server.asked.length === 1);
      held.push(hold(), hold());
      assert.equal((await failure(client.get('/'), HttpQueueFullError)).limit, 2);
      assert.equal((await client.get(other.url)).text(), 'other');
      // The one that nothing uses makes room.
      assert.equal((await client.get(third.url)).text(), 'third');
      assert.deepEqual(
        client.stats().origins.map(({ origin }) => origin),
        [server.url, third.url],
      );
      await until(() => client.stats().connections.open === 2);
      third.handler = () => {};
      held.push(failure(client.get(`${third.url}/`, { signal }), HttpAbortedError));
      assert.equal((await failure(client.get(other.url), HttpOriginLimitError)).limit, 2);
      ends.abort();
      await Promise.all(held);
      assert.equal(client.stats().outcomes.refused, 2);
      await until(() => client.stats().inFlight === 0);
    });

    test('closing waits for calls under way, then ends them, and takes no more', async () => {
      let answer = (): void => {};
      const server = await start((_, response) => {
        answer = () => response.end('late');
      });
      const client = make(server);
      const call = client.get('/');
      await until(() => server.asked.length === 1);
      const closing = client.close();
      await failure(client.get('/'), HttpClientClosedError);
      answer();
      assert.equal((await call).text(), 'late');
      assert.deepEqual(await closing, { aborted: 0 });
      assert.equal(client.stats().connections.open, 0);

      const impatient = make(server);
      const hanging = failure(impatient.get('/'), HttpClientClosedError);
      await until(() => server.asked.length === 2);
      assert.deepEqual(await impatient.close({ timeoutMs: 30 }), { aborted: 1 });
      await hanging;

      const destroyed = make(server);
      const cut = failure(destroyed.get('/'), HttpClientClosedError);
      await until(() => server.asked.length === 3);
      await destroyed.destroy();
      await cut;
    });

    test('errors of the JSON helpers have the status and the answer', async () => {
      const server = await start((request, response) => {
        if (request.url!.startsWith('/status')) response.statusCode = 404;
        response.setHeader('content-type', 'text/html');
        response.end('<secret>');
      });
      const client = make(server);
      const error = await failure(client.getJson('/status?token=secret'), HttpStatusError);
      assert.equal(error.status, 404);
      assert.equal((error.response as { text(): string }).text(), '<secret>');
      const json = await failure(client.getJson('/'), HttpJsonError);
      assert.deepEqual([json.status, json.contentType, json.bytes], [200, 'text/html', 8]);
      for (const { message } of [error, json]) assert.doesNotMatch(message, /secret/);
    });
  });
}
