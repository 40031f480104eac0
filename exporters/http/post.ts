import { connect, isIP, type Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { context, createContextKey } from '@opentelemetry/api';
import { makeInternal } from '../../instrumentation/internal';
import { type Answer, createAnswerReader } from './answer';

/** The key of `suppressTracing` in `@opentelemetry/core`, which alone would be ten times the bundles it is used in. */
const suppressTracing = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

/** A connection being made holds the process, and no `unref` helps; a server farther away than this is down. */
export const connectTimeoutMs = 3000;
/** Servers close idle connections, the quickest of them after five seconds; a router on the way may forget older ones. */
const idleMs = 15_000;

/** The server did not connect or answer in time. */
export class PostTimeoutError extends Error {
  readonly code = 'ETIMEDOUT';
}

export interface PostOptions {
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** For all of it: connection, request and answer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Bytes of the answer's body that are waited for, by its status. */
  maxBody(status: number): number;
}

/** Posts to one server. */
export interface Poster {
  /** @throws PostTimeoutError, the signal's reason, the socket's error, or an Error for what is no HTTP */
  post(options: PostOptions): Promise<Answer>;
  /** Ends the connections that are idle. */
  close(): void;
}

export interface PosterOptions {
  /** Keeps connections for the next request; those of requests far apart would be closed by then. */
  readonly keepAlive: boolean;
  readonly tls?: Pick<ConnectionOptions, 'ca' | 'cert' | 'key'>;
}

/**
 * Posts to the server of `url`, by its scheme, host and port.
 *
 * Neither sockets nor deadlines keep the process alive. It uses plain sockets, because a single request of `node:http`
 * would cost the application's own server a few percent for ever: they share the code for messages, which V8 makes
 * slower once it has seen both kinds of them.
 */
export function createPoster(url: URL, { keepAlive, tls }: PosterOptions): Poster {
  /** Connections that wait, and what takes one of them out again. */
  const idle = new Map<Socket, () => void>();
  const keep = (socket: Socket): void => {
    // Nothing was asked for.
    const unasked = (): void => void socket.destroy();
    const leave = (): void => {
      idle.delete(socket);
      socket.off('data', unasked).off('close', leave).setTimeout(0);
    };
    idle.set(socket, leave);
    socket.on('data', unasked).on('close', leave).setTimeout(idleMs);
  };
  const takeIdle = (): Socket | undefined => {
    const [socket] = [...idle.keys()].reverse().filter(({ destroyed }) => !destroyed);
    if (socket !== undefined) idle.get(socket)?.();
    return socket;
  };
  const exchange = async (options: PostOptions, deadline: number): Promise<Answer> => {
    const kept = takeIdle();
    const socket = kept ?? (await open(url, tls));
    const reader = createAnswerReader(options.maxBody);
    try {
      const answer = await converse(socket, reader, requestOf(url, keepAlive, options), options, deadline);
      if (keepAlive && answer.keepsAlive && !socket.destroyed) keep(socket);
      else socket.setTimeout(idleMs).end();
      return answer;
    } catch (error) {
      socket.destroy();
      // The server may have closed a kept connection in the same moment.
      if (kept === undefined || reader.begun || !isLost(error)) throw error;
      return exchange(options, deadline);
    }
  };
  return {
    async post(options) {
      options.signal.throwIfAborted();
      return exchange(options, performance.now() + options.timeoutMs);
    },
    close() {
      for (const socket of [...idle.keys()]) socket.destroy();
    },
  };
}

/** The connection ended, and no answer had begun. */
class ConnectionClosedError extends Error {
  readonly code = 'ECONNRESET';
  constructor() {
    super('it closed the connection without an answer');
  }
}

const isLost = (error: unknown): boolean =>
  ['ECONNRESET', 'EPIPE'].includes(String((error as NodeJS.ErrnoException | null)?.code));

function requestOf({ host }: URL, keepAlive: boolean, { path, headers, body }: PostOptions): string {
  const fields = Object.entries({
    host,
    ...headers,
    'content-length': String(body.length),
    connection: keepAlive ? 'keep-alive' : 'close',
  });
  for (const [name, value] of fields) {
    if (/[\r\n\0]/.test(value)) throw new TypeError(`Expected one line for the header ${name}`);
  }
  return `POST ${path} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

async function open(url: URL, tls: PosterOptions['tls']): Promise<Socket> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  let make = (): Socket => connect({ host, port: Number(url.port || 80) });
  if (url.protocol === 'https:') {
    const { connect: connectTls } = await import('node:tls');
    const name = isIP(host) === 0 ? { servername: host } : {};
    make = () =>
      connectTls({ host, port: Number(url.port || 443), ALPNProtocols: ['http/1.1'], ...name, ...tls });
  }
  const socket = context.with(context.active().setValue(suppressTracing, true), () => makeInternal(make));
  // Stays for the socket's whole life: a reset after the answer must find a listener too.
  socket.on('error', () => {}).on('timeout', () => socket.destroy());
  return socket.unref();
}

/** Writes a request and reads its answer. */
function converse(
  socket: Socket,
  reader: ReturnType<typeof createAnswerReader>,
  head: string,
  { body, signal, timeoutMs }: PostOptions,
  deadline: number,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timers: NodeJS.Timeout[] = [];
    const settle = (): void => {
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.off('error', lost).off('data', read).off('close', closed).off('connect', connected);
    };
    const take = (answer: Answer): void => {
      settle();
      resolve(answer);
    };
    const fail = (error: unknown): void => {
      settle();
      reject(error);
    };
    const after = (ms: number, message: string): void => {
      timers.push(setTimeout(() => fail(new PostTimeoutError(message)), Math.max(ms, 1)).unref());
    };
    const abort = (): void => fail(signal.reason);
    // One that refuses a body may close before it has come; what it said by then says more.
    const lost = (error: Error): void => {
      const answer = reader.end();
      if (answer === undefined) fail(error);
      else take(answer);
    };
    const closed = (): void => lost(new ConnectionClosedError());
    const read = (chunk: Buffer): void => {
      try {
        const answer = reader.push(chunk);
        if (answer !== undefined) take(answer);
      } catch (error) {
        fail(error);
      }
    };
    const connected = (): void => {
      clearTimeout(timers[1]);
      // A name with several addresses gets a new handle for each try, which knows nothing of the first `unref`.
      socket.unref();
    };
    after(deadline - performance.now(), `no answer within ${Math.round(timeoutMs)} ms`);
    if (socket.connecting) after(connectTimeoutMs, `no connection within ${connectTimeoutMs} ms`);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort);
    socket.on('error', lost).on('data', read).on('close', closed).on('connect', connected);
    socket.cork();
    socket.write(head);
    socket.write(body);
    socket.uncork();
  });
}
