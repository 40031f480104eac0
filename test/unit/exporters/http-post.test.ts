import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, test } from 'node:test';
import { createPoster, type Poster, PostTimeoutError } from '../../../exporters/http/post';

const servers: Server[] = [];
const posters: Poster[] = [];
afterEach(() => {
  for (const poster of posters.splice(0)) poster.close();
  for (const server of servers.splice(0)) server.close();
});

/** A server of which each connection is given, with its number, to `handle`. */
async function serverOf(handle: (socket: Socket, number: number) => void): Promise<URL> {
  let number = 0;
  const server = createServer(socket =>
    handle(
      socket.on('error', () => {}),
      ++number,
    ),
  );
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new URL(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
}

function posterTo(url: URL, keepAlive = true): Poster {
  const poster = createPoster(url, { keepAlive });
  posters.push(poster);
  return poster;
}

const ok = (text: string): string => `HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`;

async function post(
  poster: Poster,
  more: { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<string> {
  const answer = await poster.post({
    path: '/p?q=1',
    headers: { 'x-a': 'b' },
    body: Buffer.from('body'),
    timeoutMs: 5000,
    signal: new AbortController().signal,
    maxBody: () => 100,
    ...more,
  });
  return answer.body.toString();
}

test('a request is whole HTTP/1.1, and a poster that keeps nothing says so', async () => {
  const seen: string[] = [];
  const url = await serverOf(socket =>
    socket.on('data', data => seen.push(String(data)) && socket.end(ok(''))),
  );
  await post(posterTo(url, false));
  assert.deepEqual(
    seen.join(''),
    `POST /p?q=1 HTTP/1.1\r\nhost: ${url.host}\r\nx-a: b\r\ncontent-length: 4\r\nconnection: close\r\n\r\nbody`,
  );
});

test('a connection is kept for the next request, and two at once have two', async () => {
  const url = await serverOf((socket, number) => socket.on('data', () => socket.write(ok(`${number}`))));
  const poster = posterTo(url);
  assert.deepEqual([await post(poster), await post(poster), await post(poster)], ['1', '1', '1']);
  assert.deepEqual((await Promise.all([post(poster), post(poster)])).sort(), ['1', '2']);
});

test('where a kept connection is gone the request goes over a new one', async () => {
  const url = await serverOf((socket, number) => {
    let requests = 0;
    socket.on('data', () => {
      // The first connection takes one more request, and closes without an answer.
      if (++requests > 1 && number === 1) socket.resetAndDestroy();
      else socket.write(ok(`${number}`));
    });
  });
  const poster = posterTo(url);
  assert.deepEqual([await post(poster), await post(poster), await post(poster)], ['1', '2', '2']);
});

test('a new connection that closes without an answer is an error, and not tried again', async () => {
  let connections = 0;
  const url = await serverOf(socket => {
    connections++;
    socket.on('data', () => socket.end());
  });
  await assert.rejects(post(posterTo(url)), /closed the connection without an answer/);
  assert.equal(connections, 1);
});

test('what comes unasked on a kept connection closes it, and is no answer to the next request', async () => {
  const url = await serverOf((socket, number) => {
    socket.on('data', () => {
      socket.write(ok(`${number}`));
      if (number === 1) setTimeout(() => socket.write(ok('unasked')), 20);
    });
  });
  const poster = posterTo(url);
  assert.equal(await post(poster), '1');
  await new Promise(resolve => setTimeout(resolve, 200));
  assert.equal(await post(poster), '2');
});

test('no answer in time and an abort end the request and its connection', async () => {
  const closed: Promise<unknown>[] = [];
  const url = await serverOf(socket => closed.push(once(socket.resume(), 'close')));
  await assert.rejects(post(posterTo(url), { timeoutMs: 50 }), (error: unknown) => {
    assert.ok(error instanceof PostTimeoutError);
    return error.message === 'no answer within 50 ms';
  });
  const controller = new AbortController();
  const cut = post(posterTo(url), { signal: controller.signal });
  setTimeout(() => controller.abort(new Error('cut')), 50);
  await assert.rejects(cut, /^Error: cut$/);
  await Promise.all(closed);
  assert.equal(closed.length, 2);
});

test('a header of two lines is refused before anything is sent', async () => {
  const url = await serverOf(socket => socket.on('data', () => socket.end(ok(''))));
  const poster = posterTo(url);
  const options = { path: '/', body: Buffer.alloc(0), timeoutMs: 100, maxBody: () => 0 };
  const { signal } = new AbortController();
  await assert.rejects(
    poster.post({ ...options, signal, headers: { 'x-a': 'b\r\nx-c: d' } }),
    /Expected one line for the header x-a/,
  );
});
