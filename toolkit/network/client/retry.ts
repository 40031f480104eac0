import { firstOf, type Headers } from './headers';
import type { SettledRetry } from './options';

/** What went wrong before there was an answer, or in the middle of it, that another attempt may not meet. */
const passing = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EAI_AGAIN',
  'ENOTFOUND',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_SOCKET',
  // HTTP/2: the server goes, or has not begun.
  'ERR_HTTP2_GOAWAY_SESSION',
  'ERR_HTTP2_SESSION_ERROR',
  'ERR_HTTP2_STREAM_CANCEL',
  'ERR_HTTP2_STREAM_ERROR',
]);

/** The code of an error; of several, as from several addresses of a host, that of the first. */
export function codeOf(error: Error): string {
  const { code, errors } = error as { code?: unknown; errors?: readonly Error[] };
  if (typeof code === 'string' && code !== '') return code;
  return errors?.[0] === undefined ? error.name : codeOf(errors[0]);
}

export function isPassing(error: Error): boolean {
  const code = codeOf(error);
  // undici has this one for what goes wrong with HTTP/2, too.
  return passing.has(code) || (code === 'UND_ERR_INFO' && /HTTP\/2/.test(error.message));
}

/** What the answer asks to wait, in milliseconds: seconds or a date, RFC 9110 section 10.2.3. */
export function retryAfterMs(headers: Headers, wallNow: () => number): number | undefined {
  const value = firstOf(headers['retry-after'])?.trim();
  if (value === undefined || value === '') return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  // Date.parse takes nearly anything for a date; one of HTTP names its month.
  const at = /[a-z]{3}/i.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - wallNow());
}

/**
 * The delay before the attempt after the n-th: random up to a bound that doubles ("full jitter", which spreads callers
 * best: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). After what the answer asks for,
 * where it does, so that those who were told the same do not come at once.
 */
export function delayOf(
  { baseDelayMs, maxDelayMs }: SettledRetry,
  attempt: number,
  askedMs: number | undefined,
  random: () => number,
): number {
  const spread = random() * Math.min(maxDelayMs, baseDelayMs * 2 ** (attempt - 1));
  return (askedMs ?? 0) + spread;
}
