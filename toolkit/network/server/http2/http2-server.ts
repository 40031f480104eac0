import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type Http2Server as PlainServer,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo, ListenOptions, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { callable, delayMs } from '../../../options';
import { registerSource } from '../../../sources';
import { type Http2ServerOptions, type SettledHttp2Options, settleHttp2Options } from './options';
import { SessionGuard } from './session-guard';
import { Http2Counters, type Http2ServerStats, http2Source } from './stats';

/** Answers a request. Of a client that has only HTTP/1.1 it gets a request of `node:http` in the same form. */
export type Http2Handler = (request: Http2ServerRequest, response: Http2ServerResponse) => unknown;

/** Options of {@link Http2Server.close}. */
export interface CloseHttp2Options {
  /** How long requests under way may take to end; then their sessions are destroyed. @default 10000 */
  readonly timeoutMs?: number;
}

/** A server of HTTP/2 that holds its limits, counts what comes, and ends in order. */
export class Http2Server {
  readonly name: string;
  /** The server of `node:http2`, for what is not here, such as more listeners. */
  readonly server: PlainServer | Http2SecureServer;
  readonly #options: SettledHttp2Options;
  readonly #counters = new Http2Counters();
  readonly #guards = new Map<ServerHttp2Session, SessionGuard>();
  /** Connections of HTTP/1.1, with how many requests of each are under way. */
  readonly #http1 = new Map<Socket, number>();
  readonly #sockets = new Set<Socket>();
  readonly #refused = new WeakSet<ServerHttp2Stream>();
  readonly #unregister: () => void;
  #closing: Promise<{ readonly forced: number }> | undefined;

  /** @internal */
  constructor(
    given: Http2ServerOptions,
    handler: Http2Handler,
    now: () => number = performance.now.bind(performance),
  ) {
    const options = settleHttp2Options(given);
    callable('handler', handler);
    this.name = options.name;
    this.#options = options;
    const server = createNodeServer(options);
    this.server = server;
    const counters = this.#counters;
    server.maxConnections = options.maxSessions;
    server.on('drop', () => {
      counters.sessions.refused++;
    });
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('session', (session: ServerHttp2Session) => {
      this.#guards.set(session, new SessionGuard(session, options, counters, now));
      session.once('close', () => this.#guards.delete(session));
      if (this.#closing !== undefined) session.close();
    });
    // Before the listener below makes Node.js add its own to the same event.
    server.on('stream', (stream: ServerHttp2Stream) => this.#onStream(stream));
    server.on('request', (request, response) => {
      if (request.httpVersionMajor < 2) this.#onHttp1(response as unknown as Http1Response);
      else if (this.#refused.has(request.stream)) return;
      handler(request, response);
    });
    server.on('secureConnection', (socket: TLSSocket) => {
      if (socket.alpnProtocol === 'h2') return;
      this.#http1.set(socket, 0);
      socket.once('close', () => this.#http1.delete(socket));
    });
    this.#unregister = registerSource(
      { ...http2Source, name: this.name, stats: () => counters.snapshot() },
      this,
    );
  }

  /**
   * Begins to listen.
   *
   * @param options as `net.Server.listen` takes them. @default a free port, on all addresses
   * @returns the address, with the port
   */
  listen(options: ListenOptions = {}): Promise<AddressInfo> {
    const { server } = this;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port: 0, ...options }, () => {
        server.off('error', reject);
        resolve(server.address() as AddressInfo);
      });
    });
  }

  /** Counters since it was made, as documented at {@link Http2ServerStats}. */
  stats(): Http2ServerStats {
    return this.#counters.snapshot();
  }

  /**
   * Ends it in order: accepts no more, tells each session so (GOAWAY), and lets requests under way end until time is up.
   * Never rejects. Calling it again gives the same promise.
   *
   * @returns how many connections were destroyed with requests under way
   */
  close({ timeoutMs = 10_000 }: CloseHttp2Options = {}): Promise<{ readonly forced: number }> {
    this.#closing ??= this.#close(delayMs('timeoutMs', timeoutMs));
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<{ readonly forced: number }> {
    const { server } = this;
    const closed = new Promise<'closed'>(resolve => server.close(() => resolve('closed')));
    for (const session of this.#guards.keys()) session.close();
    for (const [socket, active] of this.#http1) if (active === 0) socket.destroySoon();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>(resolve => {
      timer = setTimeout(resolve, timeoutMs, 'late');
    });
    let forced = 0;
    if ((await Promise.race([closed, late])) === 'late') {
      for (const session of this.#guards.keys()) {
        forced++;
        session.destroy();
      }
      forced += this.#http1.size;
      // Those in a handshake too.
      for (const socket of this.#sockets) socket.destroy();
      await closed;
    }
    clearTimeout(timer);
    // Their sockets are closed, and they are about to say so themselves.
    for (const session of this.#guards.keys()) {
      if (!session.destroyed) session.destroy();
      await new Promise<void>(resolve => session.once('close', resolve));
    }
    this.#unregister();
    return { forced };
  }

  #onStream(stream: ServerHttp2Stream): void {
    const guard = stream.session && this.#guards.get(stream.session as ServerHttp2Session);
    if (!guard) return;
    const { streams } = this.#counters;
    const mayOpen = this.#closing === undefined && streams.opened - streams.closed < this.#options.maxStreams;
    if (!guard.onStream(stream, mayOpen)) this.#refused.add(stream);
  }

  #onHttp1(response: Http1Response): void {
    const { socket } = response;
    this.#counters.http1Requests++;
    if (socket === null) return;
    this.#http1.set(socket, (this.#http1.get(socket) ?? 0) + 1);
    response.once('close', () => {
      const active = this.#http1.get(socket);
      // It may be closed already.
      if (active === undefined) return;
      this.#http1.set(socket, active - 1);
      if (this.#closing !== undefined && active === 1) socket.destroySoon();
    });
  }
}

interface Http1Response {
  readonly socket: Socket | null;
  once(event: 'close', listener: () => void): unknown;
}

function createNodeServer(options: SettledHttp2Options): PlainServer | Http2SecureServer {
  const settings = {
    maxConcurrentStreams: options.maxConcurrentStreams,
    maxFrameSize: options.maxFrameBytes,
    maxHeaderListSize: options.maxHeaderListBytes,
    enablePush: false,
  };
  // The names are those of Node.js; some of them are not in its types.
  const limits = {
    settings,
    maxSessionInvalidFrames: options.maxInvalidFrames,
    maxSessionRejectedStreams: options.maxRejectedStreams,
    maxSessionMemory: options.maxSessionMemoryMb,
    maxHeaderListPairs: options.maxHeaderFields,
  };
  if (options.tls === undefined) return createServer(limits);
  const server = createSecureServer({
    handshakeTimeout: 10_000,
    ...options.tls,
    ...limits,
    allowHTTP1: options.allowHttp1,
  } as SecureServerOptions);
  Object.assign(server, { keepAliveTimeout: options.idleTimeoutMs });
  // A handshake that fails is the client's affair.
  server.on('tlsClientError', () => {});
  return server;
}

/**
 * Makes a server of HTTP/2 with limits that hold: over TLS, where clients that have only HTTP/1.1 are served too, or
 * in clear text for proxies that know (h2c). It does not listen yet.
 *
 * @throws TypeError when an option is not as documented
 */
export function createHttp2Server(options: Http2ServerOptions, handler: Http2Handler): Http2Server {
  return new Http2Server(options, handler);
}
