import { once } from 'node:events';
import http from 'node:http';
import { connect, type Socket } from 'node:net';
import type { CollectionResult } from '@opentelemetry/sdk-metrics';
import {
  type PrometheusEndpoint,
  type PrometheusEndpointOptions,
  type Scrape,
  startPrometheusEndpoint,
} from '../../exporters/prometheus/endpoint';
import { createLog } from '../../instrumentation/log';

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
  /** Whether it came over a connection that had served before. */
  readonly reused: boolean;
}

export interface TestEndpoint extends PrometheusEndpoint {
  /** What the endpoint said of each scrape. */
  readonly scrapes: Scrape[];
  readonly logged: string[];
  get(path?: string, options?: http.RequestOptions): Promise<Answer>;
  /** A connection on which a request was written by hand. */
  raw(text: string): Promise<Socket>;
  /** Resolves once so many scrapes have ended. */
  ended(count: number): Promise<void>;
}

/** Starts an endpoint on a free port, which a test closes. */
export async function testEndpoint(
  collect: () => Promise<CollectionResult>,
  options: Partial<PrometheusEndpointOptions> = {},
): Promise<TestEndpoint> {
  const scrapes: Scrape[] = [];
  const logged: string[] = [];
  let told = (): void => {};
  const endpoint = await startPrometheusEndpoint({
    host: '127.0.0.1',
    port: 0,
    log: createLog('debug', line => logged.push(line)),
    collect,
    onScrape(scrape) {
      scrapes.push(scrape);
      told();
    },
    ...options,
  });
  return {
    ...endpoint,
    scrapes,
    logged,
    get: (path = '/metrics', own = {}) =>
      request({ host: endpoint.host, port: endpoint.port, path, agent: false, ...own }),
    async raw(text) {
      const socket = connect(endpoint.port, endpoint.host);
      socket.on('error', () => {});
      await once(socket, 'connect');
      socket.write(text);
      return socket;
    },
    async ended(count) {
      while (scrapes.length < count) await new Promise<void>(resolve => (told = resolve));
    },
  };
}

export function request(options: http.RequestOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = http.request(options, response => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          body: Buffer.concat(chunks),
          reused: outgoing.reusedSocket,
        }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}
