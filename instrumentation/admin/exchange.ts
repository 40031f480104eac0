import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { ProfilingError } from '../profiling/errors';

/** One request and its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Aborted when nobody waits for the answer any more. */
  readonly gone: AbortSignal;
}

/** On every answer: nothing of it is kept, sniffed, framed or read by other sites. */
const safety: OutgoingHttpHeaders = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/** Milliseconds that a client may take nothing of an answer before it is let go. */
const stuckMs = 60_000;

export function send(
  { request, response }: Exchange,
  status: number,
  headers: OutgoingHttpHeaders,
  body: string | Uint8Array,
): void {
  if (response.headersSent || response.destroyed) return;
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  // Nothing here reads a body, and nobody waits for the rest of one.
  const close = (length !== undefined && length !== '0') || encoding !== undefined;
  response.writeHead(status, {
    ...safety,
    // Without a body to a HEAD its length is not known: nothing is captured to find out.
    ...(request.method === 'HEAD' && body.length === 0 ? {} : { 'content-length': Buffer.byteLength(body) }),
    ...(close ? { connection: 'close' } : {}),
    ...headers,
  });
  response.setTimeout(stuckMs, () => response.destroy());
  response.end(request.method === 'HEAD' ? undefined : body);
}

export function sendText(
  exchange: Exchange,
  status: number,
  text: string,
  headers: OutgoingHttpHeaders = {},
): void {
  send(exchange, status, { 'content-type': 'text/plain; charset=utf-8', ...headers }, text);
}

export function sendJson(
  exchange: Exchange,
  status: number,
  value: unknown,
  headers: OutgoingHttpHeaders = {},
): void {
  const body = `${JSON.stringify(value, undefined, 2)}\n`;
  send(exchange, status, { 'content-type': 'application/json; charset=utf-8', ...headers }, body);
}

/** A file to save. */
export function sendFile(exchange: Exchange, type: string, name: string, data: Uint8Array): void {
  send(
    exchange,
    200,
    { 'content-type': type, 'content-disposition': `attachment; filename="${name}"` },
    data,
  );
}

/** An error as the asker reads it: text for `go tool pprof`, which shows it when it is marked so, else JSON. */
export function sendError(
  exchange: Exchange,
  status: number,
  code: string,
  message: string,
  headers: OutgoingHttpHeaders = {},
): void {
  if (exchange.path.startsWith('/profiling')) {
    sendJson(exchange, status, { error: { code, message } }, headers);
  } else {
    sendText(exchange, status, `${message}\n`, { 'x-go-pprof': '1', ...headers });
  }
}

export function sendFailure(exchange: Exchange, error: unknown): void {
  if (error instanceof ProfilingError) {
    sendError(
      exchange,
      error.status,
      error.code,
      error.message,
      error.status === 409 ? { 'retry-after': '5' } : {},
    );
  } else {
    sendError(exchange, 500, 'FAILED', error instanceof Error ? error.message : String(error));
  }
}
