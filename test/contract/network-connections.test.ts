import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer, get, type IncomingMessage, type Server } from 'node:http';
import { connect, createSecureServer } from 'node:http2';
import { createServer as createHttps, Agent as HttpsAgent, get as httpsGet } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { Client, Pool, Agent as UndiciAgent } from 'undici';
import { ConnectionPoolMonitor } from '../../toolkit/network';
import { selfSigned } from '../helpers/certificate';
import { until } from '../helpers/web-parts';

const ends: (() => unknown)[] = [];
after(async () => {
  for (const end of ends.toReversed()) await end();
});
const tls = selfSigned();

/** A server that holds its answers back while it is told to. */
async function serve(server: Server = createServer()) {
  let held: (() => void)[] | undefined;
  server.on('request', (_, response) => {
    const answer = (): void => void response.end('ok');
    if (held === undefined) answer();
    else held.push(answer);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ends.push(() => {
    server.closeAllConnections?.();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    server,
    port,
    hold() {
      held = [];
    },
    waiting: () => held?.length ?? 0,
    release() {
      for (const answer of held ?? []) answer();
      held = undefined;
    },
  };
}
function watch(target: Parameters<ConnectionPoolMonitor['watch']>[0]) {
  const monitor = new ConnectionPoolMonitor({ name: 'test' });
  ends.push(() => monitor.close());
  const stop = monitor.watch(target);
  const holds = (): void => {
    const { created, closed, open, idle, active, requests, reused } = monitor.stats();
    assert.equal(created, closed + open);
    assert.equal(open, idle + active);
    assert.ok(requests - reused <= created);
  };
  return { monitor, stop, holds };
}
async function ask(port: number, agent: Agent | HttpsAgent): Promise<void> {
  const secure = agent instanceof HttpsAgent;
  const request = secure
    ? httpsGet({ host: 'localhost', port, agent, ca: tls.cert })
    : get({ host: '127.0.0.1', port, agent });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  for await (const _ of response);
}
const shortly = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

for (const [kind, makeServer, makeAgent] of [
  ['http', () => createServer(), (options: object) => new Agent(options)],
  ['https', () => createHttps(tls), (options: object) => new HttpsAgent(options)],
] as const) {
  test(`an agent of node:${kind} and its server: idle, active, created, reused and closed are those of the sockets`, async () => {
    const { server, port, hold, release, waiting } = await serve(makeServer());
    const agent = makeAgent({ keepAlive: true, maxSockets: 2 });
    const client = watch(agent);
    const host = watch(server);
    const both = [client, host];
    const seen = () => both.map(({ monitor }) => monitor.stats());
    for (let i = 0; i < 3; i++) await ask(port, agent);
    await shortly();
    for (const stats of seen()) {
      assert.deepEqual(
        [stats.created, stats.requests, stats.reused, stats.idle, stats.active],
        [1, 3, 2, 1, 0],
      );
    }
    hold();
    const asked = [1, 2, 3].map(() => ask(port, agent));
    await until(() => waiting() === 2, 'two to be asked');
    for (const stats of seen()) assert.deepEqual([stats.created, stats.active, stats.idle], [2, 2, 0]);
    assert.equal(client.monitor.stats().pending, 1);
    release();
    await Promise.all(asked);
    await until(() => seen().every(({ idle }) => idle === 2), 'both to be idle');
    for (const stats of seen()) assert.deepEqual([stats.requests, stats.reused], [6, 4]);
    agent.destroy();
    await until(() => seen().every(({ closed }) => closed === 2), 'both to close');
    for (const { holds } of both) holds();
    for (const stats of seen()) assert.deepEqual([stats.open, stats.pending], [0, 0]);
  });
}

test('an agent that keeps nothing alive reuses nothing; one that cannot connect has failed', async () => {
  const { port } = await serve();
  const agent = new Agent({ keepAlive: false });
  const { monitor, holds } = watch(agent);
  for (let i = 0; i < 5; i++) await ask(port, agent);
  await until(() => monitor.stats().closed === 5, 'all to close');
  assert.deepEqual([monitor.stats().created, monitor.stats().requests, monitor.stats().reused], [5, 5, 0]);
  await assert.rejects(ask(1, agent));
  await until(() => monitor.stats().failed === 1, 'the failure');
  holds();
});

test('what is open when watching begins is taken over, and when it ends is counted until it closes', async () => {
  const { port } = await serve();
  const agent = new Agent({ keepAlive: true });
  const own = agent.createConnection;
  await ask(port, agent);
  const { monitor, stop, holds } = watch(agent);
  assert.deepEqual([monitor.stats().created, monitor.stats().idle], [1, 1]);
  await ask(port, agent);
  assert.deepEqual([monitor.stats().requests, monitor.stats().reused], [1, 1]);
  stop();
  assert.equal(agent.createConnection, own);
  await ask(port, agent);
  assert.equal(monitor.stats().requests, 1);
  agent.destroy();
  await until(() => monitor.stats().closed === 1, 'it to close');
  holds();
  assert.deepEqual(monitor.stats(), monitor.stats());
});

for (const [kind, make] of [
  ['Pool', (url: string) => new Pool(url, { connections: 2 })],
  ['Agent', () => new UndiciAgent({ connections: 2 })],
  ['Client', (url: string) => new Client(url)],
] as const) {
  test(`a ${kind} of undici: each connection is known to be its own, beside another to the same server`, async () => {
    const { port, hold, release, waiting } = await serve();
    const origin = `http://127.0.0.1:${port}`;
    const dispatcher = make(origin);
    const other = new Pool(origin);
    ends.push(
      () => dispatcher.destroy(),
      () => other.destroy(),
    );
    const { monitor, holds } = watch(dispatcher);
    const send = async (to: {
      request: (options: never) => Promise<{ body: { dump(): Promise<void> } }>;
    }) => {
      const { body } = await to.request({ origin, path: '/', method: 'GET' } as never);
      await body.dump();
    };
    for (let i = 0; i < 4; i++) {
      await send(dispatcher);
      await send(other);
    }
    await shortly();
    const { created, requests, reused, idle, active } = monitor.stats();
    assert.deepEqual([requests, reused, active, idle], [4, 4 - created, 0, created]);
    assert.ok(created <= 2);
    hold();
    const sent = send(dispatcher);
    await until(() => waiting() === 1, 'it to be asked');
    assert.equal(monitor.stats().active, 1);
    release();
    await sent;
    await dispatcher.close();
    await until(() => monitor.stats().open === 0, 'it to close');
    holds();
    assert.equal(monitor.stats().requests, 5);
  });
}

test('of HTTP/2 a session is the connection and a stream the request, beside clients of HTTP/1.1', async () => {
  const server = createSecureServer({ ...tls, allowHTTP1: true }, (_, response) => void response.end('ok'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ends.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { monitor, holds } = watch(server as never);
  const session = connect(`https://localhost:${port}`, { ca: tls.cert });
  for (let i = 0; i < 3; i++) for await (const _ of session.request({ ':path': '/' }));
  assert.deepEqual([monitor.stats().created, monitor.stats().requests, monitor.stats().reused], [1, 3, 2]);
  const agent = new HttpsAgent({ keepAlive: true, ca: tls.cert });
  await ask(port, agent);
  await ask(port, agent);
  assert.deepEqual([monitor.stats().created, monitor.stats().requests, monitor.stats().reused], [2, 5, 3]);
  agent.destroy();
  session.close();
  await until(() => monitor.stats().open === 0, 'both to close');
  holds();
});

test('what cannot be watched is refused, and a target is watched once', () => {
  const monitor = new ConnectionPoolMonitor({ name: 'x' });
  assert.throws(
    () => monitor.watch({} as never),
    /Expected target to be an agent of node:http or undici, or a server, got object/,
  );
  assert.throws(() => new ConnectionPoolMonitor({ name: '' }), /Expected name/);
  const agent = new Agent();
  assert.equal(monitor.watch(agent), monitor.watch(agent));
  monitor.close();
  assert.ok(!Object.hasOwn(agent, 'createConnection'));
});
