import { callTimeBounds, httpCacheResults, httpOutcomes } from '../../toolkit/network/client/stats';
import { attribute, metric } from './define';

const meter = 'http-client';
const clientName = attribute('http.client.name', "The client's name as its maker gave it", {
  bound: 'clients the application makes',
});
const outcome = attribute('http.client.outcome', 'How the call ended, after its retries', {
  values: httpOutcomes,
});
const cacheResult = attribute('http.client.cache.result', 'What the cache had to do with the call', {
  values: httpCacheResults,
});

/** The toolkit's HTTP clients: what the channels of undici, which see each attempt, don't show. */
export const networkClientMetrics = {
  calls: metric(
    meter,
    'vitals.http.client.calls',
    'counter',
    '{call}',
    "Calls of the toolkit's HTTP clients; all attempts of one are one call",
    { attributes: [clientName, outcome] },
  ),
  callDuration: metric(
    meter,
    'vitals.http.client.call.duration',
    'histogram',
    's',
    'Time of calls, with their retries and delays, and of those that a cache answered',
    { attributes: [clientName], buckets: callTimeBounds },
  ),
  retries: metric(
    meter,
    'vitals.http.client.retries',
    'counter',
    '{retry}',
    'Attempts after the first of a call',
    { attributes: [clientName] },
  ),
  retriesRefused: metric(
    meter,
    'vitals.http.client.retries.refused',
    'counter',
    '{retry}',
    'Retries that were not made because the retry budget was used up',
    { attributes: [clientName] },
  ),
  cacheCalls: metric(
    meter,
    'vitals.http.client.cache.calls',
    'counter',
    '{call}',
    'Calls of clients with a cache, by what it had to do with them',
    { attributes: [clientName, cacheResult] },
  ),
  cacheSize: metric(
    meter,
    'vitals.http.client.cache.size',
    'gauge',
    'By',
    'Bytes of the answers that a client holds',
    { attributes: [clientName] },
  ),
  cacheSizeLimit: metric(
    meter,
    'vitals.http.client.cache.size.limit',
    'gauge',
    'By',
    'Most bytes of answers that a client holds',
    { attributes: [clientName] },
  ),
  decodingInput: metric(
    meter,
    'vitals.http.client.decoding.input',
    'counter',
    'By',
    'Bytes of encoded bodies as they came',
    { attributes: [clientName] },
  ),
  decodingOutput: metric(
    meter,
    'vitals.http.client.decoding.output',
    'counter',
    'By',
    'Bytes of the same bodies once decoded',
    { attributes: [clientName] },
  ),
} as const;
