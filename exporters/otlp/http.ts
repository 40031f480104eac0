import * as http from 'node:http';
import { ownRequest } from '../own-request';
import {
  type Answer,
  connectTimeoutMs,
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
  const { gzip } = settings;
  // Credentials travel in the header, where they do not show in a URL.
  const url = new URL(settings.url);
  url.username = '';
  url.password = '';
  const headers = {
    ...headersOf(settings),
    'content-type': contentTypes[protocol],
    'user-agent': 'otel-vitals',
    ...(gzip ? { 'content-encoding': 'gzip' } : {}),
  };
  const secure = url.protocol === 'https:';
  const { Agent, request } = secure ? (require('node:https') as typeof import('node:https')) : http;
  const agent = new Agent({ keepAlive: true, ...tlsOf(settings) });

  return {
    send: (body, timeoutMs, signal) =>
      new Promise(resolve => {
        let outgoing: http.ClientRequest | undefined;
        const timers: NodeJS.Timeout[] = [];
        const settle = (answer: Answer): void => {
          for (const timer of timers) clearTimeout(timer);
          signal.removeEventListener('abort', abort);
          resolve(answer);
        };
        const giveUp = (status: 'refused' | 'busy', type: string, message: string): void => {
          settle({ status, error: new SendError(type, message) });
          outgoing?.destroy();
        };
        const abort = (): void => giveUp('refused', 'aborted', 'the process ends, and it has not answered');
        signal.addEventListener('abort', abort);
        const after = (ms: number, message: string): NodeJS.Timeout => {
          const timer = setTimeout(() => giveUp('busy', 'timeout', message), Math.max(ms, 1)).unref();
          timers.push(timer);
          return timer;
        };
        after(timeoutMs, `no answer within ${Math.round(timeoutMs)} ms`);
        try {
          outgoing = ownRequest(() =>
            request(url, { method: 'POST', headers: { ...headers, 'content-length': body.length }, agent }),
          );
          outgoing.on('socket', socket => {
            socket.unref();
            if (!socket.connecting) return;
            const connecting = after(connectTimeoutMs, `no connection within ${connectTimeoutMs} ms`);
            // A name with several addresses gets a new handle for each try, which knows nothing of the first `unref`.
            socket.once('connect', () => {
              socket.unref();
              clearTimeout(connecting);
            });
          });
          // Stays for the request's whole life: a reset after the answer must find a listener too.
          outgoing.on('error', error => settle(failedConnection(error)));
          outgoing.on('response', response => readAnswer(response, settle));
          outgoing.end(body);
        } catch (error) {
          settle({ status: 'refused', error: new SendError('error', String(error), { cause: error }) });
        }
      }),
    close: () => agent.destroy(),
  };
}

function readAnswer(response: http.IncomingMessage, settle: (answer: Answer) => void): void {
  const status = response.statusCode ?? 0;
  const chunks: Buffer[] = [];
  let size = 0;
  const answer = (): Answer => {
    const body = Buffer.concat(chunks);
    if (status >= 200 && status < 300) return { status: 'taken', body };
    const text = /json|text/.test(response.headers['content-type'] ?? '')
      ? body.toString('utf8').slice(0, maxErrorText).trim()
      : '';
    const words = `it answered ${status} ${response.statusMessage ?? ''}${text && `: ${text}`}`.trim();
    const error = new SendError(String(status), words);
    if (!retryable.has(status)) return { status: 'refused', error };
    const afterMs = retryAfterMs(response.headers['retry-after']);
    return { status: 'busy', error, ...(afterMs === undefined ? {} : { afterMs }) };
  };
  const finish = (): void => settle(answer());
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxAnswerBytes) chunks.push(chunk);
    else response.destroy();
  });
  response.on('end', finish);
  // An answer that breaks off has said its status, which is what counts.
  response.on('error', finish);
  response.on('close', finish);
}

/** Seconds, or a date: RFC 9110, 10.2.3. */
function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(seconds, 0) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(date - Date.now(), 0);
}
