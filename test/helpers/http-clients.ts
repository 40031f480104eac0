import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { HttpClient, type HttpClientOptions, type HttpClientStats } from '../../toolkit/network/client';
import { selfSigned } from './certificate';

export type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Versions of undici, each with the protocols that servers are spoken to by. */
export const subjects = [
  { undici: '6', protocol: 'HTTP/1.1' },
  { undici: '7', protocol: 'HTTP/1.1' },
  { undici: '7', protocol: 'HTTP/2' },
] as const;
export type Subject = (typeof subjects)[number];

const undici7: unknown = require('undici');

/** From now on clients are made over this version, which the package is looked for as. */
export function useUndici(version: Subject['undici']): void {
  require.cache[require.resolve('undici')]!.exports = version === '6' ? require('undici6') : undici7;
}

let pair: { key: string; cert: string } | undefined;
const certificate = (): { key: string; cert: string } => {
  pair ??= selfSigned();
  return pair;
};

/** A server that answers as the test has it, with what it was asked. */
export interface TestServer {
  readonly url: string;
  readonly port: number;
  /** Method and path of each request. */
  readonly asked: string[];
  readonly sockets: Set<Socket>;
  handler: Handler;
  /** Options that a client needs to trust it. */
  readonly trust: Pick<HttpClientOptions, 'connections'>;
  close(): Promise<void>;
}

export async function startServer(
  handler: Handler,
  protocol: Subject['protocol'] = 'HTTP/1.1',
): Promise<TestServer> {
  const secure = protocol === 'HTTP/2';
  const sockets = new Set<Socket>();
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    started.asked.push(`${request.method} ${request.url}`);
    void started.handler(request, response);
  };
  const server = secure
    ? createSecureServer(
        certificate(),
        answer as unknown as (request: Http2ServerRequest, response: Http2ServerResponse) => void,
      )
    : createServer({ keepAliveTimeout: 60_000 }, answer);
  server.on(secure ? 'secureConnection' : 'connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('sessionError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const started: TestServer = {
    url: `${secure ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    asked: [],
    sockets,
    handler,
    trust: secure ? { connections: { tls: { ca: certificate().cert } } } : {},
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  return started;
}

/** A client of the server; its options of connections are added to those that trust it. */
export function clientOf(server: TestServer, options: Partial<HttpClientOptions> = {}): HttpClient {
  return new HttpClient({
    name: 'test',
    baseUrl: server.url,
    ...options,
    connections: { ...server.trust.connections, ...options.connections },
  });
}

/** The laws that a client's statistics obey at any moment. */
export function assertClientLaws(stats: HttpClientStats): void {
  const text = JSON.stringify(stats);
  const sum = (counts: Readonly<Record<string, number>>): number =>
    Object.values(counts).reduce((sum, one) => sum + one, 0);
  const ended = sum(stats.outcomes);
  assert.equal(stats.calls, stats.inFlight + ended, text);
  assert.ok(stats.inFlight >= 0, text);
  assert.equal(stats.duration.count, ended, text);
  assert.equal(stats.attempts, stats.exchanges + stats.retries, text);
  assert.equal(
    stats.attempts,
    stats.attemptsInFlight + stats.answered + stats.failed + stats.abandoned,
    text,
  );
  assert.ok(stats.attemptsInFlight >= 0, text);
  if (stats.cache) {
    assert.equal(sum(stats.cache.results), ended, text);
    assert.ok(stats.cache.entries <= stats.cache.limit && stats.cache.bytes <= stats.cache.byteLimit, text);
  }
  for (const one of [stats.connections, ...stats.origins]) {
    assert.equal(one.opened, one.open + one.closed, text);
    assert.equal(one.open, one.idle + one.inUse, text);
    assert.ok(Math.min(one.open, one.idle, one.inUse, one.pending) >= 0, text);
    assert.ok(one.reused <= one.sent, text);
  }
  for (const one of stats.origins) assert.ok(one.open <= one.limit, text);
}

/** What holds besides when nothing is under way. */
export function assertAtRest(stats: HttpClientStats): void {
  assertClientLaws(stats);
  const { inFlight, attemptsInFlight, connections } = stats;
  const { inUse, pending } = connections;
  assert.deepEqual(
    { inFlight, attemptsInFlight, inUse, pending },
    { inFlight: 0, attemptsInFlight: 0, inUse: 0, pending: 0 },
  );
}

/** Waits until something is so. The runner ends a test in which it never is. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setTimeout(resolve, 2));
}

/** What a promise rejects with. */
export async function failure<E extends Error>(
  promise: Promise<unknown>,
  kind: abstract new (...args: never[]) => E,
): Promise<E> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof kind, `Expected ${kind.name}, got ${String(error)}`);
    return error;
  }
  return assert.fail(`Expected ${kind.name}, got none`);
}
