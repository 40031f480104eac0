import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import {
  HttpClient,
  type HttpClientOptions,
  HttpResponse,
  UndiciMissingError,
} from '../../../toolkit/network';
import { ConnectionBooks } from '../../../toolkit/network/client/books';
import { acceptEncoding, decode, encodingsOf } from '../../../toolkit/network/client/decoding';
import { Engine } from '../../../toolkit/network/client/engine';
import { Exchange } from '../../../toolkit/network/client/exchange';
import { prepare } from '../../../toolkit/network/client/request';
import { delayOf, retryAfterMs } from '../../../toolkit/network/client/retry';
import { RetryBudget } from '../../../toolkit/network/client/retry-budget';
import { settleClientOptions } from '../../../toolkit/network/client/settle-options';
import { liveSources } from '../../../toolkit/sources';
import { collectUntil } from '../../helpers/garbage';
import { failure, startServer, until } from '../../helpers/http-clients';

test('a retry budget never gives more than its burst, its share of requests and its rate', () => {
  const steps = fc.array(
    fc.oneof(
      fc.constant('request' as const),
      fc.constant('retry' as const),
      fc.integer({ min: 0, max: 3000 }),
    ),
    { maxLength: 300 },
  );
  const options = fc.record({
    ratio: fc.constantFrom(0, 0.1, 0.2, 1),
    minPerSecond: fc.constantFrom(0, 1, 5),
    burst: fc.integer({ min: 0, max: 20 }),
  });
  fc.assert(
    fc.property(options, steps, (options, steps) => {
      let now = 0;
      const budget = new RetryBudget(options, () => now);
      let requests = 0;
      let retries = 0;
      for (const step of steps) {
        if (step === 'request') {
          budget.deposit();
          requests++;
        } else if (step === 'retry') {
          const had = budget.tokens;
          const given = budget.withdraw();
          assert.equal(given, had >= 1);
          if (given) retries++;
        } else now += step;
        assert.ok(budget.tokens >= 0 && budget.tokens <= options.burst);
        const most = options.burst + options.ratio * requests + (options.minPerSecond * now) / 1000;
        assert.ok(retries <= most + 1e-6, `${retries} of ${most}`);
      }
    }),
  );
});

test('delays are random up to a bound that doubles, after what the answer asks for', () => {
  const { retry } = settleClientOptions({ name: 'x', retry: { baseDelayMs: 100, maxDelayMs: 350 } });
  const delay = (attempt: number, asked?: number, random = 0.5) =>
    delayOf(retry, attempt, asked, () => random);
  assert.deepEqual(
    [1, 2, 3, 9].map(attempt => delay(attempt)),
    [50, 100, 175, 175],
  );
  assert.equal(delay(3, undefined, 0), 0);
  assert.equal(delay(1, 2000), 2050);
});

test('Retry-After is read as seconds and as a date', () => {
  const at = Date.UTC(2026, 0, 1);
  const read = (value: string) => retryAfterMs({ 'retry-after': value }, () => at);
  assert.equal(read('3'), 3000);
  assert.equal(read(new Date(at + 5000).toUTCString()), 5000);
  assert.equal(read(new Date(at - 5000).toUTCString()), 0);
  assert.equal(read('soon'), undefined);
  assert.equal(read('-3'), undefined);
  assert.equal(
    retryAfterMs({}, () => at),
    undefined,
  );
});

test('what can be decoded is asked for, and only that', () => {
  const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
  const zstd = major > 22 || (major === 22 && minor >= 15);
  assert.equal(acceptEncoding, zstd ? 'gzip, br, zstd, deflate' : 'gzip, br, deflate');
  assert.deepEqual(encodingsOf(' GZIP , br'), ['br', 'gzip']);
  assert.deepEqual(encodingsOf('x-gzip'), ['gzip']);
  for (const header of [undefined, '', 'identity', 'compress', 'gzip, rot13', 'gzip, gzip, gzip, gzip']) {
    assert.equal(encodingsOf(header), undefined, header);
  }
});

test('decoding gives the body back whatever it is, and never more than allowed', async () => {
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 5000 }),
    fc.integer({ min: 1, max: 600_000 }).map(length => new Uint8Array(length)),
  );
  await fc.assert(
    fc.asyncProperty(bodies, fc.integer({ min: 1, max: 600_000 }), async (body, most) => {
      const decoded = await new Promise<Buffer | Error>(resolve =>
        decode(gzipSync(body), ['gzip'], most, (error, decoded) => resolve(error ?? decoded)),
      );
      if (decoded instanceof Error) assert.ok(body.length > most, decoded.message);
      else {
        assert.ok(body.length <= most);
        assert.deepEqual(new Uint8Array(decoded), body);
      }
    }),
    { numRuns: 60 },
  );
});

test('options and calls that are not as documented are refused, without what they may tell', async () => {
  const wrong: [Partial<HttpClientOptions>, RegExp][] = [
    [{ name: '' }, /Expected name to be a string of at least one character/],
    [{ baseUrl: 'secret/path' }, /Expected baseUrl to be an absolute URL/],
    [{ baseUrl: 'ftp://secret@host' }, /got one of ftp:/],
    [{ timeouts: { totalMs: 0 } }, /Expected timeouts.totalMs to be milliseconds above 0.*got 0/],
    [
      { connections: { perOrigin: 1.5 } },
      /Expected connections.perOrigin to be an integer above zero, got 1.5/,
    ],
    [{ connections: { maxQueue: 0 } }, /connections.maxQueue/],
    [{ retry: { statuses: [200] } }, /Expected retry.statuses to be status codes from 400 to 599, got 200/],
    [
      { retry: { budget: { ratio: -1 } } },
      /Expected retry.budget.ratio to be a number of zero or more, got -1/,
    ],
    [{ cache: { heuristic: 2 } }, /Expected cache.heuristic to be a number from 0 to 1, got 2/],
    [{ maxBodyBytes: Number.NaN }, /Expected maxBodyBytes to be an integer above zero, got NaN/],
  ];
  for (const [options, message] of wrong) {
    assert.throws(
      () => new HttpClient({ name: 'x', ...options }),
      (error: Error) =>
        error instanceof TypeError && message.test(error.message) && !/secret/.test(error.message),
    );
  }
  const client = new HttpClient({ name: 'x' });
  const calls: [() => Promise<unknown>, RegExp][] = [
    [() => client.get('/secret'), /Expected an absolute URL/],
    [() => client.get('ftp://secret.example'), /Expected a URL of http or https, got one of ftp:/],
    [() => client.get('http://user:secret@example.com'), /Expected a URL without a user or password/],
    [() => client.request('http://127.0.0.1', { method: 'GET secret' }), /Expected a method of HTTP/],
    [() => client.request('http://127.0.0.1', { body: 7 as never }), /Expected body to be a string/],
    [
      () => client.get('http://127.0.0.1', { headers: { a: 'secret\n' } }),
      /Expected a request that HTTP allows/,
    ],
    [() => client.stream('/secret'), /Expected an absolute URL/],
    [() => client.get('http://127.0.0.1', { signal: {} as never }), /Expected signal to be an AbortSignal/],
  ];
  for (const [call, message] of calls) {
    const error = await failure(call(), TypeError);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /secret/);
  }
  await client.close();
  assert.equal(client.stats().connections.opened, 0);
});

test('text is read in the charset of the answer, without a byte order mark', () => {
  const text = (body: Buffer, type?: string) =>
    new HttpResponse(200, type === undefined ? {} : { 'content-type': type }, body, 1, 'bypassed').text();
  assert.equal(text(Buffer.from('ü')), 'ü');
  assert.equal(text(Buffer.from('\ufeffü'), 'text/plain; charset=UTF-8'), 'ü');
  assert.equal(text(Buffer.from('ü', 'latin1'), 'text/plain; charset="iso-8859-1"'), 'ü');
  assert.throws(() => text(Buffer.from('x'), 'text/plain; charset=none'), RangeError);
});

test('the books say what undici says of its pool, whatever runs', async t => {
  const held: (() => void)[] = [];
  const server = await startServer((_, response) => void held.push(() => response.end('x')));
  t.after(() => server.close());
  const settled = settleClientOptions({ name: 'x', connections: { perOrigin: 3 } });
  const engine = new Engine(settled);
  t.after(() => engine.destroy());
  const call = prepare(settled, server.url, {});
  let ended = 0;
  for (let i = 0; i < 8; i++) {
    new Exchange(engine, call, call.headers, 60_000, false, () => void ended++).start();
  }
  const origin = engine.origins.use(server.url, () => assert.fail());
  const agree = (): void => {
    const { open, inUse, pending } = origin.books.snapshot();
    const { connected, running, pending: waiting } = origin.poolStats;
    assert.deepEqual({ open, inUse, pending }, { open: connected, inUse: running, pending: waiting });
  };
  agree();
  await until(() => held.length === 3);
  agree();
  assert.deepEqual(origin.books.snapshot().pending, 5);
  while (ended < 8) {
    await until(() => held.length > 0);
    held.shift()!();
    agree();
    await new Promise(resolve => setImmediate(resolve));
    agree();
  }
  agree();
  assert.equal(origin.books.snapshot().idle, 3);
});

test('what an origin counts, all of the client counts', () => {
  const whole = new ConnectionBooks();
  const [one, two] = [new ConnectionBooks(whole), new ConnectionBooks(whole)];
  one.add('opened', 3);
  two.add('opened', 2);
  one.add('closed');
  assert.deepEqual([one.snapshot().open, two.snapshot().open, whole.snapshot().open], [2, 2, 4]);
});

test('a client is a source by its name until it is closed', async () => {
  const names = () => liveSources('http_client', 1).map(({ name }) => name);
  const client = new HttpClient({ name: 'listed' });
  assert.ok(names().includes('listed'));
  await client.close();
  assert.ok(!names().includes('listed'));
  assert.deepEqual(await client.close(), { aborted: 0 });
});

test('a client that was dropped leaves the statistics, although its connections are still open', async t => {
  const server = await startServer((_, response) =>
    response.setHeader('cache-control', 'max-age=60').end('x'),
  );
  t.after(() => server.close());
  const use = async (): Promise<void> => {
    const client = new HttpClient({ name: 'dropped', cache: true, connections: { keepAliveMs: 60_000 } });
    await client.get(server.url);
    await client.post(server.url, 'x');
  };
  await use();
  assert.ok(server.sockets.size > 0);
  await collectUntil(() => !liveSources('http_client', 1).some(({ name }) => name === 'dropped'));
});

test('without undici, or with one that is too old, the error says what to install', () => {
  const module = require.cache[require.resolve('undici')]!;
  const { exports } = module;
  try {
    module.exports = {};
    assert.throws(() => new HttpClient({ name: 'x' }), UndiciMissingError);
  } finally {
    module.exports = exports;
  }
  assert.match(new UndiciMissingError().message, /npm install undici@7/);
});
