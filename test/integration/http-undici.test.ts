import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Client, Pool } from 'undici';
import { hookModules } from '../../instrumentation/libraries/modules';
import { undiciTargets } from '../../instrumentation/libraries/undici';
import { createLog } from '../../instrumentation/log';
import { meterHttpClient } from '../../instrumentation/meters/http-client';
import { type MeterUnderTest, runMeter, until } from '../helpers/http-meter';

const duration = 'http.client.request.duration';
const active = 'http.client.active_requests';
const connections = 'http.client.open_connections';
const connectionDuration = 'http.client.connection.duration';
const reused = 'vitals.http.client.connection.reused';
const queue = 'vitals.http.client.queue.size';

hookModules(undiciTargets(), createLog('warn'), () => {});

describe('the HTTP client meter on fetch and undici', () => {
  let meter: MeterUnderTest;
  let server: Server | undefined;

  beforeEach(() => {
    meter = runMeter(meterHttpClient);
  });
  afterEach(async () => {
    server?.closeAllConnections();
    await new Promise(resolve => (server?.listening ? server.close(resolve) : resolve(undefined)));
    await until(() => meter.total(active) === 0, 'no request in flight');
    await until(() => meter.total(connections) === 0, 'no connection open');
    for (const name of [active, connections, queue]) {
      for (const one of meter.series(name)) assert.equal(one.value, 0, `${name} ${JSON.stringify(one)}`);
    }
    assert.deepEqual(meter.problems, []);
    meter.stop();
  });

  async function serve(handler: RequestListener): Promise<number> {
    server = createServer(handler);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return (server.address() as AddressInfo).port;
  }
  const recorded = (count: number) =>
    until(() => meter.total(duration) === count, `${count} requests recorded`);

  it('records fetch once, with host, port and status and never the path', async () => {
    const port = await serve((_, response) => response.end('hello'));
    await (await fetch(`http://127.0.0.1:${port}/users/1?secret=2`)).text();
    await recorded(1);
    assert.deepEqual(
      { ...meter.series(duration)[0]!.attributes },
      {
        'http.request.method': 'GET',
        'http.response.status_code': 200,
        'server.address': '127.0.0.1',
        'server.port': port,
        'url.scheme': 'http',
        'network.protocol.version': '1.1',
      },
    );
  });

  it('counts every hop of a redirect and the reuse of the connection', async () => {
    const port = await serve((message, response) => {
      if (message.url === '/from') response.writeHead(302, { location: '/to' });
      response.end('there');
    });
    let opened = 0;
    server!.on('connection', () => opened++);
    await (await fetch(`http://127.0.0.1:${port}/from`)).text();
    await recorded(2);
    assert.equal(meter.total(duration, { 'http.response.status_code': 302 }), 1);
    for (let i = 0; i < 3; i++) await (await fetch(`http://127.0.0.1:${port}/to`)).text();
    await recorded(5);
    // Whether the hop itself finds the connection free again is undici's own affair.
    assert.ok(opened < 5);
    assert.equal(meter.total(reused), 5 - opened);
    assert.equal(meter.total(connections, { 'http.connection.state': 'idle' }), opened);
  });

  it('gives 404 and 500 their status as error type', async () => {
    const port = await serve((message, response) => {
      response.statusCode = Number(message.url!.slice(1));
      response.end();
    });
    for (const status of [404, 500]) await (await fetch(`http://127.0.0.1:${port}/${status}`)).text();
    await recorded(2);
    assert.equal(meter.total(duration, { 'http.response.status_code': 404, 'error.type': '404' }), 1);
    assert.equal(meter.total(duration, { 'http.response.status_code': 500, 'error.type': '500' }), 1);
  });

  it('names a refused connection ECONNREFUSED', async () => {
    const port = await serve(() => {});
    await new Promise(resolve => server!.close(resolve));
    await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
    await recorded(1);
    assert.equal(meter.total(duration, { 'error.type': 'ECONNREFUSED', 'server.port': port }), 1);
    assert.equal(meter.total(connectionDuration), 0);
  });

  it('names a fetch that its signal aborts or times out', async () => {
    const controller = new AbortController();
    const port = await serve(message => {
      if (message.url === '/abort') controller.abort();
    });
    await assert.rejects(fetch(`http://127.0.0.1:${port}/abort`, { signal: controller.signal }));
    await recorded(1);
    assert.equal(meter.total(duration, { 'error.type': 'AbortError' }), 1);
    await assert.rejects(fetch(`http://127.0.0.1:${port}/slow`, { signal: AbortSignal.timeout(20) }));
    await recorded(2);
    assert.equal(meter.total(duration, { 'error.type': 'TimeoutError' }), 1);
  });

  it('ends a request whose response breaks off, with its status', async () => {
    const port = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half', () => response.destroy());
    });
    await assert.rejects(fetch(`http://127.0.0.1:${port}/`).then(response => response.text()));
    await recorded(1);
    assert.equal(meter.total(duration, { 'error.type': undefined }), 0);
    assert.equal(meter.total(duration, { 'http.response.status_code': 200 }), 1);
  });

  it('shows the connections, the queue and the reuse of a pool', async () => {
    const held: (() => void)[] = [];
    const port = await serve((_, response) => held.push(() => response.end('x')));
    const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 2, pipelining: 1 });
    const all = [1, 2, 3, 4, 5].map(async () => {
      const { body } = await pool.request({ path: '/', method: 'GET' });
      await body.text();
    });
    await until(() => held.length === 2, 'two requests');
    assert.equal(meter.total(active), 2);
    assert.equal(meter.total(queue), 3);
    assert.equal(meter.total(connections, { 'http.connection.state': 'active' }), 2);
    for (let ended = 0; ended < 5; ended++) {
      await until(() => held.length > 0, 'a request');
      held.pop()!();
    }
    await Promise.all(all);
    await recorded(5);
    assert.equal(meter.total(reused), 3);
    assert.equal(meter.total(connections, { 'http.connection.state': 'idle' }), 2);
    await pool.close();
    await until(() => meter.total(connectionDuration) === 2, 'two connections recorded');
  });

  it('ends requests that a destroyed client drops from its queue', async () => {
    let started = 0;
    const port = await serve(() => started++);
    const client = new Client(`http://127.0.0.1:${port}`, { pipelining: 1 });
    const all = [1, 2, 3].map(() => client.request({ path: '/', method: 'GET' }).catch(() => {}));
    await until(() => started === 1, 'a request');
    assert.equal(meter.total(active), 3);
    assert.equal(meter.total(queue), 2);
    await client.destroy();
    await Promise.all(all);
    await recorded(3);
    assert.equal(meter.total(duration, { 'error.type': undefined }), 0);
  });

  it('does not count an upgrade through undici', async () => {
    const port = await serve(() => {});
    server!.on('upgrade', (_, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n');
      // A socket that nobody reads never learns that the other side is gone.
      socket.on('end', () => socket.destroy()).resume();
    });
    const pool = new Pool(`http://127.0.0.1:${port}`);
    const { socket } = await pool.upgrade({ path: '/', protocol: 'test' });
    assert.equal(meter.total(duration), 0);
    assert.equal(meter.total(active), 0);
    socket.destroy();
    await pool.destroy();
  });
});
