import { encodings } from '../../toolkit/network/server/compression/names';
import {
  type CompressionStats,
  compressionSource,
  skipReasons,
} from '../../toolkit/network/server/compression/stats';
import {
  type ConnectionPoolStats,
  connectionPoolSource,
} from '../../toolkit/network/server/connections/stats';
import {
  type EndpointStats,
  endpointSource,
  errorClasses,
} from '../../toolkit/network/server/endpoints/stats';
import { floodKinds, type Http2ServerStats, http2Source } from '../../toolkit/network/server/http2/stats';
import {
  compressionMetrics,
  connectionPoolMetrics,
  endpointMetrics,
  http2Metrics,
} from '../catalogue/network-server';
import { meterSources, seriesOf } from './sources';

const ofCompression = seriesOf<CompressionStats>();

/** The toolkit's compressions of responses. A series is there from the first response of its coding on. */
export const meterCompression = meterSources<CompressionStats>(
  compressionSource,
  name => ({ 'compression.name': name }),
  [
    ...encodings.flatMap(encoding => {
      const read = (what: 'responses' | 'input' | 'output') => (stats: CompressionStats) =>
        stats.encodings[encoding].responses === 0 ? undefined : stats.encodings[encoding][what];
      const by = { 'compression.encoding': encoding };
      return [
        ofCompression.counter(compressionMetrics.responses, by, read('responses')),
        ofCompression.counter(compressionMetrics.input, by, read('input')),
        ofCompression.counter(compressionMetrics.output, by, read('output')),
      ];
    }),
    ...skipReasons.map(reason =>
      ofCompression.counter(
        compressionMetrics.skipped,
        { 'compression.skip_reason': reason },
        ({ skipped }) => skipped[reason],
      ),
    ),
  ],
);

const ofEndpoint = seriesOf<EndpointStats>();
const failed = ({ errors }: EndpointStats): number => errorClasses.reduce((sum, one) => sum + errors[one], 0);

/** The endpoints of the toolkit's analyzers, each a source of its own. */
export const meterEndpoints = meterSources<EndpointStats>(
  endpointSource,
  (name, { endpoint }) => ({ 'endpoint.analyzer': name, 'endpoint.name': endpoint }),
  [
    ofEndpoint.counter(
      endpointMetrics.requests,
      { 'endpoint.outcome': 'ok' },
      stats => stats.count - failed(stats),
    ),
    ...errorClasses.map(one =>
      ofEndpoint.counter(endpointMetrics.requests, { 'endpoint.outcome': one }, ({ errors }) => errors[one]),
    ),
    ofEndpoint.counter(endpointMetrics.slow, {}, ({ slow }) => slow),
    ...(['p50', 'p95', 'p99', 'max'] as const).map(statistic =>
      // Nobody has asked for it lately: it has no duration, and not one of zero.
      ofEndpoint.mostGauge(endpointMetrics.duration, { 'endpoint.statistic': statistic }, ({ recent }) =>
        recent.count === 0 ? undefined : recent[`${statistic}Ms`] / 1000,
      ),
    ),
  ],
);

const ofConnections = seriesOf<ConnectionPoolStats>();

/** The toolkit's connection monitors. */
export const meterConnections = meterSources<ConnectionPoolStats>(
  connectionPoolSource,
  name => ({ 'connection.pool.name': name }),
  [
    ...(['idle', 'active'] as const).map(state =>
      ofConnections.gauge(connectionPoolMetrics.count, { 'connection.state': state }, stats => stats[state]),
    ),
    ofConnections.gauge(connectionPoolMetrics.pending, {}, stats => stats.pending),
    ofConnections.counter(connectionPoolMetrics.created, {}, stats => stats.created),
    ofConnections.counter(connectionPoolMetrics.closed, {}, stats => stats.closed),
    ofConnections.counter(connectionPoolMetrics.failed, {}, stats => stats.failed),
    ofConnections.counter(connectionPoolMetrics.requests, {}, stats => stats.requests),
    ofConnections.counter(connectionPoolMetrics.reused, {}, stats => stats.reused),
  ],
);

const ofHttp2 = seriesOf<Http2ServerStats>();

/** The toolkit's HTTP/2 servers. */
export const meterHttp2 = meterSources<Http2ServerStats>(
  http2Source,
  name => ({ 'http2.server.name': name }),
  [
    ofHttp2.gauge(http2Metrics.sessions, {}, ({ sessions }) => sessions.open),
    ofHttp2.counter(http2Metrics.opened, {}, ({ sessions }) => sessions.opened),
    ofHttp2.counter(http2Metrics.refused, { 'http2.refusal': 'limit' }, ({ sessions }) => sessions.refused),
    ofHttp2.counter(http2Metrics.refused, { 'http2.refusal': 'failed' }, ({ sessions }) => sessions.failed),
    ...floodKinds.map(kind =>
      ofHttp2.counter(
        http2Metrics.refused,
        { 'http2.refusal': kind },
        ({ sessions }) => sessions.flooded[kind],
      ),
    ),
    ofHttp2.gauge(http2Metrics.streams, {}, ({ streams }) => streams.open),
    ofHttp2.counter(http2Metrics.streamsOpened, {}, ({ streams }) => streams.opened),
    ofHttp2.counter(http2Metrics.streamsRefused, {}, ({ streams }) => streams.refused),
    ...(['received', 'sent'] as const).map(direction =>
      ofHttp2.counter(
        http2Metrics.resets,
        { 'http2.reset.direction': direction },
        ({ resets }) => resets[direction],
      ),
    ),
  ],
);
