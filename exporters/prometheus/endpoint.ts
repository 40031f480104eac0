import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CollectionResult } from '@opentelemetry/sdk-metrics';
import { markInternal } from '../../instrumentation/internal';
import { errorText, type Log } from '../../instrumentation/log';
import { answerScrape, answerShort } from './answer';
import { close, protect } from './connections';
import { defaultLimits, type Limits } from './limits';
import { CollectionError, shareScrapes } from './scrapes';
import { createSerializer } from './serializer';
import { watchSending } from './stalled';

/** The endpoint while it listens. */
export interface PrometheusEndpoint {
  readonly host: string;
  /** The port that was taken, also where any was asked for. */
  readonly port: number;
  /** Where the metrics are. */
  readonly url: string;
  /** Takes no more scrapes; those under way have a moment to end. Further calls give the same promise. */
  close(): Promise<void>;
}

/** How one scrape went. */
export interface Scrape {
  /** From the request to the last byte of the answer. */
  readonly durationSeconds: number;
  /** Size of the exposition, uncompressed; 0 where none was sent. */
  readonly bytes: number;
  /** Whether it was answered whole. */
  readonly ok: boolean;
}

/** Settings of {@link startPrometheusEndpoint}. */
export interface PrometheusEndpointOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly log: Log;
  readonly collect: () => Promise<CollectionResult>;
  readonly onScrape?: (scrape: Scrape) => void;
  readonly limits?: Partial<Limits>;
}

/**
 * Serves metrics at `/metrics`, in the text format and in OpenMetrics, without keeping the process alive.
 *
 * @throws what `listen` fails with, such as EADDRINUSE
 */
export async function startPrometheusEndpoint(
  options: PrometheusEndpointOptions,
): Promise<PrometheusEndpoint> {
  const { log } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const server = createServer(
    { connectionsCheckingInterval: limits.requestMs },
    requestListener(options, limits),
  );
  // Or the HTTP meters would count our own scrapes as the application's traffic.
  markInternal(server);
  protect(server, limits);
  // A name in brackets is how a URL writes an IPv6 address.
  const host = options.host.replace(/^\[(.*)\]$/, '$1');
  await new Promise<void>((resolve, reject) => {
    if (isNetworkForbidden()) {
      reject(new Error('Expected the permission to use the network, got none: --allow-net gives it'));
      return;
    }
    server.once('error', reject);
    // In a cluster worker too the port is its own: shared, each scrape would meet another worker's metrics.
    server.listen({ host, port: options.port, exclusive: true }, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
  server.on('error', error => log.warnOnce('prometheus server', `metrics server: ${errorText(error)}`));
  const { port } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  return {
    host,
    port,
    url: `http://${hostAndPort(host, port)}/metrics`,
    close: () => (closing ??= close(server, limits.closeMs)),
  };
}

/** An address as URLs write it. */
export function hostAndPort(host: string, port: number): string {
  return `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
}

type Rest = Parameters<typeof answerShort> extends [unknown, ...infer R] ? R : never;

function requestListener({ collect, log, onScrape }: PrometheusEndpointOptions, limits: Limits) {
  const serializer = createSerializer({ onWarning: message => log.warn(message) });
  const take = shareScrapes({ collect, serializer, timeoutMs: limits.collectMs });
  const onSend = watchSending(limits.stallMs);
  let underWay = 0;

  const answer = (response: ServerResponse, ...rest: Rest): void => {
    onSend(response);
    answerShort(response, ...rest);
  };

  const scrape = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const begin = performance.now();
    let bytes = 0;
    let ok = false;
    underWay++;
    try {
      bytes = await answerScrape(request, response, take, onSend);
      ok = true;
    } catch (error) {
      if (response.headersSent || response.destroyed) {
        log.debug(`a scraper went away: ${errorText(error)}`);
        response.destroy();
      } else {
        const text = error instanceof CollectionError ? error.message : errorText(error);
        log.warnOnce(`scrape ${text}`, `a scrape failed, because metrics could not be collected: ${text}`);
        answer(response, 500, `metrics could not be collected: ${text}`);
      }
    } finally {
      underWay--;
    }
    onScrape?.({ durationSeconds: (performance.now() - begin) / 1000, bytes, ok });
  };

  return (request: IncomingMessage, response: ServerResponse): void => {
    // A connection that breaks is the scraper's affair; pending writes report it as well.
    response.on('error', error => log.debug(`a scraper went away: ${errorText(error)}`));
    const path = pathOf(request);
    if (path !== '/metrics' && path !== '/') {
      answer(response, 404, 'not found; metrics are at /metrics');
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      answer(response, 405, 'metrics are read with GET', { allow: 'GET, HEAD' });
    } else if (path === '/') {
      answer(response, 200, 'otel-vitals: metrics are at /metrics');
    } else if (underWay >= limits.scrapes) {
      answer(response, 503, `${underWay} scrapes are under way`, { 'retry-after': '1' });
    } else {
      void scrape(request, response);
    }
  };
}

/** The path of a request's target, which may be a whole URL. */
function pathOf({ url = '' }: IncomingMessage): string {
  return url.replace(/^https?:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '');
}

/** Node.js 25 and later throw where nobody can catch it when `listen` is called without the permission. */
function isNetworkForbidden(): boolean {
  const { permission } = process as { permission?: { has(scope: string): boolean } };
  return (
    permission !== undefined && Number.parseInt(process.versions.node, 10) >= 25 && !permission.has('net')
  );
}
