import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { connectTimeoutMs } from '../http/post';
import { retryDelayMs } from './grpc-retry-info';
import {
  type Answer,
  failedConnection,
  maxAnswerBytes,
  maxErrorText,
  SendError,
  type Sender,
} from './sender';
import { headersOf, type OtlpSettings, type Signal, tlsOf } from './settings';

const methods: Record<Signal, string> = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
};

/** https://grpc.io/docs/guides/status-codes/, by number. */
const statusNames = [
  ...['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS'],
  ...['PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE'],
  ...['UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED'],
];
/** By the specification of OTLP/gRPC. RESOURCE_EXHAUSTED is one more if it says when. */
const retryable = new Set([
  'CANCELLED',
  'DEADLINE_EXCEEDED',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNAVAILABLE',
  'DATA_LOSS',
]);
/** What a proxy on the way answers instead, as gRPC maps it. */
const retryableHttp = new Set([429, 502, 503, 504]);

/** A message is preceded by a byte that says whether it is compressed, and its length in four. */
const prefixBytes = 5;

/**
 * Calls one OTLP/gRPC service, a unary call per batch on one connection.
 *
 * gRPC is little more than HTTP/2 here. `@grpc/grpc-js` adds 30 ms to the start, and its calls hold a finished
 * process until their deadline.
 *
 * @throws Error when a certificate cannot be read
 */
export function createGrpcSender(settings: OtlpSettings, signal: Signal): Sender {
  // Loaded only where it is used, as this file is by every OTLP exporter.
  const { connect } = require('node:http2') as typeof import('node:http2');
  const tls = tlsOf(settings);
  const headers = {
    ...lowerCase(headersOf(settings)),
    ':method': 'POST',
    ':path': methods[signal],
    'content-type': 'application/grpc',
    te: 'trailers',
    'user-agent': 'otel-vitals',
    ...(settings.gzip ? { 'grpc-encoding': 'gzip' } : {}),
  };
  let session: ClientHttp2Session | undefined;

  const open = (): ClientHttp2Session => {
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    const made = connect(settings.url.origin, tls);
    made.unref();
    made.once('connect', () => made.unref());
    // Each call hears of it by itself; without a listener it would be thrown.
    made.on('error', () => {});
    made.on('goaway', () => made.close());
    session = made;
    return made;
  };

  return {
    send: (body, timeoutMs, abortSignal) =>
      new Promise(resolve => {
        let stream: ClientHttp2Stream | undefined;
        const timers: NodeJS.Timeout[] = [];
        let connection: ClientHttp2Session | undefined;
        const settle = (answer: Answer): void => {
          for (const timer of timers) clearTimeout(timer);
          abortSignal.removeEventListener('abort', abort);
          connection?.removeListener('error', failed);
          resolve(answer);
        };
        const failed = (error: Error): void => settle(failedConnection(error));
        const giveUp = (status: 'refused' | 'busy', type: string, message: string): void => {
          settle({ status, error: new SendError(type, message) });
          stream?.destroy();
        };
        const abort = (): void => giveUp('refused', 'aborted', 'the process ends, and it has not answered');
        abortSignal.addEventListener('abort', abort);
        const after = (ms: number, message: string): NodeJS.Timeout => {
          const end = (): void => giveUp('busy', 'timeout', message);
          const timer = setTimeout(end, Math.max(ms, 1)).unref();
          timers.push(timer);
          return timer;
        };
        after(timeoutMs, `no answer within ${Math.round(timeoutMs)} ms`);
        try {
          connection = open();
          connection.prependListener('error', failed);
          if (connection.connecting) {
            const slow = setTimeout(() => {
              giveUp('busy', 'timeout', `no connection within ${connectTimeoutMs} ms`);
              connection?.destroy();
            }, connectTimeoutMs).unref();
            timers.push(slow);
            connection.once('connect', () => clearTimeout(slow));
          }
          stream = connection.request({
            ...headers,
            'grpc-timeout': `${Math.max(1, Math.ceil(timeoutMs))}m`,
          });
          stream.on('error', failed);
          readAnswer(stream, settle);
          stream.end(framed(body, settings.gzip));
        } catch (error) {
          failed(error as Error);
        }
      }),
    close: () => session?.destroy(),
  };
}

function framed(body: Uint8Array, compressed: boolean): Buffer {
  const frame = Buffer.allocUnsafe(prefixBytes + body.length);
  frame.writeUInt8(compressed ? 1 : 0, 0);
  frame.writeUInt32BE(body.length, 1);
  frame.set(body, prefixBytes);
  return frame;
}

function readAnswer(stream: ClientHttp2Stream, settle: (answer: Answer) => void): void {
  let head: IncomingHttpHeaders & { ':status'?: number | undefined } = {};
  let trailers: IncomingHttpHeaders = {};
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('response', received => {
    head = received;
  });
  stream.on('trailers', received => {
    trailers = received;
  });
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxAnswerBytes) chunks.push(chunk);
    else stream.destroy();
  });
  stream.on('close', () => {
    // Without a message the status comes with the headers.
    const status = textOf(trailers['grpc-status'] ?? head['grpc-status']);
    if (status === undefined) settle(withoutStatus(head[':status']));
    else if (status === '0') settle({ status: 'taken', body: Buffer.concat(chunks).subarray(prefixBytes) });
    else settle(failedCall(status, { ...head, ...trailers }));
  });
}

function withoutStatus(http: number | undefined): Answer {
  if (http === undefined) return busy(new SendError('ECONNRESET', 'the connection broke off'));
  const words = http === 200 ? 'it broke off its answer' : `it answered ${http}, which no gRPC server does`;
  const error = new SendError(http === 200 ? 'ECONNRESET' : String(http), words);
  return http === 200 || retryableHttp.has(http) ? busy(error) : { status: 'refused', error };
}

function failedCall(status: string, fields: IncomingHttpHeaders): Answer {
  const name = statusNames[Number(status)] ?? 'UNKNOWN';
  const message = decoded(textOf(fields['grpc-message']) ?? '').slice(0, maxErrorText);
  const error = new SendError(name, `it answered ${name}${message === '' ? '' : `: ${message}`}`);
  const details = textOf(fields['grpc-status-details-bin']);
  const afterMs = details === undefined ? undefined : retryDelayMs(Buffer.from(details, 'base64'));
  if (!retryable.has(name) && !(name === 'RESOURCE_EXHAUSTED' && afterMs !== undefined)) {
    return { status: 'refused', error };
  }
  return afterMs === undefined ? busy(error) : { status: 'busy', error, afterMs };
}

const busy = (error: SendError): Answer => ({ status: 'busy', error });

const textOf = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header[0] : header;

/** The message is percent-encoded; one that is not quite is shown as it came. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** HTTP/2 knows no other names. */
function lowerCase(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
