import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  type HttpClient,
  type HttpClientOptions,
  HttpConnectionError,
  HttpTimeoutError,
} from '../../toolkit/network/client';
import {
  assertAtRest,
  clientOf,
  failure,
  startServer,
  type TestServer,
  until,
} from '../helpers/http-clients';

type Answered = { status?: number; body?: string; headers?: Record<string, string> };

describe('the cache of HttpClient', () => {
  let server: TestServer;
  let now = Date.now();
  const clients: HttpClient[] = [];
  const make = (options: Partial<HttpClientOptions> = {}): HttpClient => {
    const client = clientOf(server, { cache: true, retry: false, wallClock: () => now, ...options });
    clients.push(client);
    return client;
  };
  /** Answers with what is in turn, the last again and again; an ETag that is sent back gives 304. */
  const answers = (...list: Answered[]): void => {
    server.handler = (request, response) => {
      request.resume();
      const { status = 200, body = 'body', headers = {} } = list.length > 1 ? list.shift()! : list[0]!;
      const same = headers['etag'] !== undefined && request.headers['if-none-match'] === headers['etag'];
      response.writeHead(same ? 304 : status, { date: new Date(now).toUTCString(), ...headers });
      response.end(same ? undefined : body);
    };
  };
  const got = async (client: HttpClient, path = '/', options = {}): Promise<string> => {
    const { cache, status, body } = await client.get(path, options);
    return `${cache} ${status} ${body.toString()}`;
  };
  const fresh = { 'cache-control': 'max-age=60' };

  beforeEach(async () => {
    now = Date.now();
    server = await startServer(() => {});
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) {
      await client.close({ timeoutMs: 1000 });
      assertAtRest(client.stats());
    }
    await server.close();
  });

  test('serves what is fresh, asks whether what is stale still holds, and takes what is new', async () => {
    answers(
      { body: 'one', headers: { 'cache-control': 'MAX-AGE=60', etag: '"1"' } },
      { headers: { 'cache-control': 'max-age=60', etag: '"1"' } },
      { body: 'two', headers: { 'cache-control': 'max-age=60', etag: '"2"' } },
    );
    const client = make();
    assert.equal(await got(client), 'miss 200 one');
    now += 59_000;
    const hit = await client.get('/#elsewhere');
    assert.deepEqual([hit.cache, hit.attempts, hit.header('age'), hit.text()], ['hit', 0, '59', 'one']);
    now += 2000;
    assert.equal(await got(client), 'revalidated 200 one');
    now += 59_000;
    assert.equal(await got(client), 'hit 200 one');
    now += 2000;
    assert.equal(await got(client), 'miss 200 two');
    assert.equal(await got(client, '/', { headers: { 'cache-control': 'no-cache' } }), 'revalidated 200 two');
    assert.equal(await got(client, '/', { cache: false }), 'bypassed 200 two');
    assert.equal(server.asked.length, 5);
    const { results, entries, stored } = client.stats().cache!;
    assert.deepEqual(results, { hit: 2, miss: 2, revalidated: 2, stale: 0, coalesced: 0, bypassed: 1 });
    assert.deepEqual([entries, stored], [1, 2]);
  });

  test('revalidates by Last-Modified, and where the server leaves the validator out of its 304', async () => {
    const modified = new Date(now - 1e6).toUTCString();
    const since: unknown[] = [];
    server.handler = (request, response) => {
      since.push(request.headers['if-modified-since']);
      if (since.length > 1) response.writeHead(304).end();
      else response.writeHead(200, { 'last-modified': modified, 'cache-control': 'no-cache' }).end('old');
    };
    const client = make();
    assert.deepEqual([await got(client), await got(client)], ['miss 200 old', 'revalidated 200 old']);
    assert.deepEqual(since, [undefined, modified]);
  });

  test('stores nothing that is not to be stored', async () => {
    const client = make();
    for (const headers of [
      { 'cache-control': 'No-Store' },
      { 'cache-control': 'max-age=60, private' },
      { ...fresh, 'set-cookie': 'a=b' },
      { ...fresh, vary: '*' },
      { 'x-none': 'no time and nothing to ask by' },
    ]) {
      answers({ headers: headers as Record<string, string> });
      assert.equal(await got(client), 'miss 200 body');
      assert.equal(await got(client), 'miss 200 body', JSON.stringify(headers));
    }
    answers({ headers: fresh });
    const authorization = { headers: { authorization: 'Bearer me' } };
    assert.equal(await got(client, '/own', authorization), 'miss 200 body');
    assert.equal(await got(client, '/own', authorization), 'miss 200 body');
    assert.equal(await got(client, '/part', { headers: { range: 'bytes=0-1' } }), 'bypassed 200 body');
    assert.equal(await got(client, '/if', { headers: { 'if-none-match': '"1"' } }), 'bypassed 200 body');
    answers({ status: 500, headers: fresh });
    assert.equal(await got(client, '/error'), 'miss 500 body');
    assert.equal(client.stats().cache!.entries, 0);
  });

  test('a cache of one user tells users apart', async () => {
    server.handler = (request, response) =>
      response
        .writeHead(200, { 'cache-control': 'private, max-age=60' })
        .end(request.headers.authorization ?? 'nobody');
    const client = make({ cache: { shared: false } });
    const of = (authorization?: string) =>
      got(client, '/', authorization ? { headers: { authorization } } : {});
    assert.deepEqual(
      [await of('A'), await of('B'), await of()],
      ['miss 200 A', 'miss 200 B', 'miss 200 nobody'],
    );
    assert.deepEqual(
      [await of('A'), await of('B'), await of()],
      ['hit 200 A', 'hit 200 B', 'hit 200 nobody'],
    );
    await client.put('/', 'x');
    assert.equal(client.stats().cache!.entries, 0);
  });

  test('cookies are set once, and not again by what is stored', async () => {
    answers({ headers: { ...fresh, 'set-cookie': 'a=b' } });
    const client = make({ cache: { shared: false } });
    assert.equal((await client.get('/')).header('set-cookie'), 'a=b');
    const hit = await client.get('/');
    assert.deepEqual([hit.cache, hit.headers['set-cookie']], ['hit', undefined]);
  });

  test('keeps what varies by fields of the request apart', async () => {
    server.handler = (request, response) =>
      response
        .writeHead(200, { ...fresh, vary: 'Accept-Language, X-Other' })
        .end(request.headers['accept-language']);
    const client = make();
    const of = (language: string) => got(client, '/', { headers: { 'Accept-Language': language } });
    assert.deepEqual(
      [await of('de'), await of('fr'), await of('de'), await of('fr')],
      ['miss 200 de', 'miss 200 fr', 'hit 200 de', 'hit 200 fr'],
    );
  });

  test('serves stale while it revalidates, once, and then what came', async () => {
    const headers = { 'cache-control': 'max-age=10, stale-while-revalidate=30', etag: '"1"' };
    answers({ body: 'one', headers }, { body: 'two', headers: { ...headers, etag: '"2"' } });
    const client = make();
    await got(client);
    now += 20_000;
    assert.deepEqual(await Promise.all([got(client), got(client)]), ['stale 200 one', 'stale 200 one']);
    await until(() => client.stats().attemptsInFlight === 0);
    assert.equal(await got(client), 'hit 200 two');
    assert.deepEqual([server.asked.length, client.stats().exchanges, client.stats().calls], [2, 2, 4]);
    now += 41_000;
    assert.equal(await got(client), 'revalidated 200 two', 'no longer than it may');
  });

  test('serves stale where the server fails, for as long as the answer lets it', async () => {
    const headers = { 'cache-control': 'max-age=10, stale-if-error=30' };
    answers({ body: 'one', headers }, { status: 503, body: 'down' });
    const client = make();
    await got(client);
    now += 20_000;
    assert.equal(await got(client), 'stale 200 one');
    server.handler = request => void request.socket.destroy();
    assert.equal(await got(client), 'stale 200 one');
    server.handler = () => {};
    assert.equal(await got(client, '/', { timeouts: { totalMs: 50 } }), 'stale 200 one');
    now += 21_000;
    await failure(client.get('/', { timeouts: { totalMs: 50 } }), HttpTimeoutError);
    server.handler = request => void request.socket.destroy();
    await failure(client.get('/'), HttpConnectionError);
    answers(
      { headers: { 'cache-control': 'max-age=10, stale-if-error=30, must-revalidate' } },
      { status: 502 },
    );
    await got(client, '/must');
    now += 20_000;
    assert.equal(await got(client, '/must'), 'miss 502 body', 'not where it must be revalidated');
  });

  test('those who ask at once share one request, unless the answer is not for all', async () => {
    let held: (() => void)[] = [];
    const hold = (headers: Record<string, string>): void => {
      server.handler = (request, response) => {
        held.push(() => response.writeHead(200, headers).end(request.headers['x-user'] ?? 'all'));
      };
    };
    const letGo = (): void => {
      for (const go of held.splice(0)) go();
    };
    const client = make({ connections: { perOrigin: 50 } });
    hold(fresh);
    const many = Promise.all(Array.from({ length: 20 }, () => got(client, '/shared')));
    await until(() => held.length > 0);
    letGo();
    const results = await many;
    assert.deepEqual(results.sort(), [...Array(19).fill('coalesced 200 all'), 'miss 200 all']);
    assert.equal(server.asked.length, 1);

    hold({ 'cache-control': 'no-store' });
    const apart = Promise.all(Array.from({ length: 5 }, () => got(client, '/own')));
    await until(() => held.length === 1);
    letGo();
    await until(() => held.length === 4);
    letGo();
    assert.deepEqual(await apart, Array(5).fill('miss 200 all'));
    const again = Promise.all(Array.from({ length: 5 }, () => got(client, '/own')));
    await until(() => held.length === 5);
    letGo();
    await again;

    hold(fresh);
    const different = Promise.all(
      ['a', 'b'].map(user => got(client, '/user', { headers: { 'x-user': user } })),
    );
    await until(() => held.length === 2);
    letGo();
    assert.deepEqual(await different, ['miss 200 a', 'miss 200 b']);
    held = [];
  });

  test('a caller that gives up ends nobody else’s wait, and a failure is shared', async () => {
    let answer = (): void => {};
    server.handler = (_, response) => {
      answer = () => response.writeHead(200, fresh).end('late');
    };
    const client = make();
    const leader = new AbortController();
    const first = assert.rejects(client.get('/', { signal: leader.signal }), { code: 'HTTP_ABORTED' });
    const second = got(client);
    const third = failure(client.get('/', { timeouts: { totalMs: 60 } }), HttpTimeoutError);
    const impatient = new AbortController();
    const fourth = assert.rejects(client.get('/', { signal: impatient.signal }), { code: 'HTTP_ABORTED' });
    await until(() => server.asked.length === 1);
    impatient.abort();
    await fourth;
    assert.equal(client.stats().inFlight, 3);
    leader.abort();
    await first;
    assert.equal((await third).kind, 'total');
    await until(() => server.asked.length === 2);
    answer();
    assert.equal(await second, 'miss 200 late');
    server.handler = request => setTimeout(() => request.socket.destroy(), 10);
    const failing = await Promise.allSettled([1, 2, 3].map(() => client.get('/down')));
    assert.ok(failing.every(one => one.status === 'rejected' && one.reason instanceof HttpConnectionError));
    assert.equal(server.asked.length, 3);
  });

  test('calls that may change something forget what is stored, and what is under way', async () => {
    answers({ headers: fresh });
    const client = make();
    const cached = async (path: string): Promise<boolean> => (await got(client, path)).startsWith('hit');
    for (const path of ['/a', '/b', '/c', '/d']) await got(client, path);
    await client.head('/a');
    assert.ok(await cached('/a'));
    answers({ status: 500 });
    await client.post('/a', 'x');
    assert.ok(await cached('/a'), 'a failed one has changed nothing');
    answers({ status: 201, headers: { location: '/b', 'content-location': `${server.url}/c` } });
    await client.post('/a', 'x');
    answers({ headers: fresh });
    assert.deepEqual(await Promise.all(['/a', '/b', '/c', '/d'].map(cached)), [false, false, false, true]);
    assert.equal(client.stats().cache!.invalidated, 3);

    let answer = (): void => {};
    server.handler = (request, response) => {
      if (request.method === 'GET') answer = () => response.writeHead(200, fresh).end('before');
      else response.end();
    };
    const reading = got(client, '/e');
    await until(() => server.asked.at(-1) === 'GET /e');
    await client.delete('/e');
    answer();
    assert.equal(await reading, 'miss 200 before');
    answers({ body: 'after', headers: fresh });
    assert.equal(await got(client, '/e'), 'miss 200 after');
  });

  test('is bounded by entries and bytes, and counts what had to go', async () => {
    answers({ body: 'x'.repeat(10_000), headers: fresh });
    const few = make({ cache: { maxEntries: 3 } });
    for (let i = 0; i < 10; i++) await got(few, `/${i}`);
    assert.deepEqual(
      [few.stats().cache!.entries, few.stats().cache!.evicted, few.stats().cache!.limit],
      [3, 7, 3],
    );
    const small = make({ cache: { maxBytes: 50_000, maxEntryBytes: 20_000 } });
    for (let i = 0; i < 10; i++) await got(small, `/${i}`);
    const { entries, bytes, byteLimit } = small.stats().cache!;
    assert.ok(entries >= 3 && entries <= 5 && bytes <= byteLimit && bytes >= entries * 10_000);
    answers({ body: 'x'.repeat(30_000), headers: fresh });
    await got(small, '/large');
    assert.ok((await got(small, '/large')).startsWith('miss'));
    answers({ headers: { ...fresh, vary: 'x-id' } });
    const many = make();
    for (let i = 0; i < 60; i++) await got(many, '/', { headers: { 'x-id': String(i) } });
    assert.ok(many.stats().cache!.entries <= 51);
  });

  test('keeps bodies decoded, and takes a heuristic time only where it is told to', async () => {
    server.handler = (_, response) =>
      response
        .writeHead(200, { 'content-encoding': 'gzip', 'last-modified': new Date(now - 1e9).toUTCString() })
        .end(gzipSync('decoded'));
    const guessing = make({ cache: { heuristic: 0.1 } });
    assert.deepEqual([await got(guessing), await got(guessing)], ['miss 200 decoded', 'hit 200 decoded']);
    const careful = make();
    await got(careful);
    assert.match(await got(careful), /^miss/);
  });
});
