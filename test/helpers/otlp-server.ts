import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { type Records, recordsOf } from './otlp/records';
import { decodeProtobuf, type OtlpSignal } from './otlp/schema';

export type { ReceivedLog, ReceivedMetric, ReceivedSpan } from './otlp/records';

/** How the receiver treats requests: `hang` takes them and never answers, `refuse` does not listen. */
export type OtlpMode = 'ok' | 'hang' | 'refuse' | number;

/** A Collector of three endpoints on an ephemeral loopback port. */
export interface OtlpServer {
  readonly url: string;
  readonly port: number;
  /** What was accepted so far. */
  readonly received: Records;
  /** Requests that came, in whatever mode, with their headers. */
  readonly requests: { readonly signal: string; readonly headers: IncomingHttpHeaders }[];
  setMode(mode: OtlpMode): Promise<void>;
  /** Resolves once `fits` gives something for what has been received. */
  until<T>(fits: (received: Records) => T | undefined | false): Promise<T>;
  /** Resolves once `count` requests have come, in whatever mode. */
  arrived(count: number): Promise<void>;
  close(): Promise<void>;
}

/** Starts the receiver. Waiting fails after `patienceMs`. */
export async function startOtlpServer(patienceMs = 20_000): Promise<OtlpServer> {
  const received: Records = { metrics: [], traces: [], logs: [] };
  const requests: { signal: string; headers: IncomingHttpHeaders }[] = [];
  const problems: unknown[] = [];
  const sockets = new Set<Socket>();
  const waiting = new Set<() => void>();
  let mode: OtlpMode = 'ok';

  const notify = (): void => {
    for (const look of [...waiting]) look();
  };
  const answer = (request: IncomingMessage, response: ServerResponse, body: Buffer): void => {
    const signal = request.url?.slice('/v1/'.length) as OtlpSignal;
    requests.push({ signal, headers: request.headers });
    if (typeof mode === 'number') response.writeHead(mode).end();
    if (mode === 'ok') {
      try {
        accept(received, signal, request.headers, body);
        response.writeHead(200, { 'content-type': request.headers['content-type'] }).end();
      } catch (error) {
        problems.push(error);
        response.writeHead(400).end();
      }
    }
    notify();
  };
  const create = (): Server =>
    createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', chunk => chunks.push(chunk));
      request.on('end', () => answer(request, response, Buffer.concat(chunks)));
    }).on('connection', socket => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
  const listen = async (port: number): Promise<Server> => {
    const made = create().listen(port, '127.0.0.1');
    await once(made, 'listening');
    return made;
  };
  const stop = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };

  let server = await listen(0);
  const { port } = server.address() as AddressInfo;

  const until = <T>(fits: () => T | undefined | false): Promise<T> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = problems.length > 0 ? undefined : fits();
        if (problems.length > 0) finish(() => reject(problems[0]));
        else if (found !== undefined && found !== false) finish(() => resolve(found));
      };
      const finish = (end: () => void): void => {
        clearTimeout(timer);
        waiting.delete(look);
        end();
      };
      const timer = setTimeout(() => {
        const what = `${requests.length} requests, spans: ${received.traces.map(span => span.name).join(', ')}`;
        finish(() => reject(new Error(`nothing that fits within ${patienceMs} ms; got ${what}`)));
      }, patienceMs);
      waiting.add(look);
      look();
    });

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    received,
    requests,
    async setMode(next) {
      if (next === 'refuse') await stop();
      else if (mode === 'refuse') server = await listen(port);
      mode = next;
    },
    until: fits => until(() => fits(received)),
    arrived: count => until(() => requests.length >= count).then(() => {}),
    async close() {
      if (mode !== 'refuse') await stop();
    },
  };
}

function accept(received: Records, signal: OtlpSignal, headers: IncomingHttpHeaders, body: Buffer): void {
  const plain = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
  const message =
    headers['content-type'] === 'application/json'
      ? JSON.parse(plain.toString('utf8'))
      : decodeProtobuf(signal, plain);
  (received[signal] as unknown[]).push(...recordsOf(signal, message));
}
