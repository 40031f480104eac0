import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { type Records, recordsOf } from './otlp/records';
import { decodeProtobuf, type OtlpSignal } from './otlp/schema';
import { createWaiting } from './otlp/waiting';

export type { ReceivedLog, ReceivedMetric, ReceivedSpan, Records } from './otlp/records';

/** An answer in place of the usual one. The records count as received where its status is 200. */
export interface OtlpAnswer {
  readonly status: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Uint8Array;
}

/**
 * How the receiver treats requests: `hang` takes them and never answers, `trickle` answers a byte at a time for ever,
 * `reset` breaks the connection, `refuse` does not listen.
 */
export type OtlpMode = 'ok' | 'hang' | 'trickle' | 'reset' | 'refuse' | number | OtlpAnswer;

export interface OtlpRequest {
  readonly signal: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** As it came, compressed or not. */
  readonly body: Buffer;
  /** `performance.now()`. */
  readonly at: number;
}

export interface OtlpServerOptions {
  /** Waiting fails after this time. */
  readonly patienceMs?: number;
  /** PEM texts: the server then speaks TLS, and asks for a certificate of the client where it has a `ca`. */
  readonly tls?: { readonly key: string; readonly cert: string; readonly ca?: string };
}

/** A Collector on an ephemeral loopback port. The last part of a request's path says the signal. */
export interface OtlpServer {
  readonly url: string;
  readonly port: number;
  /** What was accepted so far. */
  readonly received: Records;
  /** Requests that came, in whatever mode. */
  readonly requests: OtlpRequest[];
  /** Connections that are open now. */
  readonly connections: number;
  setMode(mode: OtlpMode): Promise<void>;
  /** Resolves once `fits` gives something for what has been received. */
  until<T>(fits: (received: Records) => T | undefined | false): Promise<T>;
  /** Resolves once `count` requests have come, in whatever mode. */
  arrived(count: number): Promise<void>;
  /** Forgets what came, and goes back to the mode `ok`. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** Starts the receiver. */
export async function startOtlpServer(options: OtlpServerOptions = {}): Promise<OtlpServer> {
  const { patienceMs = 20_000, tls } = options;
  const received: Records = { metrics: [], traces: [], logs: [] };
  const requests: OtlpRequest[] = [];
  const sockets = new Set<Socket>();
  const timers = new Set<NodeJS.Timeout>();
  let mode: OtlpMode = 'ok';
  const waiting = createWaiting(patienceMs, () => {
    const names = received.traces.map(span => span.name).join(', ');
    return `${requests.length} requests, ${received.metrics.length} metrics, spans: ${names}`;
  });

  const answer = (request: IncomingMessage, response: ServerResponse, body: Buffer): void => {
    // Somebody who is no exporter.
    if (request.method !== 'POST') return void response.writeHead(405).end();
    const { url = '', headers } = request;
    const signal = url.split('?')[0]!.split('/').pop() as OtlpSignal;
    requests.push({ signal, url, headers, body, at: performance.now() });
    const special: OtlpAnswer | undefined =
      typeof mode === 'number' ? { status: mode } : typeof mode === 'object' ? mode : undefined;
    if (mode === 'reset') request.socket.destroy();
    else if (mode === 'trickle') trickle(response, timers);
    else if (mode !== 'hang') {
      try {
        if (special === undefined || special.status === 200) accept(received, signal, headers, body);
        response.writeHead(special?.status ?? 200, {
          'content-type': headers['content-type'],
          ...special?.headers,
        });
        response.end(special?.body);
      } catch (error) {
        waiting.fail(error);
        response.writeHead(400).end();
      }
    }
    waiting.look();
  };
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on('data', chunk => chunks.push(chunk));
    request.on('end', () => answer(request, response, Buffer.concat(chunks)));
  };
  const create = (): Server => {
    const made =
      tls === undefined
        ? createServer(onRequest)
        : createTlsServer({ ...tls, requestCert: tls.ca !== undefined }, onRequest);
    return made.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    });
  };
  const listen = async (port: number): Promise<Server> => {
    const made = create().listen(port, '127.0.0.1');
    await once(made, 'listening');
    return made;
  };
  const stop = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    for (const timer of timers) clearInterval(timer);
    for (const socket of sockets) socket.destroy();
    await closed;
  };

  let server = await listen(0);
  const { port } = server.address() as AddressInfo;
  const setMode = async (next: OtlpMode): Promise<void> => {
    if (next === 'refuse' && mode !== 'refuse') await stop();
    else if (next !== 'refuse' && mode === 'refuse') server = await listen(port);
    mode = next;
  };

  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    received,
    requests,
    get connections() {
      return sockets.size;
    },
    setMode,
    until: fits => waiting.until(() => fits(received)),
    arrived: count => waiting.until(() => requests.length >= count).then(() => {}),
    async reset() {
      await setMode('ok');
      for (const list of [...Object.values(received), requests]) list.length = 0;
    },
    async close() {
      if (mode !== 'refuse') await stop();
    },
  };
}

function trickle(response: ServerResponse, timers: Set<NodeJS.Timeout>): void {
  response.writeHead(200);
  const timer = setInterval(() => response.write('\n'), 50);
  timers.add(timer);
  response.on('close', () => {
    clearInterval(timer);
    timers.delete(timer);
  });
}

function accept(received: Records, signal: OtlpSignal, headers: IncomingHttpHeaders, body: Buffer): void {
  const plain = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
  const message =
    headers['content-type'] === 'application/json'
      ? JSON.parse(plain.toString('utf8'))
      : decodeProtobuf(signal, plain);
  (received[signal] as unknown[]).push(...recordsOf(signal, message));
}
