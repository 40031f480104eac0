import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { isInternal } from '../internal';
import { markedTrace, reserveMark } from '../libraries/request-marks';
import { routeOf as routeByFramework } from '../libraries/route';
import type { CounterCell } from '../metrics/cells';
import type { Exemplar } from '../metrics/exemplar';
import type { MeterContext } from './context';
import { requestBodySize, responseBodySize } from './http/body-size';
import { subscribeAll } from './http/channels';
import { createServerSeries, type ServerCells } from './http/server-series';
import { errorType } from './http/vocabulary';

/** What Node.js publishes on both channels of the server. */
interface Message {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Socket;
  readonly server: Server;
}

/** A request that is being answered. One object serves all requests of a connection, unless they are pipelined. */
interface Flight {
  request: IncomingMessage | undefined;
  response: ServerResponse | undefined;
  startedAt: number;
  /** The rest is taken at the start, because frameworks rewrite `request.method`. */
  method: string | undefined;
  version: string;
  readonly secure: boolean;
  active: CounterCell | undefined;
}

interface Connection {
  readonly ignored: boolean;
  /** The request whose response has the socket. */
  current: Flight;
  /** Requests that were pipelined behind it, in order. */
  queued: Flight[] | undefined;
  /** What the socket had read and written when the last response ended: where the next message begins. */
  bytesRead: number;
  bytesWritten: number;
  /** Where the last response was recorded. */
  cells: ServerCells | undefined;
}

/** Ends of a connection that the client brought about, whatever the kernel called them. */
const clientGone = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

/**
 * Measures the HTTP/1 servers of the process from Node's diagnostics channels, without touching `http`.
 *
 * - A request that ends without its whole response publishes nothing, so the socket's `close` ends it. Its
 *   `error.type` is `client_aborted` when the client went away, `server_aborted` when this process tore the
 *   response or its connection down, else the code of the socket's error, such as `ERR_HTTP_REQUEST_TIMEOUT`.
 *   The status code is there only if it was sent, and body sizes are not recorded, because nobody knows them.
 * - Upgrades that a server accepts (WebSocket) and CONNECT are no requests here: Node.js gives them no response,
 *   publishes nothing, and the life of the connection is not a latency.
 * - HTTP/2 servers, the compatibility API included, publish nothing on these channels on any version. Node.js 22.16
 *   and later have `http2.server.stream.*`.
 */
export function meterHttpServer(context: MeterContext): () => void {
  const series = createServerSeries(context.registry);
  const slowSeconds = context.config.slowRequestMs / 1000;
  // Of this meter alone, so that two of them in one process do not take each other's connections.
  const key = Symbol('otel-vitals.http-server');
  type Known = Socket & { [key]?: Connection };

  const open = (socket: Known, server: Server): Connection => {
    const connection: Connection = {
      ignored: isInternal(server),
      current: idleFlight((socket as { encrypted?: boolean }).encrypted === true),
      queued: undefined,
      bytesRead: 0,
      bytesWritten: 0,
      cells: undefined,
    };
    socket[key] = connection;
    if (!connection.ignored) socket.on('close', onClose);
    return connection;
  };

  const onStart = ({ request, response, socket, server }: Message): void => {
    const connection = (socket as Known)[key] ?? open(socket, server);
    if (connection.ignored) return;
    let flight = connection.current;
    if (flight.request !== undefined) {
      flight = idleFlight(flight.secure);
      connection.queued ??= [];
      connection.queued.push(flight);
    }
    flight.request = request;
    flight.response = response;
    flight.version = request.httpVersion;
    const { method } = request;
    if (flight.active === undefined || flight.method !== method) {
      flight.method = method;
      flight.active = series.active(method, flight.secure);
    }
    flight.active.value++;
    flight.startedAt = performance.now();
    reserveMark(request);
  };

  const onFinish = ({ request, response, socket }: Message): void => {
    const connection = (socket as Known)[key];
    if (connection === undefined || connection.current.request !== request) return;
    // Node.js reports writes that a destroyed socket dropped as finished; `close` follows and knows better.
    if (socket.destroyed) return;
    const { current } = connection;
    const seconds = (performance.now() - current.startedAt) / 1000;
    const { bytesRead, bytesWritten } = socket;
    const route = routeOf(request);
    const cells = series.answered(current, response.statusCode, route, connection.cells);
    connection.cells = cells;
    cells.duration.record(seconds, exemplarOf(request));
    cells.requestSize.record(requestBodySize(request, bytesRead - connection.bytesRead));
    cells.responseSize.record(responseBodySize(response, bytesWritten - connection.bytesWritten));
    connection.bytesRead = bytesRead;
    connection.bytesWritten = bytesWritten;
    settle(connection, route, seconds);
  };

  function onClose(this: Known): void {
    const connection = this[key];
    if (connection === undefined) return;
    const now = performance.now();
    for (let { request } = connection.current; request !== undefined; request = connection.current.request) {
      const { current } = connection;
      const response = current.response!;
      const seconds = (now - current.startedAt) / 1000;
      const status = response.headersSent ? response.statusCode : undefined;
      const route = routeOf(request);
      const cell = series.failed(current, status, route, failureOf(this, response));
      cell.record(seconds, exemplarOf(request));
      settle(connection, route, seconds);
    }
  }

  /** What every end of a request has in common; makes the next pipelined request the current one. */
  const settle = (connection: Connection, route: string | undefined, seconds: number): void => {
    const { current, queued } = connection;
    current.active!.value--;
    if (seconds >= slowSeconds) series.slow(current.method, route).add(1);
    if (queued !== undefined && queued.length > 0) {
      connection.current = queued.shift()!;
    } else {
      current.request = undefined;
      current.response = undefined;
    }
  };

  const exemplarOf = (request: IncomingMessage): Omit<Exemplar, 'value'> | undefined => {
    const span = markedTrace(request);
    return span === undefined ? context.exemplar() : { ...span, timestampMs: Date.now() };
  };

  return subscribeAll(context.log, {
    'http.server.request.start': onStart,
    'http.server.response.finish': onFinish,
  });
}

function idleFlight(secure: boolean): Flight {
  return {
    request: undefined,
    response: undefined,
    startedAt: 0,
    method: undefined,
    version: '',
    secure,
    active: undefined,
  };
}

/** The route, or none where the framework's own code throws when it is asked. */
function routeOf(request: IncomingMessage): string | undefined {
  try {
    return routeByFramework(request);
  } catch {
    return undefined;
  }
}

/** Why a response never ended. A stable word where the reasons differ by platform and timing. */
function failureOf(socket: Socket, response: ServerResponse): string {
  if (response.destroyed) return 'server_aborted';
  const type = socket.errored == null ? undefined : errorType(socket.errored);
  // A write that was cancelled says only that the socket was destroyed under it; who did it is told by whether the
  // other side's end was read.
  if (type === undefined || type === 'ECANCELED') {
    return socket.readableEnded ? 'client_aborted' : 'server_aborted';
  }
  return clientGone.has(type) ? 'client_aborted' : type;
}
