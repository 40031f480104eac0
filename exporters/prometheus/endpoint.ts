// placeholder until the real endpoint lands
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CollectionResult } from '@opentelemetry/sdk-metrics';
import { markInternal } from '../../instrumentation/internal';
import type { Log } from '../../instrumentation/log';
import { writeExposition } from './exposition';
import { contentTypes } from './formats';
import { createSerializer } from './serializer';

export interface PrometheusEndpoint {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}
export interface Scrape {
  durationSeconds: number;
  bytes: number;
  series: number;
  ok: boolean;
}
export interface PrometheusEndpointOptions {
  host: string;
  port: number;
  log: Log;
  collect(): Promise<CollectionResult>;
  onScrape?: (scrape: Scrape) => void;
}
export async function startPrometheusEndpoint(o: PrometheusEndpointOptions): Promise<PrometheusEndpoint> {
  const serializer = createSerializer();
  const server = markInternal(
    createServer((q, r) => {
      const b = performance.now();
      const f = q.headers.accept?.includes('openmetrics') ? 'openmetrics' : 'text';
      o.collect()
        .then(c => writeExposition(serializer, c.resourceMetrics, f))
        .then(
          e => {
            r.setHeader('content-type', contentTypes[f]);
            r.end(Buffer.concat(e.chunks));
            o.onScrape?.({
              durationSeconds: (performance.now() - b) / 1000,
              bytes: e.bytes,
              series: e.samples,
              ok: true,
            });
          },
          err => {
            r.statusCode = 500;
            r.end(String(err));
          },
        );
    }),
  );
  server.unref();
  server.on('connection', s => s.unref());
  await new Promise<void>((ok, no) => {
    server.once('error', no);
    server.listen({ port: o.port, host: o.host, exclusive: true }, () => ok());
  });
  const { port } = server.address() as AddressInfo;
  return {
    host: o.host,
    port,
    url: `http://${o.host}:${port}/metrics`,
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
