import {
  type HttpClientStats,
  httpCacheResults,
  httpClientSource,
  httpOutcomes,
} from '../../toolkit/network/client/stats';
import { networkClientMetrics as m } from '../catalogue/network-client';
import { meterSources, seriesOf } from './sources';

const { counter, gauge, histogram } = seriesOf<HttpClientStats>();

/** The toolkit's HTTP clients: what the channels of undici don't show. */
export const meterNetworkClient = meterSources<HttpClientStats>(
  httpClientSource,
  name => ({ 'http.client.name': name }),
  [
    ...httpOutcomes.map(outcome =>
      counter(m.calls, { 'http.client.outcome': outcome }, ({ outcomes }) => outcomes[outcome]),
    ),
    histogram(m.callDuration, {}, stats => stats.duration),
    counter(m.retries, {}, stats => stats.retries),
    counter(m.retriesRefused, {}, stats => stats.retriesRefused),
    ...httpCacheResults.map(result =>
      counter(m.cacheCalls, { 'http.client.cache.result': result }, ({ cache }) => cache?.results[result]),
    ),
    gauge(m.cacheSize, {}, ({ cache }) => cache?.bytes),
    gauge(m.cacheSizeLimit, {}, ({ cache }) => cache?.byteLimit),
    counter(m.decodingInput, {}, ({ decoding }) => decoding.input),
    counter(m.decodingOutput, {}, ({ decoding }) => decoding.output),
  ],
);
