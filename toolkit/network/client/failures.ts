import {
  HttpAbortedError,
  HttpBodyTooLargeError,
  type HttpCallFacts,
  HttpClientClosedError,
  HttpConnectionError,
  HttpDecodingError,
  type HttpPhase,
  HttpTimeoutError,
  type HttpTimeoutKind,
} from './errors';
import type { SettledTimeouts } from './options';
import { codeOf } from './retry';
import type { HttpOutcome } from './stats';

const timeoutKinds: Readonly<Record<string, Exclude<HttpTimeoutKind, 'total'>>> = {
  UND_ERR_CONNECT_TIMEOUT: 'connect',
  UND_ERR_HEADERS_TIMEOUT: 'headers',
  UND_ERR_BODY_TIMEOUT: 'body',
};

/** The error that a caller gets for what undici failed with. */
export function failureOf(
  cause: Error,
  facts: HttpCallFacts,
  timeouts: SettledTimeouts,
  phase: HttpPhase,
  closed: boolean,
): Error {
  const code = codeOf(cause);
  // undici 6 ends a stream of HTTP/2 that is silent so.
  const silent = code === 'UND_ERR_INFO' && /stream timeout/.test(cause.message);
  const kind = silent ? (phase === 'body' ? 'body' : 'headers') : timeoutKinds[code];
  if (kind !== undefined) return new HttpTimeoutError(facts, kind, timeouts[`${kind}Ms`], phase, { cause });
  if (closed || code === 'UND_ERR_CLOSED' || code === 'UND_ERR_DESTROYED') {
    return new HttpClientClosedError(facts, { cause });
  }
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') {
    return new TypeError(`Expected a request that HTTP allows, got one with: ${cause.message}`, { cause });
  }
  return new HttpConnectionError(facts, code, { cause });
}

/** How a call ended that ended with this error. */
export function outcomeOfError(error: Error): HttpOutcome {
  if (error instanceof HttpTimeoutError) return 'timeout';
  if (error instanceof HttpConnectionError) return 'connection';
  if (error instanceof HttpAbortedError) return 'aborted';
  if (error instanceof HttpBodyTooLargeError || error instanceof HttpDecodingError) return 'body';
  return 'refused';
}

/** How a call ended that was answered with this status. */
export function outcomeOfStatus(status: number): HttpOutcome {
  return status < 400 ? 'ok' : status < 500 ? 'client_error' : 'server_error';
}
