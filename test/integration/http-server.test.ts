import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get, type RequestListener, request, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { markInternal } from '../../instrumentation/internal';
import { expectMarks, markRoute } from '../../instrumentation/libraries/request-marks';
import { meterHttpServer } from '../../instrumentation/meters/http-server';
import { type MeterUnderTest, runMeter, until } from '../helpers/http-meter';

const duration = 'http.server.request.duration';
const requestSize = 'http.server.request.body.size';
const responseSize = 'http.server.response.body.size';
const active = 'http.server.active_requests';

describe('the HTTP server meter', () => {
  let meter: MeterUnderTest;
  let server: Server;

  beforeEach(() => {
    meter = runMeter(meterHttpServer, { config: { slowRequestMs: 50 } });
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
    await until(() => meter.total(active) === 0, 'no request in flight');
    for (const one of meter.series(active)) assert.equal(one.value, 0, JSON.stringify(one));
    assert.deepEqual(meter.problems, []);
    meter.stop();
  });

  async function serve(handler: RequestListener): Promise<number> {
    server = createServer(handler);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return (server.address() as AddressInfo).port;
  }
  /** Sends bytes as they are and gives the socket. */
  async function send(port: number, text: string): Promise<Socket> {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(text);
    return socket;
  }
  async function answerTo(port: number, text: string): Promise<string> {
    const socket = await send(port, text);
    let answer = '';
    socket.setEncoding('latin1').on('data', data => {
      answer += data;
    });
    await once(socket, 'close');
    return answer;
  }
  const recorded = (count: number) =>
    until(() => meter.total(duration) === count, `${count} requests recorded`);

  it('records method, status, scheme and version, and no route for plain http', async () => {
    const port = await serve((_, response) => response.end('hello'));
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/some/path?a=1`)).text(), 'hello');
    await recorded(1);
    assert.deepEqual(
      { ...meter.series(duration)[0]!.attributes },
      {
        'http.request.method': 'GET',
        'http.response.status_code': 200,
        'url.scheme': 'http',
        'network.protocol.version': '1.1',
      },
    );
  });

  it('takes the route that a framework marked, and none where asking for it throws', async () => {
    let places = 0;
    const port = await serve((message, response) => {
      if (Object.hasOwn(message, Symbol.for('otel-vitals.route'))) places++;
      markRoute(message, {
        get route() {
          if (message.url === '/broken') throw new Error('broken router');
          return '/users/:id';
        },
      });
      response.end();
    });
    await fetch(`http://127.0.0.1:${port}/users/1`);
    assert.equal(places, 0, 'requests of servers without a framework were given a place for its mark');
    // With one the place is there before the framework makes adding it dear.
    expectMarks();
    await fetch(`http://127.0.0.1:${port}/users/2`);
    await fetch(`http://127.0.0.1:${port}/broken`);
    await recorded(3);
    assert.equal(places, 2);
    assert.equal(meter.total(duration, { 'http.route': '/users/:id' }), 2);
    assert.equal(meter.total(duration, { 'http.route': undefined }), 1);
  });

  it('counts every request of a kept-alive connection', async () => {
    const port = await serve((_, response) => response.end('x'));
    const answer = await answerTo(
      port,
      'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(9) +
        'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    );
    assert.equal(answer.split('200 OK').length - 1, 10);
    await recorded(10);
    assert.equal(meter.series(responseSize)[0]!.sum, 10);
  });

  it('keeps the error type for 500 and above, and gives 404 none', async () => {
    const port = await serve((message, response) => {
      response.statusCode = Number(message.url!.slice(1));
      response.end();
    });
    for (const status of [404, 500, 503]) await fetch(`http://127.0.0.1:${port}/${status}`);
    await recorded(3);
    assert.equal(meter.total(duration, { 'http.response.status_code': 404, 'error.type': undefined }), 1);
    assert.equal(meter.total(duration, { 'http.response.status_code': 500, 'error.type': '500' }), 1);
    assert.equal(meter.total(duration, { 'http.response.status_code': 503, 'error.type': '503' }), 1);
  });

  it('names an unknown method _OTHER', async () => {
    const port = await serve((_, response) => response.end());
    await answerTo(port, 'PROPFIND / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await recorded(1);
    assert.equal(meter.total(duration, { 'http.request.method': '_OTHER' }), 1);
  });

  it('keeps the method as sent when the application rewrites it', async () => {
    const port = await serve((message, response) => {
      message.method = 'DELETE';
      response.end();
    });
    await fetch(`http://127.0.0.1:${port}/`, { method: 'POST' });
    await recorded(1);
    assert.equal(meter.total(duration, { 'http.request.method': 'POST' }), 1);
  });

  it('ends a request that the client aborts before the response, once and without a status', async () => {
    let reached: (() => void) | undefined;
    const handled = new Promise<void>(resolve => {
      reached = resolve;
    });
    const port = await serve(() => reached!());
    const socket = await send(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await handled;
    assert.equal(meter.total(active), 1);
    socket.destroy();
    await recorded(1);
    assert.equal(meter.total(duration, { 'error.type': 'client_aborted' }), 1);
    assert.equal(meter.total(duration, { 'http.response.status_code': undefined }), 1);
    assert.equal(meter.total(responseSize), 0);
  });

  it('ends a request that the client aborts in the middle of the response, with its status', async () => {
    const port = await serve((_, response) => {
      response.write('some');
      response.on('close', () => response.end('late'));
    });
    const socket = await send(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(socket, 'data');
    socket.resetAndDestroy();
    await recorded(1);
    assert.equal(
      meter.total(duration, { 'error.type': 'client_aborted', 'http.response.status_code': 200 }),
      1,
    );
  });

  it('ends every pipelined request of a connection that breaks', async () => {
    let started = 0;
    const port = await serve(() => started++);
    const socket = await send(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3));
    await until(() => started === 3, 'three requests');
    assert.equal(meter.total(active), 3);
    socket.destroy();
    await recorded(3);
  });

  it('answers pipelined requests in order, each with its own size', async () => {
    const sizes = [100, 300];
    const port = await serve((message, response) => {
      const size = sizes.shift()!;
      // The first response ends last; without a length both are measured on the socket.
      setTimeout(
        () => {
          response.write('x'.repeat(size));
          response.end();
        },
        30 - size / 10,
      ).unref();
      message.resume();
    });
    const socket = await send(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2));
    socket.resume();
    await recorded(2);
    const framing = '64\r\n\r\n0\r\n\r\n'.length + '12c\r\n\r\n0\r\n\r\n'.length;
    assert.equal(meter.series(responseSize)[0]!.sum, 400 + framing);
    socket.destroy();
  });

  it('names a response that the application destroys', async () => {
    const port = await serve((_, response) => response.destroy(new Error('stop')));
    await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
    await recorded(1);
    assert.equal(meter.total(duration, { 'error.type': 'server_aborted' }), 1);
  });

  it('records a request that a handler answers with an error and one whose handler throws', async () => {
    const onUncaught = (error: Error) => assert.equal(error.message, 'thrown in a handler');
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException').on('uncaughtException', onUncaught);
    try {
      const port = await serve(() => {
        throw new Error('thrown in a handler');
      });
      const socket = await send(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await until(() => meter.total(active) === 1, 'the request');
      socket.destroy();
      await recorded(1);
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const other of others) process.on('uncaughtException', other);
    }
  });

  it('measures bodies by their Content-Length, whichever way it was set', async () => {
    const port = await serve((message, response) => {
      message.resume().on('end', () => {
        if (message.url === '/end') response.end('12345');
        if (message.url === '/head') response.writeHead(200, { 'content-length': 5 }).end('12345');
        if (message.url === '/list') response.writeHead(200, ['Content-Length', '5']).end('12345');
        if (message.url === '/set') {
          response.setHeader('Content-Length', '5');
          response.write('123');
          response.end('45');
        }
      });
    });
    const paths = ['/end', '/head', '/list', '/set'];
    for (const path of paths) {
      await (await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body: 'abc' })).text();
    }
    await recorded(4);
    assert.equal(meter.series(responseSize)[0]!.sum, 20);
    assert.equal(meter.series(requestSize)[0]!.sum, 12);
  });

  it('measures chunked bodies on the socket, on the first request of a connection and on later ones', async () => {
    const port = await serve((message, response) => {
      message.resume().on('end', () => {
        response.write('a'.repeat(1000));
        response.end('b'.repeat(500));
      });
    });
    const body = `3e8\r\n${'a'.repeat(1000)}\r\n0\r\n\r\n`;
    const socket = await send(port, '');
    let received = '';
    socket.setEncoding('latin1').on('data', data => {
      received += data;
    });
    for (const count of [1, 2, 3]) {
      socket.write(`POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}`);
      await recorded(count);
    }
    await until(() => received.split('0\r\n\r\n').length === 4, 'three responses');
    const heads = received.match(/HTTP.*?\r\n\r\n/gs)!.join('');
    assert.equal(meter.series(responseSize)[0]!.sum, received.length - heads.length);
    assert.equal(meter.series(requestSize)[0]!.sum, 3 * body.length);
    socket.destroy();
  });

  it('counts no body for HEAD, 204 and 304', async () => {
    const port = await serve((message, response) => {
      response.statusCode = message.url === '/head' ? 200 : Number(message.url!.slice(1));
      response.end(message.url === '/head' ? 'not sent' : undefined);
    });
    await fetch(`http://127.0.0.1:${port}/head`, { method: 'HEAD' });
    await fetch(`http://127.0.0.1:${port}/204`);
    await fetch(`http://127.0.0.1:${port}/304`);
    await recorded(3);
    for (const one of meter.series(responseSize)) assert.equal(one.sum, 0, JSON.stringify(one.attributes));
  });

  it('counts slow requests', async () => {
    const port = await serve((message, response) => {
      setTimeout(() => response.end(), message.url === '/slow' ? 60 : 0);
    });
    await fetch(`http://127.0.0.1:${port}/slow`);
    await fetch(`http://127.0.0.1:${port}/fast`);
    await recorded(2);
    assert.equal(meter.total('vitals.http.server.slow_requests', { 'http.request.method': 'GET' }), 1);
  });

  it('leaves out the servers of the agent itself', async () => {
    const port = await serve((_, response) => response.end());
    markInternal(server);
    await fetch(`http://127.0.0.1:${port}/`);
    assert.equal(meter.total(duration), 0);
    assert.deepEqual(meter.series(active), []);
  });

  it('counts a request that waits for 100-continue once', async () => {
    const port = await serve((message, response) => {
      message.resume().on('end', () => response.end('ok'));
    });
    const message = request({
      port,
      method: 'PUT',
      headers: { expect: '100-continue', 'content-length': 4 },
    });
    message.flushHeaders();
    await once(message, 'continue');
    message.end('body');
    const [response] = await once(message, 'response');
    response.resume();
    await recorded(1);
    assert.equal(meter.series(requestSize)[0]!.sum, 4);
  });

  it('does not count an upgrade that the server accepts, and counts one that it does not', async () => {
    const upgrade = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    const port = await serve((_, response) => response.setHeader('Connection', 'close').end());
    await answerTo(port, upgrade);
    await recorded(1);
    server.on('upgrade', (_, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'));
    server.on('connect', (_, socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
    await answerTo(port, upgrade);
    await answerTo(port, 'CONNECT other:443 HTTP/1.1\r\nHost: other\r\n\r\n');
    assert.equal(meter.total(duration), 1);
    assert.equal(meter.total(active), 0);
  });

  it('names a request whose body never came by the code of Node.js', async () => {
    const port = await serve(() => {});
    server.close();
    server = createServer(
      { requestTimeout: 50, headersTimeout: 40, connectionsCheckingInterval: 20 },
      () => {},
    );
    await once(server.listen(port, '127.0.0.1'), 'listening');
    await answerTo(port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
    await recorded(1);
    assert.equal(meter.total(duration, { 'error.type': 'ERR_HTTP_REQUEST_TIMEOUT' }), 1);
  });

  it('ends what was in flight when the server closes all connections', async () => {
    let started = 0;
    const port = await serve((message, response) => {
      started++;
      if (message.url === '/big') response.end(Buffer.alloc(64 * 1024 * 1024));
    });
    for (const path of ['/waits', '/big']) {
      get({ port, path, agent: false }, response => response.pause()).on('error', () => {});
    }
    await until(() => started === 2, 'two requests');
    server.closeAllConnections();
    await recorded(2);
    assert.equal(meter.total(duration, { 'error.type': 'server_aborted' }), 2);
  });

  it('holds the series of routes within the cardinality limit and loses no request', async () => {
    meter.stop();
    meter = runMeter(meterHttpServer, { cardinalityLimit: 10 });
    const port = await serve((message, response) => {
      markRoute(message, { route: message.url });
      response.end();
    });
    for (let i = 0; i < 30; i++) await (await fetch(`http://127.0.0.1:${port}/${i}`)).text();
    await recorded(30);
    assert.equal(meter.series(duration).length, 10);
    assert.equal(meter.total(duration, { 'otel.metric.overflow': true }), 21);
  });
});
