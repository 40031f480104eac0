import type { IncomingMessage, ServerResponse } from 'node:http';

const contentLength = 'content-length';
const transferEncoding = 'transfer-encoding';

/**
 * Fields of Node's `OutgoingMessage` that no public call gives, because a length that Node.js fills in at `end()`
 * and one handed to `writeHead` never reach `getHeader`. The same on Node.js 20 to 26; where one is missing the
 * bytes of the socket are taken instead.
 */
interface Sent {
  readonly _contentLength?: number | null;
  readonly _hasBody?: boolean;
  readonly _header?: string | null;
  readonly chunkedEncoding?: boolean;
}

/**
 * Bytes of a request's body: its Content-Length, 0 without a body, else what the socket read less the head.
 *
 * Looks through the raw headers, because the first to ask for `headers` pays for an object of them all.
 *
 * @param socketBytes bytes that the socket read for this request, head included
 */
export function requestBodySize(request: IncomingMessage, socketBytes: number): number {
  const { rawHeaders } = request;
  let chunked = false;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name.length === contentLength.length) {
      if (name.toLowerCase() === contentLength) return Number(rawHeaders[i + 1]);
    } else if (name.length === transferEncoding.length) {
      chunked ||= name.toLowerCase() === transferEncoding;
    }
  }
  return chunked ? Math.max(0, socketBytes - requestHeadSize(request)) : 0;
}

/** Bytes of a request's head as clients write it, which the parser does not tell. */
function requestHeadSize(request: IncomingMessage): number {
  let bytes =
    (request.method ?? '').length + (request.url ?? '').length + ' '.length + ' HTTP/1.1\r\n\r\n'.length;
  // Names and values alternate: ': ' after the one, '\r\n' after the other.
  for (const text of request.rawHeaders) bytes += text.length + 2;
  return bytes;
}

/**
 * Bytes of a response's body: 0 where there is none (HEAD, 204, 304), its Content-Length, else what the socket
 * wrote less the head, chunk framing included.
 *
 * @param socketBytes bytes that the socket wrote for this response, head included
 */
export function responseBodySize(response: ServerResponse, socketBytes: number): number {
  const { _contentLength, _hasBody, _header, chunkedEncoding } = response as Sent;
  if (_hasBody === false) return 0;
  if (typeof _contentLength === 'number' && chunkedEncoding !== true) return _contentLength;
  return Math.max(0, socketBytes - (_header?.length ?? 0));
}
