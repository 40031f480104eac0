import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, constants } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { after, test } from 'node:test';
import {
  createHttp2Server,
  type Http2Handler,
  type Http2Server,
  type Http2ServerOptions,
} from '../../toolkit/network';
import { selfSigned } from '../helpers/certificate';
import { type FrameClient, frame, frameClient } from '../helpers/http2-frames';
import { until } from '../helpers/web-parts';

const servers: Http2Server[] = [];
const clients: { destroy(): void }[] = [];
after(async () => {
  for (const client of clients) client.destroy();
  await Promise.all(servers.map(server => server.close({ timeoutMs: 1 })));
});

const hello: Http2Handler = (_, response) => void response.end('hello');
async function serve(options: Partial<Http2ServerOptions>, handler: Http2Handler = hello) {
  const server = createHttp2Server({ name: 'test', ...options }, handler);
  servers.push(server);
  const { port } = await server.listen({ host: '127.0.0.1' });
  return { server, port };
}
function client(port: number, options = {}) {
  const session = connect(`http${'ca' in options ? 's' : ''}://localhost:${port}`, options);
  session.on('error', () => {});
  clients.push(session);
  return session;
}
async function get(session: ReturnType<typeof connect>, path = '/'): Promise<string> {
  const stream = session.request({ ':path': path });
  return Buffer.concat(await stream.toArray()).toString();
}
async function raw(port: number): Promise<FrameClient> {
  const socket = await frameClient(port);
  clients.push(socket);
  return socket;
}
/** GET /, with the headers in their static places. */
const head = Buffer.from([0x82, 0x86, 0x84, 0x41, 0x01, 0x61]);
const post = Buffer.from([0x83, 0x86, 0x84, 0x41, 0x01, 0x61]);
const calm = constants.NGHTTP2_ENHANCE_YOUR_CALM;

test('it speaks HTTP/2 in clear text, with the settings that were asked for, and counts what comes', async () => {
  const { server, port } = await serve({
    maxConcurrentStreams: 7,
    maxFrameBytes: 20_000,
    maxHeaderListBytes: 4000,
  });
  const session = client(port);
  const [settings] = await once(session, 'remoteSettings');
  assert.deepEqual(
    [settings.maxConcurrentStreams, settings.maxFrameSize, settings.maxHeaderListSize],
    [7, 20_000, 4000],
  );
  assert.equal(await get(session), 'hello');
  assert.equal(await get(session), 'hello');
  const { sessions, streams } = server.stats();
  assert.deepEqual([sessions.opened, sessions.open, streams.opened], [1, 1, 2]);
  session.close();
  await until(() => server.stats().sessions.open === 0, 'the session to close');
  assert.deepEqual(server.stats().streams, { opened: 2, closed: 2, open: 0, refused: 0 });
  assert.deepEqual(server.stats().resets, { received: 0, sent: 0 });
});

test('over TLS clients choose: HTTP/2, or HTTP/1.1 where it is allowed', async () => {
  const tls = selfSigned();
  const { server, port } = await serve(
    { tls },
    (request, response) => void response.end(request.httpVersion),
  );
  assert.equal(await get(client(port, { ca: tls.cert })), '2.0');
  const old = async (at: number) => {
    const request = httpsRequest({ host: 'localhost', port: at, ca: tls.cert, agent: false }).end();
    const [response] = await once(request, 'response');
    return Buffer.concat(await response.toArray()).toString();
  };
  assert.equal(await old(port), '1.1');
  assert.equal(server.stats().http1Requests, 1);
  assert.equal(server.stats().sessions.opened, 1);
  const only = await serve({ tls, allowHttp1: false });
  // Node.js says in HTTP/1.1 that it does not speak it.
  assert.match(await old(only.port), /ALPN Protocol, expected `h2`/);
  assert.equal(await get(client(only.port, { ca: tls.cert })), 'hello');
  assert.throws(
    () => createHttp2Server({ name: 'x', allowHttp1: true }, hello),
    /Expected tls with allowHttp1/,
  );
});

for (const [kind, flood, bytes] of [
  [
    'resets',
    { resets: 50 },
    (i: number) => [frame(1, 5, 1 + 2 * i, head), frame(3, 0, 1 + 2 * i, Buffer.from([0, 0, 0, 8]))],
  ],
  ['settings', { settings: 20 }, () => [frame(4, 0, 0)]],
  ['pings', { pings: 100 }, () => [frame(6, 0, 0, Buffer.alloc(8))]],
] as const) {
  test(`a client that floods with ${kind} is told to calm down and sent away, and others are served on`, async () => {
    let served = 0;
    const { server, port } = await serve({ flood, maxConcurrentStreams: 1000 }, (_, response) => {
      served++;
      response.end('hello');
    });
    const neighbour = client(port);
    assert.equal(await get(neighbour), 'hello');
    const hostile = await raw(port);
    hostile.write(Buffer.concat(Array.from({ length: 400 }, (_, i) => bytes(i)).flat()));
    await hostile.closed;
    assert.ok(hostile.goaways.includes(calm), `GOAWAY with ${hostile.goaways.join()}`);
    const { sessions, streams } = server.stats();
    assert.equal(sessions.flooded[kind], 1);
    assert.equal(
      Object.values(sessions.flooded).reduce((a, b) => a + b, 0),
      1,
    );
    assert.deepEqual([sessions.opened, sessions.open, sessions.failed], [2, 1, 0]);
    assert.equal(streams.opened - streams.closed, 0);
    if (kind === 'resets') {
      // What came after the limit was reached never got to the handler.
      assert.ok(served <= 1 + 51 + 1, `${served} were served`);
      assert.equal(streams.refused, streams.opened - served);
      assert.ok(server.stats().resets.received >= 51);
    }
    assert.equal(await get(neighbour), 'hello');
  });
}

for (const [what, bytes] of [
  ['empty DATA frames', [frame(1, 4, 1, post), ...Array.from({ length: 500 }, () => frame(0, 0, 1))]],
  ['streams past the limit', Array.from({ length: 300 }, (_, i) => frame(1, 5, 1 + 2 * i, head))],
] as const) {
  test(`a client that sends many ${what} is sent away`, async () => {
    const { server, port } = await serve(
      { maxConcurrentStreams: 2, maxInvalidFrames: 50, maxRejectedStreams: 50 },
      () => {},
    );
    const hostile = await raw(port);
    hostile.write(Buffer.concat(bytes));
    await hostile.closed;
    await until(() => server.stats().sessions.open === 0, 'the session to close');
    assert.equal(server.stats().sessions.flooded.invalid_frames, 1);
  });
}

test('what is no HTTP/2 is a failed session, and harms nobody', async () => {
  const { server, port } = await serve({});
  const hostile = await raw(port);
  // A window that grows by nothing is an error of the protocol.
  hostile.write(frame(8, 0, 0, Buffer.alloc(4)));
  await hostile.closed;
  await until(() => server.stats().sessions.closed === 1, 'the session to close');
  assert.equal(server.stats().sessions.failed, 1);
  assert.equal(await get(client(port)), 'hello');
});

test('ordinary clients may reset, ping and open streams as they like', async () => {
  const { server, port } = await serve({}, () => {});
  const session = client(port);
  for (let i = 0; i < 150; i++) {
    const stream = session.request({ ':path': '/' });
    stream.on('error', () => {});
    if (i % 50 === 0) await new Promise(resolve => setImmediate(resolve));
    stream.close(constants.NGHTTP2_CANCEL);
  }
  await new Promise<void>((resolve, reject) => {
    session.ping(error => (error ? reject(error) : resolve()));
  });
  const { sessions } = server.stats();
  assert.deepEqual([sessions.open, Object.values(sessions.flooded)], [1, [0, 0, 0, 0]]);
});

test('a session that is idle is closed; one that waits for an answer is not', async () => {
  let answer: (() => void) | undefined;
  const { server, port } = await serve({ idleTimeoutMs: 100 }, (_, response) => {
    answer = () => void response.end('late');
  });
  const waiting = client(port);
  const text = get(waiting);
  await until(() => answer !== undefined, 'the handler');
  const idle = client(port);
  await once(idle, 'connect');
  await once(idle, 'close');
  assert.equal(server.stats().sessions.idled, 1);
  await new Promise(resolve => setTimeout(resolve, 150));
  answer!();
  assert.equal(await text, 'late');
  await once(waiting, 'close');
  assert.equal(server.stats().sessions.idled, 2);
});

test('connections and streams past their limit are refused, and those that are there are served', async () => {
  const ends: (() => void)[] = [];
  const { server, port } = await serve({ maxSessions: 1, maxStreams: 2 }, (_, response) => {
    ends.push(() => response.end('hello'));
  });
  const session = client(port);
  const texts = [get(session), get(session)];
  await until(() => ends.length === 2, 'both to be asked');
  const refused = session.request({ ':path': '/' });
  const [error] = await once(refused, 'error');
  assert.match(String(error), /NGHTTP2_REFUSED_STREAM/);
  const other = client(port);
  await once(other, 'close');
  assert.equal(server.stats().sessions.refused, 1);
  for (const end of ends) end();
  assert.deepEqual(await Promise.all(texts), ['hello', 'hello']);
  await until(() => server.stats().streams.open === 0, 'the streams to close');
  assert.deepEqual(server.stats().streams, { opened: 3, closed: 3, open: 0, refused: 1 });
  assert.equal(server.stats().resets.sent, 1);
  assert.equal(ends.length, 2);
});

test('closing tells clients, lets requests end, and then takes no more', async () => {
  let answer: (() => void) | undefined;
  const { server, port } = await serve({}, (_, response) => {
    answer = () => void response.end('done');
  });
  const session = client(port);
  const text = get(session);
  await until(() => answer !== undefined, 'the handler');
  const goaway = once(session, 'goaway');
  const closed = server.close();
  assert.equal((await goaway)[0], constants.NGHTTP2_NO_ERROR);
  answer!();
  assert.equal(await text, 'done');
  assert.deepEqual(await closed, { forced: 0 });
  assert.equal(server.stats().sessions.open, 0);
  const late = connect(`http://localhost:${port}`);
  const [error] = await once(late, 'error');
  assert.equal(error.code, 'ECONNREFUSED');
});

test('closing waits no longer than it may, over HTTP/1.1 neither', async () => {
  const tls = selfSigned();
  const asked: string[] = [];
  const { server, port } = await serve({ tls }, request => void asked.push(request.httpVersion));
  const session = client(port, { ca: tls.cert });
  session.request({ ':path': '/' }).on('error', () => {});
  const request = httpsRequest({ host: 'localhost', port, ca: tls.cert, agent: false }).end();
  const failed = once(request, 'error');
  await until(() => asked.length === 2, 'both to be asked');
  assert.deepEqual(await server.close({ timeoutMs: 50 }), { forced: 2 });
  await failed;
  assert.deepEqual(server.stats().streams.open, 0);
  assert.equal(await server.close(), await server.close());
});

test('options that make no sense are refused', () => {
  const make = (options: object) => () => createHttp2Server({ name: 'x', ...options }, hello);
  assert.throws(make({ maxFrameBytes: 100 }), /Expected maxFrameBytes to be from 16384 to 16777215, got 100/);
  assert.throws(
    make({ maxConcurrentStreams: 0 }),
    /Expected maxConcurrentStreams to be an integer above zero, got 0/,
  );
  assert.throws(make({ flood: { resets: -1 } }), /Expected flood.resets to be an integer above zero, got -1/);
  assert.throws(
    () => createHttp2Server({ name: 'x' }, undefined as never),
    /Expected handler to be a function/,
  );
});
