import type { Readable } from 'node:stream';
import { abortSignal, positiveIntegerOrInfinity } from '../../options';
import { type Headers, lowerCased } from './headers';
import type {
  HttpHeaders,
  HttpRequestBody,
  HttpRequestOptions,
  SettledClientOptions,
  SettledTimeouts,
} from './options';
import { settleTimeouts } from './settle-options';

/** One call, with all that is known of it before it is made. */
export interface Call {
  readonly method: string;
  readonly url: URL;
  readonly origin: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: Uint8Array | Readable | undefined;
  readonly signal: AbortSignal | undefined;
  readonly timeouts: SettledTimeouts;
  readonly retryable: boolean;
  /** Whether the caller lets the cache be used. */
  readonly cache: boolean;
  readonly maxBodyBytes: number;
}

/** @throws TypeError when the URL or an option is not as documented; it says nothing of the URL but its scheme */
export function prepare(
  settled: SettledClientOptions,
  given: string | URL,
  options: HttpRequestOptions,
): Call {
  const url = typeof given === 'string' ? parsed(given, settled.baseUrl) : given;
  const { protocol } = url;
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new TypeError(`Expected a URL of http or https, got one of ${protocol}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError(
      'Expected a URL without a user or password, which belong into the header Authorization',
    );
  }
  const method = options.method === undefined ? 'GET' : methodOf(options.method);
  const { headers, timeouts, maxBodyBytes, idempotent } = options;
  checkBody(options.body);
  // undici makes bytes of it, too.
  const body = typeof options.body === 'string' ? Buffer.from(options.body) : options.body;
  return {
    method,
    url,
    origin: url.origin,
    path: url.pathname + url.search,
    headers: headersOf(settled.headers, headers, body),
    body,
    signal: abortSignal(options.signal),
    timeouts: timeouts === undefined ? settled.timeouts : settleTimeouts(timeouts, settled.timeouts),
    retryable: (idempotent ?? settled.retry.methods.has(method)) && isRepeatable(body),
    cache: options.cache !== false,
    maxBodyBytes:
      maxBodyBytes === undefined
        ? settled.maxBodyBytes
        : positiveIntegerOrInfinity('maxBodyBytes', maxBodyBytes),
  };
}

function headersOf(
  common: Headers,
  own: HttpHeaders | undefined,
  body: Uint8Array | Readable | undefined,
): Headers {
  if (own === undefined && body === undefined) return common;
  const headers = own === undefined ? { ...common } : { ...common, ...lowerCased(own) };
  // Known although it may be sent as a stream.
  if (body instanceof Uint8Array && body.length > 0) headers['content-length'] ??= String(body.length);
  return headers;
}

function parsed(text: string, base: URL | undefined): URL {
  try {
    return base === undefined ? new URL(text) : new URL(text, base);
  } catch {
    throw new TypeError(
      base === undefined
        ? 'Expected an absolute URL, got a text that is none'
        : 'Expected a URL, or a path from baseUrl, got a text that is none',
    );
  }
}

function methodOf(method: string): string {
  if (typeof method !== 'string' || !/^[!#$%&'*+.^_`|~\w-]+$/.test(method)) {
    throw new TypeError(
      `Expected a method of HTTP, got ${typeof method === 'string' ? 'another text' : typeof method}`,
    );
  }
  return method.toUpperCase();
}

function isRepeatable(body: HttpRequestBody | undefined): boolean {
  return body === undefined || typeof body === 'string' || body instanceof Uint8Array;
}

function checkBody(body: HttpRequestBody | undefined): void {
  if (isRepeatable(body) || typeof (body as Readable).pipe === 'function') return;
  throw new TypeError(`Expected body to be a string, a Uint8Array or a stream, got ${typeof body}`);
}
