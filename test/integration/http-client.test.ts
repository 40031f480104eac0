import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  Agent,
  type ClientRequest,
  createServer,
  get,
  type RequestListener,
  request,
  type Server,
} from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { makeInternal } from '../../instrumentation/internal';
import { meterHttpClient } from '../../instrumentation/meters/http-client';
import { type MeterUnderTest, runMeter, until } from '../helpers/http-meter';

const duration = 'http.client.request.duration';
const active = 'http.client.active_requests';
const connections = 'http.client.open_connections';
const connectionDuration = 'http.client.connection.duration';
const reused = 'vitals.http.client.connection.reused';
const queue = 'vitals.http.client.queue.size';
/** Requests are published when they are made; on Node.js 20 only when they have been written. */
const tellsOfCreation = Number(process.versions.node.split('.')[0]) >= 22;

describe('the HTTP client meter on node:http', () => {
  let meter: MeterUnderTest;
  let server: Server | undefined;
  let agent: Agent;

  beforeEach(() => {
    meter = runMeter(meterHttpClient);
    agent = new Agent({ keepAlive: true, maxSockets: 2 });
  });
  afterEach(async () => {
    agent.destroy();
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
  /** Sends a request and reads its response to the end; an error of either is an outcome like any other. */
  async function outcome(message: ClientRequest): Promise<string> {
    return new Promise(resolve => {
      message.on('error', error => resolve((error as NodeJS.ErrnoException).code ?? error.message));
      message.on('response', response => {
        response.on('error', error => resolve((error as NodeJS.ErrnoException).code ?? error.message));
        response.resume().on('end', () => resolve(String(response.statusCode)));
      });
    });
  }
  const recorded = (count: number) =>
    until(() => meter.total(duration) === count, `${count} requests recorded`);

  it('records method, status, host, port, scheme and version, and never the path', async () => {
    const port = await serve((_, response) => response.end('hello'));
    await outcome(get(`http://localhost:${port}/users/1?secret=2`, { agent, family: 4 }));
    await recorded(1);
    assert.deepEqual(
      { ...meter.series(duration)[0]!.attributes },
      {
        'http.request.method': 'GET',
        'http.response.status_code': 200,
        'server.address': 'localhost',
        'server.port': port,
        'url.scheme': 'http',
        'network.protocol.version': '1.1',
      },
    );
  });

  it('gives 404 and 500 their status as error type', async () => {
    const port = await serve((message, response) => {
      response.statusCode = Number(message.url!.slice(1));
      response.end();
    });
    for (const status of [304, 404, 500]) await outcome(get({ port, path: `/${status}`, agent }));
    await recorded(3);
    assert.equal(meter.total(duration, { 'http.response.status_code': 304, 'error.type': undefined }), 1);
    assert.equal(meter.total(duration, { 'http.response.status_code': 404, 'error.type': '404' }), 1);
    assert.equal(meter.total(duration, { 'http.response.status_code': 500, 'error.type': '500' }), 1);
  });

  it('tells connections in use from idle ones, counts reuse, and records how long they were open', async () => {
    const held: (() => void)[] = [];
    const port = await serve((_, response) => held.push(() => response.end('x')));
    const first = outcome(get({ port, agent }));
    await until(() => held.length === 1, 'the request');
    assert.equal(meter.total(connections, { 'http.connection.state': 'active' }), 1);
    assert.equal(meter.total(connections, { 'http.connection.state': 'idle' }), 0);
    assert.equal(meter.total(active), 1);
    held.pop()!();
    await first;
    await recorded(1);
    assert.equal(meter.total(connections, { 'http.connection.state': 'active' }), 0);
    assert.equal(meter.total(connections, { 'http.connection.state': 'idle' }), 1);
    assert.equal(meter.total(reused), 0);

    const second = outcome(get({ port, agent }));
    await until(() => held.length === 1, 'the second request');
    held.pop()!();
    await second;
    await recorded(2);
    assert.equal(meter.total(reused), 1);
    assert.equal(meter.total(connectionDuration), 0);
    agent.destroy();
    await until(() => meter.total(connectionDuration) === 1, 'the connection recorded');
  });

  it('counts requests that wait for a connection of the agent', async () => {
    const held: (() => void)[] = [];
    const port = await serve((_, response) => held.push(() => response.end('x')));
    const all = [1, 2, 3, 4, 5].map(() => outcome(get({ port, agent })));
    await until(() => held.length === 2, 'two requests');
    assert.equal(meter.total(queue, { 'server.address': 'localhost', 'server.port': port }), 3);
    assert.equal(meter.total(active), tellsOfCreation ? 5 : 2);
    for (let ended = 0; ended < 5; ended++) {
      await until(() => held.length > 0, 'a request');
      held.pop()!();
    }
    await Promise.all(all);
    await recorded(5);
    assert.equal(meter.total(queue), 0);
    assert.equal(meter.total(reused), 3);
  });

  it('names a refused connection ECONNREFUSED and opens no connection', async () => {
    const port = await serve(() => {});
    await new Promise(resolve => server!.close(resolve));
    assert.equal(await outcome(get({ port, agent, host: '127.0.0.1' })), 'ECONNREFUSED');
    await recorded(1);
    assert.equal(meter.total(duration, { 'error.type': 'ECONNREFUSED', 'server.port': port }), 1);
    assert.equal(meter.total(connectionDuration), 0);
  });

  it('names a host that has no address ENOTFOUND or EAI_AGAIN', async () => {
    const code = await outcome(get('http://no-such-host.invalid:81/', { agent }));
    await recorded(1);
    assert.equal(meter.total(duration, { 'error.type': code, 'server.address': 'no-such-host.invalid' }), 1);
  });

  it('ends a request that its caller gives up after a timeout', async () => {
    const port = await serve(() => {});
    const message = get({ port, agent, timeout: 20 });
    message.on('timeout', () => message.destroy());
    assert.equal(await outcome(message), 'ECONNRESET');
    await recorded(1);
    assert.equal(meter.total(duration, { 'error.type': 'ECONNRESET' }), 1);
  });

  it('names a request that is aborted by a signal', async () => {
    const controller = new AbortController();
    const port = await serve(() => controller.abort());
    assert.equal(await outcome(get({ port, agent, signal: controller.signal })), 'ABORT_ERR');
    await recorded(1);
    assert.equal(meter.total(duration, { 'error.type': 'ABORT_ERR' }), 1);
  });

  it('ends a request that is destroyed before it has a connection', async () => {
    const port = await serve(() => {});
    const held = [get({ port, agent }), get({ port, agent })];
    const waiting = get({ port, agent });
    const all = [...held, waiting].map(outcome);
    await until(() => meter.total(queue) === 1, 'a request that waits');
    for (const message of [waiting, ...held]) message.destroy();
    await Promise.all(all);
    await recorded(3);
  });

  it('ends a request whose response breaks off, with its status', async () => {
    const port = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half', () => response.destroy());
    });
    assert.equal(await outcome(get({ port, agent })), 'ECONNRESET');
    await recorded(1);
    assert.equal(meter.total(duration, { 'error.type': 'ECONNRESET', 'http.response.status_code': 200 }), 1);
  });

  it('ends a request whose caller destroys the response', async () => {
    const port = await serve((_, response) => {
      response.write('endless');
    });
    const message = get({ port, agent }, response => response.once('data', () => response.destroy()));
    message.on('error', () => {});
    await recorded(1);
    assert.equal(meter.total(duration, { 'error.type': undefined }), 0);
  });

  it('names an answer that is no HTTP by the code of the parser', async () => {
    const tcp = createTcpServer((socket: Socket) => socket.on('error', () => {}).end('nonsense\r\n\r\n'));
    await once(tcp.listen(0, '127.0.0.1'), 'listening');
    const { port } = tcp.address() as AddressInfo;
    const code = await outcome(get({ port, agent, host: '127.0.0.1' }));
    tcp.close();
    await recorded(1);
    assert.match(code, /^HPE_/);
    assert.equal(meter.total(duration, { 'error.type': code }), 1);
  });

  it('counts a failure while the body is still being sent', async () => {
    const port = await serve(message => message.socket.resetAndDestroy());
    const message = request({ port, agent, method: 'POST' });
    const ended = outcome(message);
    message.write('the beginning');
    await ended;
    await recorded(1);
    assert.equal(meter.total(duration, { 'http.request.method': 'POST', 'error.type': undefined }), 0);
  });

  it('takes the port from the agent where the application sets the Host header', async () => {
    const port = await serve((_, response) => response.end());
    await outcome(get({ port, agent, headers: { host: 'virtual.example' } }));
    await recorded(1);
    assert.equal(meter.total(duration, { 'server.address': 'localhost', 'server.port': port }), 1);
  });

  it('measures requests without an agent', async () => {
    const port = await serve((_, response) => response.end('x'));
    await outcome(get({ port, agent: false }));
    await recorded(1);
    await until(() => meter.total(connectionDuration) === 1, 'the connection recorded');
    assert.equal(meter.total(reused), 0);
  });

  it('does not count an upgrade, whose connection stays active until it closes', async () => {
    const port = await serve(() => {});
    server!.on('upgrade', (_, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n');
      // The server no longer closes it, and only who reads learns that the other side has.
      socket.on('end', () => socket.end()).resume();
    });
    const message = get({ port, agent, headers: { connection: 'Upgrade', upgrade: 'test' } });
    const [, socket] = (await once(message, 'upgrade')) as [unknown, Socket];
    await until(() => meter.total(active) === 0, 'no request in flight');
    assert.equal(meter.total(duration), 0);
    assert.equal(meter.total(connections, { 'http.connection.state': 'idle' }), 0);
    socket.destroy();
    await until(() => meter.total(connections) === 0, 'no connection open');
  });

  it('leaves out the requests of the agent itself, and not those of the application to the same server', async () => {
    const port = await serve((_, response) => response.end());
    assert.equal(await outcome(makeInternal(() => get({ port, agent }))), '200');
    assert.equal(
      await outcome(makeInternal(() => get({ port: 1, agent, host: '127.0.0.1' }))),
      'ECONNREFUSED',
    );
    for (const name of [duration, active, connections]) assert.deepEqual(meter.series(name), [], name);
    assert.equal(await outcome(get({ port, agent: false })), '200');
    await recorded(1);
    assert.equal(meter.total(duration, { 'server.port': port }), 1);
  });

  it('lets hosts past a quarter of the cardinality limit share _OTHER', async () => {
    meter.stop();
    meter = runMeter(meterHttpClient, { cardinalityLimit: 12 });
    for (const host of ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5']) {
      assert.equal(await outcome(get({ port: 1, agent, host })), 'ECONNREFUSED');
    }
    await recorded(5);
    assert.equal(meter.total(duration, { 'server.address': '_OTHER', 'server.port': undefined }), 2);
  });

  it('ends the series of a host that was not used for ten minutes, but keeps what was counted', async context => {
    const port = await serve((_, response) => response.end());
    await outcome(get({ port, agent: false }));
    await recorded(1);
    await until(() => meter.total(connections) === 0, 'no connection open');
    meter.tick();
    assert.equal(meter.series(active).length, 1);
    const now = performance.now();
    context.mock.method(performance, 'now', () => now + 11 * 60_000);
    meter.tick();
    for (const name of [active, connections, queue]) assert.deepEqual(meter.series(name), [], name);
    assert.equal(meter.total(duration), 1);
  });
});
