import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { gzip } from 'node:zlib';
import type { ExportResponse, IExporterTransport } from '@opentelemetry/otlp-exporter-base';
import { markInternal } from '../../instrumentation/internal';

/** What one endpoint needs; OpenTelemetry's `convertLegacyHttpOptions` reads it from the environment. */
export interface Endpoint {
  readonly url: string;
  readonly headers: () => Promise<Record<string, string>>;
  readonly compression: 'gzip' | 'none';
  readonly agentFactory: (protocol: string) => unknown;
}

/** A transport that lets the process go. */
export interface OtlpTransport extends IExporterTransport {
  /** What is under way gets no further try: for a flush, which somebody waits for. */
  hurry(): void;
  /** Ends what is under way. */
  abort(): void;
}

/** By the specification of OTLP/HTTP; any other status is final. */
const retryable = new Set([429, 502, 503, 504]);
/** Of the network: what may pass by itself. */
const retryableCodes = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENOTFOUND',
  'ENETUNREACH',
  'EHOSTUNREACH',
]);
/** Tries and waits of OpenTelemetry's own transport. */
const maxRetries = 5;
const firstBackoffMs = 1000;
const maxBackoffMs = 5000;
/** A connection being made holds the process, and no `unref` helps; a Collector farther away than this is down. */
const connectTimeoutMs = 3000;
/** An answer is a short message; the rest of an error page says nothing more. */
const maxAnswerBytes = 64 * 1024;
const maxErrorText = 200;

/**
 * Posts batches to one OTLP/HTTP endpoint, with the retries of the specification.
 *
 * It stands in for the transport of `@opentelemetry/otlp-exporter-base`, whose sockets and retry timers keep a
 * finished process alive for up to ten seconds while the Collector is down.
 */
export function createTransport(endpoint: Endpoint, random: () => number = Math.random): OtlpTransport {
  const url = new URL(endpoint.url);
  let agent: unknown;
  let hurried = new AbortController();
  let aborted = new AbortController();

  const post = async (data: Uint8Array, timeoutMs: number, signal: AbortSignal): Promise<ExportResponse> => {
    agent ??= await endpoint.agentFactory(url.protocol);
    const headers = await endpoint.headers();
    const body = endpoint.compression === 'gzip' ? await zipped(data) : data;
    if (endpoint.compression === 'gzip') headers['Content-Encoding'] = 'gzip';
    headers['Content-Length'] = String(body.length);
    headers['User-Agent'] = 'otel-vitals';
    return postOnce(url, headers, agent, body, timeoutMs, signal);
  };

  return {
    async send(data, timeoutMs) {
      const deadline = performance.now() + timeoutMs;
      const hurry = hurried.signal;
      const abort = aborted.signal;
      for (let tries = 0; ; tries++) {
        const answer = await post(data, deadline - performance.now(), abort);
        if (answer.status !== 'retryable' || tries === maxRetries) return answer;
        const backoff = Math.min(firstBackoffMs * 1.5 ** tries, maxBackoffMs) * (0.8 + 0.4 * random());
        const wait = answer.retryInMillis ?? backoff;
        if (performance.now() + wait > deadline) return answer;
        await sleep(wait, hurry);
        if (hurry.aborted || abort.aborted) return answer;
      }
    },
    hurry() {
      hurried.abort();
      hurried = new AbortController();
    },
    abort() {
      this.hurry();
      aborted.abort();
      aborted = new AbortController();
    },
    shutdown() {
      (agent as { destroy?: () => void } | undefined)?.destroy?.();
    },
  };
}

function postOnce(
  url: URL,
  headers: Record<string, string>,
  agent: unknown,
  body: Uint8Array,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ExportResponse> {
  return new Promise(resolve => {
    let outgoing: ClientRequest | undefined;
    const timers: NodeJS.Timeout[] = [];
    const settle = (answer: ExportResponse): void => {
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      resolve(answer);
    };
    const fail = (status: 'failure' | 'retryable', message: string): void => {
      settle({ status, error: new Error(message) });
      outgoing?.destroy();
    };
    const abort = (): void => fail('failure', 'given up because the process ends');
    signal.addEventListener('abort', abort);
    // setTimeout's callback must not run in the same turn, or `outgoing` is not there to be destroyed.
    const after = (ms: number, message: string): void => {
      timers.push(setTimeout(() => fail('retryable', message), Math.max(ms, 1)).unref());
    };
    after(timeoutMs, `no answer within ${Math.round(timeoutMs)} ms`);
    try {
      const request = url.protocol === 'https:' ? requestHttps : requestHttp;
      outgoing = request(url, { method: 'POST', headers, agent: agent as never });
      markInternal(outgoing);
      outgoing.on('socket', socket => {
        socket.unref();
        if (!socket.connecting) return;
        after(connectTimeoutMs, `no connection within ${connectTimeoutMs} ms`);
        const connecting = timers.at(-1);
        // A name with several addresses gets a new handle for each try, which knows nothing of the first `unref`.
        socket.once('connect', () => {
          socket.unref();
          clearTimeout(connecting);
        });
      });
      // Stays for the request's whole life: a reset after the answer must find a listener too.
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        settle({ status: retryableCodes.has(error.code ?? '') ? 'retryable' : 'failure', error });
      });
      outgoing.on('response', response => readAnswer(response, settle));
      outgoing.end(body);
    } catch (error) {
      settle({ status: 'failure', error: error as Error });
    }
  });
}

function readAnswer(response: IncomingMessage, settle: (answer: ExportResponse) => void): void {
  const status = response.statusCode ?? 0;
  const chunks: Buffer[] = [];
  let size = 0;
  const answer = (): ExportResponse => {
    const data = Buffer.concat(chunks);
    if (status >= 200 && status < 300) return { status: 'success', data };
    const text = /json|text/.test(response.headers['content-type'] ?? '')
      ? data.toString('utf8').slice(0, maxErrorText).trim()
      : '';
    const error = new Error(
      `it answered ${status} ${response.statusMessage ?? ''}${text && `: ${text}`}`.trim(),
    );
    if (!retryable.has(status)) return { status: 'failure', error };
    const retryInMillis = retryAfterMs(response.headers['retry-after']);
    return { status: 'retryable', error, ...(retryInMillis === undefined ? {} : { retryInMillis }) };
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

function zipped(data: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) =>
    gzip(data, (error, result) => (error === null ? resolve(result) : reject(error))),
  );
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms).unref();
    signal.addEventListener('abort', end);
  });
}
