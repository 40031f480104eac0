import { type CompressionStats, compressionSource } from '../../toolkit/network/server/compression/stats';
import {
  type ConnectionPoolStats,
  connectionPoolSource,
} from '../../toolkit/network/server/connections/stats';
import { errorShare, fewestRequests, slowShare } from '../../toolkit/network/server/endpoints/report';
import { type EndpointStats, endpointSource } from '../../toolkit/network/server/endpoints/stats';
import { floodKinds, type Http2ServerStats, http2Source } from '../../toolkit/network/server/http2/stats';
import { liveSources, type Source } from '../../toolkit/sources';
import { guarded } from '../guard';
import type { Log } from '../log';
import type { Findings } from './findings';
import { createRises } from './rises';

/** Requests between two looks from which a share of reused connections says something: 10 a second. */
const manyRequests = 100;
const fewReused = 0.5;
/** Bytes between two looks from which a ratio says something. */
const muchInput = 1 << 20;
/** Share of its size to which content is to shrink for compression to be worth its while. */
const worthwhile = 0.9;

const rounded = (value: number): number => Math.round(value * 1000) / 1000;

/** Finds what is wrong with what the toolkit knows of HTTP: endpoints, connections, compression and HTTP/2. */
export function watchNetworkServers(findings: Findings, log: Log): { look(): void } {
  const rises = {
    requests: createRises(),
    slow: createRises(),
    errors: createRises(),
    carried: createRises(),
    reused: createRises(),
    input: createRises(),
    output: createRises(),
    flooded: createRises(),
  };

  const lookAtEndpoint = guarded(log, 'looking at an endpoint', (source: Source<EndpointStats>): void => {
    const { endpoint, count, errors, slow, slowMs, recent } = source.stats();
    const requests = rises.requests(source, count);
    const slowNow = rises.slow(source, slow);
    const failed = rises.errors(source, errors.server_error);
    if (requests < fewestRequests) return;
    const subject = `${source.name} ${endpoint}`;
    if (slowNow > requests * slowShare) {
      findings.report('http_slow_endpoint', subject, {
        requests,
        slow: slowNow,
        slow_ms: slowMs,
        p50_ms: rounded(recent.p50Ms),
        p95_ms: rounded(recent.p95Ms),
      });
    }
    if (failed > requests * errorShare) {
      findings.report('http_failing_endpoint', subject, {
        requests,
        failed,
        error_rate: rounded(failed / requests),
      });
    }
  });

  const lookAtConnections = guarded(
    log,
    'looking at connections',
    (source: Source<ConnectionPoolStats>): void => {
      const stats = source.stats();
      const requests = rises.carried(source, stats.requests);
      const reused = rises.reused(source, stats.reused);
      if (requests < manyRequests || reused >= requests * fewReused) return;
      const { open, created, failed } = stats;
      findings.report('http_connections_not_reused', source.name, {
        requests,
        reused,
        open,
        created,
        failed,
      });
    },
  );

  const lookAtCompression = guarded(
    log,
    'looking at a compression',
    (source: Source<CompressionStats>): void => {
      const { encodings } = source.stats();
      const total = (what: 'input' | 'output'): number =>
        Object.values(encodings).reduce((sum, one) => sum + one[what], 0);
      const input = rises.input(source, total('input'));
      const output = rises.output(source, total('output'));
      if (input < muchInput || output < input * worthwhile) return;
      findings.report('http_compression_useless', source.name, {
        input_bytes: input,
        output_bytes: output,
        ratio: rounded(output / input),
      });
    },
  );

  const lookAtHttp2 = guarded(
    log,
    'looking at an HTTP/2 server',
    (source: Source<Http2ServerStats>): void => {
      const { sessions } = source.stats();
      const total = floodKinds.reduce((sum, kind) => sum + sessions.flooded[kind], 0);
      if (rises.flooded(source, total) === 0) return;
      findings.report('http2_flood', source.name, { ...sessions.flooded, sessions_open: sessions.open });
    },
  );

  const each = <Stats extends object>(
    { kind, layout }: { readonly kind: string; readonly layout: number },
    look: (source: Source<Stats>) => void,
  ): void => {
    for (const source of liveSources<Stats>(kind, layout)) look(source);
  };
  return {
    look() {
      each(endpointSource, lookAtEndpoint);
      each(connectionPoolSource, lookAtConnections);
      each(compressionSource, lookAtCompression);
      each(http2Source, lookAtHttp2);
    },
  };
}
