import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import zlib from 'node:zlib';
import { availableEncodings, Compression, EntityTags, withoutCompression } from '../../toolkit/network';
import { ask, decoded, frameworks, type RawHandler, type Running, until } from '../helpers/web-parts';

const text = 'The quick brown fox jumps over the lazy dog. '.repeat(200);
const noise = randomBytes(20_000);

const pages: Readonly<Record<string, RawHandler>> = {
  '/whole'(_, response) {
    response.setHeader('content-type', 'text/plain; charset=utf-8');
    response.end(text);
  },
  '/head'(_, response) {
    response.writeHead(201, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    });
    response.end(text);
  },
  '/list'(_, response) {
    response.writeHead(200, ['content-type', 'text/css', 'set-cookie', 'a=1', 'set-cookie', 'b=2'] as never);
    response.end(text);
  },
  '/stream'(_, response) {
    response.setHeader('content-type', 'text/html');
    Readable.from([text, text, text]).pipe(response);
  },
  '/small'(_, response) {
    response.setHeader('content-type', 'text/plain');
    response.end('small');
  },
  '/empty'(_, response) {
    response.setHeader('content-type', 'text/plain');
    response.end();
  },
  '/image'(_, response) {
    response.setHeader('content-type', 'image/png');
    response.end(noise);
  },
  '/noise'(_, response) {
    response.setHeader('content-type', 'text/plain');
    response.setHeader('vary', 'Origin');
    response.end(noise);
  },
  '/encoded'(_, response) {
    response.setHeader('content-type', 'text/plain');
    response.setHeader('content-encoding', 'gzip');
    response.end(zlib.gzipSync(text));
  },
  '/no-transform'(_, response) {
    response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'public, no-transform' });
    response.end(text);
  },
  '/secret'(_, response) {
    withoutCompression(response);
    response.setHeader('content-type', 'text/plain');
    response.end(text);
  },
  '/range'(_, response) {
    response.writeHead(206, { 'content-type': 'text/plain', 'content-range': `bytes 0-1999/9000` });
    response.end(text.slice(0, 2000));
  },
  '/tagged'(_, response) {
    response.writeHead(200, { 'content-type': 'text/plain', etag: '"v1"', 'accept-ranges': 'bytes' });
    response.end(text);
  },
  '/nothing'(_, response) {
    response.writeHead(204, { 'content-type': 'text/plain' });
    response.end();
  },
};
const handler: RawHandler = (request, response) => pages[request.url!.split('?')[0]!]!(request, response);

const running: Running[] = [];
after(() => Promise.all(running.map(one => one.close())));

for (const [framework, start] of Object.entries(frameworks)) {
  const serve = async (compression: Compression, handle = handler): Promise<Running> => {
    const server = await start([compression], handle);
    running.push(server);
    return server;
  };

  test(`${framework}: what is compressed comes out as it went in, by every coding and from wherever it came`, async () => {
    const compression = new Compression({ name: 'all' });
    const server = await serve(compression);
    for (const encoding of availableEncodings) {
      const before = compression.stats();
      let output = 0;
      for (const [path, content] of [
        ['/whole', text],
        ['/head', text],
        ['/list', text],
        ['/stream', text.repeat(3)],
      ] as const) {
        const answer = await ask(server, { path, headers: { 'accept-encoding': encoding } });
        assert.equal(answer.status, path === '/head' ? 201 : 200);
        assert.equal(answer.headers['content-encoding'], encoding, path);
        assert.equal(answer.headers['vary'], 'Accept-Encoding');
        assert.equal(decoded(answer).toString(), content);
        assert.ok(answer.body.length < content.length / 5);
        const length = answer.headers['content-length'];
        assert.equal(length, path === '/stream' ? undefined : String(answer.body.length));
        output += answer.body.length;
        if (path === '/list') assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2']);
      }
      const { encodings } = compression.stats();
      assert.equal(encodings[encoding].responses - before.encodings[encoding].responses, 4);
      assert.equal(encodings[encoding].input - before.encodings[encoding].input, text.length * 6);
      assert.equal(encodings[encoding].output - before.encodings[encoding].output, output);
    }
  });

  test(`${framework}: what is better sent as it is stays as it is, and it is known why`, async () => {
    const compression = new Compression({ name: 'skips' });
    const server = await serve(compression);
    const vary = 'Accept-Encoding';
    for (const [path, reason, content, varies, method] of [
      ['/small', 'small', 'small', vary],
      ['/empty', 'small', '', vary],
      ['/image', 'type', noise, undefined],
      ['/noise', 'larger', noise, `Origin, ${vary}`],
      ['/no-transform', 'disabled', text, undefined],
      ['/secret', 'disabled', text, undefined],
      ['/range', 'bodiless', text.slice(0, 2000), undefined],
      ['/nothing', 'bodiless', '', undefined],
      ['/whole', 'bodiless', '', vary, 'HEAD'],
    ] as const) {
      const before = compression.stats().skipped[reason];
      const answer = await ask(server, {
        path,
        method: method ?? 'GET',
        headers: { 'accept-encoding': 'gzip, br' },
      });
      assert.equal(answer.headers['content-encoding'], undefined, path);
      assert.equal(answer.headers['vary'], varies, path);
      assert.deepEqual(answer.body, Buffer.from(content), path);
      assert.equal(compression.stats().skipped[reason], before + 1, path);
    }
    const encoded = await ask(server, { path: '/encoded', headers: { 'accept-encoding': 'br, gzip' } });
    assert.equal(encoded.headers['content-encoding'], 'gzip');
    assert.equal(decoded(encoded).toString(), text);
    const { responses, skipped, encodings, refused, active } = compression.stats();
    assert.equal(skipped.encoded, 1);
    const sum = (of: object): number => Object.values(of).reduce((a, b) => a + b, 0);
    assert.equal(responses, 10);
    assert.equal(sum(skipped) + sum(Object.values(encodings).map(one => one.responses)) + refused, responses);
    assert.equal(active, 0);
  });

  test(`${framework}: identity that is refused is a reason to compress, and 406 only where asked for`, async () => {
    const lenient = await serve(new Compression({ name: 'lenient' }));
    const small = await ask(lenient, {
      path: '/small',
      headers: { 'accept-encoding': 'gzip, identity;q=0' },
    });
    assert.equal(small.headers['content-encoding'], 'gzip');
    assert.equal(decoded(small).toString(), 'small');
    const none = await ask(lenient, { path: '/whole', headers: { 'accept-encoding': '*;q=0' } });
    assert.deepEqual([none.status, none.body.toString()], [200, text]);
    const compression = new Compression({ name: 'strict', strict: true });
    const strict = await serve(compression);
    const refused = await ask(strict, { path: '/whole', headers: { 'accept-encoding': 'identity;q=0' } });
    assert.deepEqual(
      [refused.status, refused.body.length, refused.headers['vary']],
      [406, 0, 'Accept-Encoding'],
    );
    assert.equal(compression.stats().refused, 1);
  });

  test(`${framework}: a strong tag is weak once compressed, and ranges are not offered`, async () => {
    const server = await serve(new Compression({ name: 'tags' }));
    const compressed = await ask(server, { path: '/tagged', headers: { 'accept-encoding': 'br' } });
    assert.equal(compressed.headers['etag'], 'W/"v1"');
    assert.equal(compressed.headers['accept-ranges'], undefined);
    const plain = await ask(server, { path: '/tagged' });
    assert.equal(plain.headers['etag'], '"v1"');
    assert.equal(plain.headers['accept-ranges'], 'bytes');
  });

  test(`${framework}: laid over twice, or beside another, it compresses once`, async () => {
    const compression = new Compression({ name: 'once' });
    const other = new Compression({ name: 'other' });
    const server = await start([compression, compression, other], handler);
    running.push(server);
    const answer = await ask(server, { path: '/whole', headers: { 'accept-encoding': 'gzip' } });
    assert.equal(decoded(answer).toString(), text);
    assert.equal(compression.stats().responses, 1);
    assert.equal(other.stats().skipped.encoded + other.stats().encodings.gzip.responses, 1);
  });

  test(`${framework}: an event reaches the client when it is written, compressed`, async () => {
    let next: (() => void) | undefined;
    const server = await serve(new Compression({ name: 'events' }), (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      let events = 0;
      next = () => {
        events++;
        response.write(`data: ${events}\n\n`);
        if (events === 3) response.end();
      };
    });
    const gunzip = zlib.createGunzip();
    const pieces: string[] = [];
    gunzip.on('data', piece => pieces.push(String(piece)));
    const headers = { 'accept-encoding': 'gzip' };
    const ended = events(server, headers, gunzip);
    await until(() => next !== undefined, 'the handler');
    for (let i = 1; i <= 3; i++) {
      next!();
      await until(
        () =>
          pieces.join('') ===
          [1, 2, 3]
            .slice(0, i)
            .map(n => `data: ${n}\n\n`)
            .join(''),
        `event ${i}`,
      );
    }
    await ended;
  });

  test(`${framework}: the tag is of the content, in whatever order tags and compression are laid over it`, async () => {
    const parts = () => [new EntityTags(), new Compression({ name: 'ordered' })] as const;
    const tags: unknown[] = [];
    for (const order of [parts(), parts().toReversed()]) {
      const server = await start(order, handler);
      running.push(server);
      const first = await ask(server, { path: '/whole', headers: { 'accept-encoding': 'br' } });
      const tag = first.headers['etag'] as string;
      assert.match(tag, /^W\/"[\w-]{22}"$/);
      const plain = await ask(server, { path: '/whole' });
      assert.equal(`W/${plain.headers['etag']}`, tag);
      const again = await ask(server, {
        path: '/whole',
        headers: { 'accept-encoding': 'br', 'if-none-match': tag },
      });
      assert.deepEqual(
        [
          again.status,
          again.body.length,
          again.headers['etag'],
          again.headers['vary'],
          again.headers['content-encoding'],
        ],
        [304, 0, tag, 'Accept-Encoding', undefined],
      );
      tags.push(tag);
    }
    assert.equal(tags[0], tags[1]);
  });
}

async function events(
  server: Running,
  headers: Record<string, string>,
  into: NodeJS.WritableStream,
): Promise<void> {
  if (server.http2) {
    const { connect } = await import('node:http2');
    const session = connect(`http://127.0.0.1:${server.port}`);
    const stream = session.request({ ':path': '/', ...headers });
    stream.pipe(into);
    await once(stream, 'end');
    session.close();
    return;
  }
  const request = httpRequest({ host: '127.0.0.1', port: server.port, headers, agent: false }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.pipe(into);
  await once(response, 'end');
}

test('a client that reads slowly holds back who writes, and one that goes away releases the stream', async () => {
  const compression = new Compression({ name: 'slow', encodings: ['gzip'], levels: { gzip: 0 } });
  let produced = 0;
  let destroyed = false;
  const source = (): Readable =>
    new Readable({
      read() {
        produced += noise.length;
        this.push(noise);
      },
      destroy(_, done) {
        destroyed = true;
        done(null);
      },
    });
  const server = await frameworks['node:http']!([compression], (_, response) => {
    response.setHeader('content-type', 'text/plain');
    const body = source();
    response.once('close', () => body.destroy());
    body.pipe(response);
  });
  running.push(server);
  const request = httpRequest({
    host: '127.0.0.1',
    port: server.port,
    headers: { 'accept-encoding': 'gzip' },
    agent: false,
  });
  request.on('error', () => {});
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.on('error', () => {});
  let last = -1;
  let still = 0;
  // Nobody reads: what is produced comes to a halt once the buffers on the way are full.
  await until(() => {
    assert.ok(produced < 60_000_000, `${produced} bytes were written to a client that reads nothing`);
    still = produced === last ? still + 1 : 0;
    last = produced;
    return still > 30 && produced > 0;
  }, 'the writer to halt');
  assert.equal(compression.stats().active, 1);
  let read = 0;
  response.on('data', piece => {
    read += piece.length;
  });
  const halted = produced;
  await until(() => produced > halted + 10_000_000 && read > 10_000_000, 'it to go on when it is read');
  request.destroy();
  await until(() => destroyed && compression.stats().active === 0, 'the stream to be released');
  const { aborted, encodings } = compression.stats();
  assert.equal(aborted, 1);
  assert.equal(encodings.gzip.responses, 1);
});

test('a client that goes away while a whole body is compressed is counted, and nothing is written to it', async () => {
  const compression = new Compression({ name: 'gone', encodings: ['br'], levels: { br: 11 } });
  const errors: unknown[] = [];
  const server = await frameworks['node:http']!([compression], (request, response) => {
    response.on('error', error => errors.push(error));
    response.setHeader('content-type', 'text/plain');
    response.end(noise.toString('hex').repeat(20));
    request.socket.destroy();
  });
  running.push(server);
  await assert.rejects(ask(server, { headers: { 'accept-encoding': 'br' } }));
  await until(() => compression.stats().aborted === 1, 'the compression to end');
  assert.equal(compression.stats().active, 0);
  assert.deepEqual(errors, []);
});
