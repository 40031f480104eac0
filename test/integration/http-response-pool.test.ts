import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { after, test } from 'node:test';
import { HttpResponsePool } from '../../toolkit/object-pool';
import { assertPoolLaws } from '../helpers/pools';

const pool = new HttpResponsePool({ name: 'http', initialBodyBytes: 64, maxBodyBytes: 1 << 22 });
let handle = (_url: string, _response: ServerResponse): void => {};
const server = createServer((request, response) => handle(request.url!, response));
server.listen(0, '127.0.0.1');
const listening = once(server, 'listening');
const origin = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
after(() => {
  server.closeAllConnections();
  server.close();
});

/** Resolves once nothing of the pool is in use. */
async function allBack(): Promise<void> {
  while (pool.stats().used > 0) await new Promise(resolve => setImmediate(resolve));
}

test('a thousand simultaneous answers arrive whole although their memory is used again', async () => {
  await listening;
  handle = (url, to) => {
    const response = pool.acquire();
    response.statusCode = 201;
    response.headers.set('content-type', 'text/plain').set('set-cookie', ['a=1', 'b=2']);
    response.write(url.repeat(500));
    pool.send(response, to);
  };
  for (let round = 0; round < 10; round++) {
    await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const url = `/${round}/${i}`;
        const answer = await fetch(origin() + url);
        assert.equal(answer.status, 201);
        assert.deepEqual(answer.headers.getSetCookie(), ['a=1', 'b=2']);
        assert.equal(answer.headers.get('content-length'), String(url.length * 500));
        assert.equal(await answer.text(), url.repeat(500));
      }),
    );
  }
  await allBack();
  const { acquired, created, reused } = pool.stats();
  assert.equal(acquired, 1000);
  assert.ok(created <= 100 && reused >= 900, JSON.stringify({ created, reused }));
  assertPoolLaws(pool.stats());
});

test('a response whose client goes away half way comes back to the pool', async () => {
  await listening;
  handle = (_url, to) => {
    const response = pool.acquire();
    // More than the sockets' buffers hold, so that the rest waits for the client.
    for (let i = 0; i < 4; i++) response.write('x'.repeat(4 << 20));
    pool.send(response, to);
  };
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await once(socket, 'data');
  assert.equal(pool.stats().used, 1);
  socket.destroy();
  await allBack();
});

test('a response sent to somebody who is gone, or that Node.js refuses, comes back at once', async () => {
  await listening;
  let gone: ServerResponse | undefined;
  handle = (_url, to) => {
    gone = to;
  };
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  while (gone === undefined) await new Promise(resolve => setImmediate(resolve));
  const closed = once(gone, 'close');
  socket.destroy();
  await closed;
  pool.send(pool.acquire().write('late'), gone);
  assert.equal(pool.stats().used, 0);

  let refused: unknown;
  handle = (_url, to) => {
    const response = pool.acquire();
    response.headers.set('x', 'line\nbreak');
    try {
      pool.send(response, to);
    } catch (error) {
      refused = error;
      to.end();
    }
  };
  await (await fetch(origin())).text();
  assert.equal((refused as { code?: string }).code, 'ERR_INVALID_CHAR');
  assert.equal(pool.stats().used, 0);
});

test('a response that was sent goes back once, whoever else would give it back', async () => {
  await listening;
  const codes: unknown[] = [];
  const codeOf = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      codes.push((error as { code?: string }).code);
    }
  };
  handle = (url, to) => {
    if (url === '/use') {
      pool.use(response => pool.send(response.write('used'), to));
      return;
    }
    if (url === '/later') {
      void pool.use(async response => pool.send(response.write('used later'), to));
      return;
    }
    const response = pool.acquire().write('sent');
    pool.send(response, to);
    codeOf(() => pool.send(response, to));
    codeOf(() => pool.release(response));
  };
  const before = pool.stats();
  for (const [url, text] of Object.entries({ '/use': 'used', '/later': 'used later', '/': 'sent' })) {
    assert.equal(await (await fetch(origin() + url)).text(), text);
    await allBack();
  }
  assert.deepEqual(codes, ['POOL_DOUBLE_RELEASE', 'POOL_DOUBLE_RELEASE']);
  const { acquired, released } = pool.stats();
  assert.deepEqual([acquired - before.acquired, released - before.released], [3, 3]);
  const given = pool.acquire();
  pool.release(given);
  assert.throws(() => pool.send(given, {} as ServerResponse), { code: 'POOL_DOUBLE_RELEASE' });
  assertPoolLaws(pool.stats());
});
