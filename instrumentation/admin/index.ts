import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mainThreadCall } from '../profiling/worker/main-thread-call';
import { type Exchange, send, sendError, sendFailure } from './exchange';
import { createGuard, isForeignPage } from './guard';
import { pageRoutes } from './page-routes';
import type { AdminParts } from './parts';
import { pprofRoutes } from './pprof-routes';
import { profilingRoutes } from './profiling-routes';
import { findRoute, type Routes } from './router';

/** Requests answered at once; 300 s of waiting for a profile is one. */
const maxActive = 150;
/** Connections held at once; more are closed as they come. */
const maxConnections = 256;
/** Milliseconds in which a request must have come, head and body. */
const headTimeoutMs = 5000;
const requestTimeoutMs = 10_000;
const maxHeaderBytes = 8192;
/** Bytes of a body that nobody wants and that are let through all the same. */
const maxBodyBytes = 65_536;
/** A header each: Chromium asks for no password where one header holds both. */
const challenges = ['Basic realm="otel-vitals"', 'Bearer'];

export interface AdminOptions extends AdminParts {
  readonly host: AdminParts['host'];
  readonly listen: { readonly host: string; readonly port: number };
  readonly token: string | undefined;
}

export interface Admin {
  /** Rejects when the port is not to be had. */
  readonly ready: Promise<{ url: string; port: number }>;
  close(): Promise<void>;
}

/** The admin server. */
export function startAdmin(options: AdminOptions): Admin {
  const { listen, token, host } = options;
  const guard = createGuard({ host: listen.host, token });
  const routes: Routes = {
    ...pprofRoutes(options),
    ...profilingRoutes(options),
    ...pageRoutes(options),
  };
  let active = 0;

  const answer = async (exchange: Exchange): Promise<void> => {
    const { request, path } = exchange;
    const refusal = guard(request);
    if (refusal !== undefined) {
      const headers = refusal.status === 401 ? { 'www-authenticate': challenges } : {};
      sendError(exchange, refusal.status, refusal.code, refusal.message, headers);
      return;
    }
    if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) {
      sendError(
        exchange,
        413,
        'BODY_TOO_LARGE',
        `expected no body, got one of ${request.headers['content-length']} bytes`,
      );
      return;
    }
    const route = findRoute(routes, path);
    if (route === undefined) {
      await answerFromMain(exchange);
      return;
    }
    if (!route.methods.includes(request.method ?? '')) {
      const allow = route.methods.join(', ');
      sendError(exchange, 405, 'METHOD_NOT_ALLOWED', `expected ${allow}, got ${request.method}`, { allow });
      return;
    }
    if (isForeignPage(request, route.effect)) {
      sendError(exchange, 403, 'FOREIGN_SITE', 'a page of another site may not ask for this');
      return;
    }
    await route.handle(exchange);
  };

  const answerFromMain = async (exchange: Exchange): Promise<void> => {
    const { request, path, query } = exchange;
    const method = request.method ?? '';
    const notFound = () =>
      sendError(exchange, 404, 'NOT_FOUND', 'not found; /debug/pprof/ and /profiling/status are');
    if (method !== 'GET' && method !== 'HEAD') {
      notFound();
      return;
    }
    if (isForeignPage(request, false)) {
      sendError(exchange, 403, 'FOREIGN_SITE', 'a page of another site may not ask for this');
      return;
    }
    const { accept = '', 'accept-encoding': encoding = '' } = request.headers;
    const page = await mainThreadCall(host, 'route', {
      method,
      path,
      query: query.toString(),
      headers: { accept, 'accept-encoding': String(encoding) },
    });
    if (page !== undefined) send(exchange, page.status, page.headers, page.body);
    else notFound();
  };

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const gone = new AbortController();
    response.on('close', () => {
      if (!response.writableFinished) gone.abort();
    });
    response.on('error', () => {
      // The other end is gone; 'close' follows.
    });
    const [path = '', search = ''] = (request.url ?? '').split('?', 2);
    const exchange = { request, response, path, query: new URLSearchParams(search), gone: gone.signal };
    if (active >= maxActive) {
      sendError(exchange, 503, 'BUSY', `${active} requests are being answered`, { 'retry-after': '1' });
      return;
    }
    active++;
    answer(exchange)
      .catch((error: unknown) => sendFailure(exchange, error))
      .finally(() => {
        active--;
      });
  };

  const server = createServer(
    {
      headersTimeout: headTimeoutMs,
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: 1000,
      keepAliveTimeout: 5000,
      maxHeaderSize: maxHeaderBytes,
    },
    onRequest,
  );
  server.maxConnections = maxConnections;
  server.on('connect', (_, socket) => {
    socket.on('error', () => {});
    socket.end(
      'HTTP/1.1 405 Method Not Allowed\r\nallow: GET, HEAD, POST\r\nconnection: close\r\ncontent-length: 0\r\n\r\n',
    );
  });
  const ready = new Promise<{ url: string; port: number }>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: listen.host, port: listen.port, exclusive: true }, () => {
      server.removeListener('error', reject);
      // Such as too many open files while accepting: that one connection is lost.
      server.on('error', () => {});
      const { port } = server.address() as AddressInfo;
      const name = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
      resolve({ url: `http://${name}:${port}/`, port });
    });
  });
  return {
    ready,
    close() {
      return new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}
