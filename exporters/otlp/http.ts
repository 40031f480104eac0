import type { Answer as HttpAnswer } from '../http/answer';
import { createPoster, PostTimeoutError } from '../http/post';
import {
  type Answer,
  failedConnection,
  maxAnswerBytes,
  maxErrorText,
  SendError,
  type Sender,
} from './sender';
import { headersOf, type OtlpSettings, tlsOf } from './settings';

/** By the specification of OTLP/HTTP; any other status is final. */
const retryable = new Set([429, 502, 503, 504]);

const contentTypes = { 'http/protobuf': 'application/x-protobuf', 'http/json': 'application/json' };

/**
 * Posts batches to one OTLP/HTTP endpoint.
 *
 * It stands in for the transport of `@opentelemetry/otlp-exporter-base`, whose sockets and retry timers keep a
 * finished process alive for up to ten seconds while the receiver is down.
 *
 * @throws Error when a certificate cannot be read
 */
export function createHttpSender(settings: OtlpSettings, protocol: keyof typeof contentTypes): Sender {
  const { url, gzip } = settings;
  const headers = {
    // Credentials of the URL are among them.
    ...headersOf(settings),
    'content-type': contentTypes[protocol],
    'user-agent': 'otel-vitals',
    ...(gzip ? { 'content-encoding': 'gzip' } : {}),
  };
  const poster = createPoster(url, { keepAlive: true, tls: tlsOf(settings) });
  const path = `${url.pathname}${url.search}`;
  return {
    async send(body, timeoutMs, signal) {
      try {
        return answerOf(
          await poster.post({ path, headers, body, timeoutMs, signal, maxBody: () => maxAnswerBytes }),
        );
      } catch (error) {
        if (signal.aborted) {
          const message = 'the process ends, and it has not answered';
          return { status: 'refused', error: new SendError('aborted', message) };
        }
        if (error instanceof PostTimeoutError) {
          return { status: 'busy', error: new SendError('timeout', error.message) };
        }
        return failedConnection(error instanceof Error ? error : new Error(String(error)));
      }
    },
    close: () => poster.close(),
  };
}

function answerOf({ status, reason, body, header }: HttpAnswer): Answer {
  if (status >= 200 && status < 300) return { status: 'taken', body };
  const text = /json|text/.test(header('content-type') ?? '')
    ? body.toString('utf8').slice(0, maxErrorText).trim()
    : '';
  const error = new SendError(String(status), `it answered ${status} ${reason}${text && `: ${text}`}`.trim());
  if (!retryable.has(status)) return { status: 'refused', error };
  const afterMs = retryAfterMs(header('retry-after'));
  return { status: 'busy', error, ...(afterMs === undefined ? {} : { afterMs }) };
}

/** Seconds, or a date: RFC 9110, 10.2.3. */
function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(seconds, 0) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(date - Date.now(), 0);
}
