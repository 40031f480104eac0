import { networkClientMetrics } from '../../../instrumentation/catalogue';
import type { Section } from '../board';
import { timeseries } from '../panels';
import { label, max, quantile, rate, series, sum } from '../promql';

const m = networkClientMetrics;
const name = label(m.calls, 'http.client.name');
const outcome = label(m.calls, 'http.client.outcome');
const result = label(m.cacheCalls, 'http.client.cache.result');
const legend = `{{${name}}}`;

/** What the toolkit's HTTP clients know beside what is measured of every call. */
export const networkClient: Section = {
  title: 'HTTP clients of the toolkit',
  panels: [
    timeseries({
      title: 'Calls by outcome',
      description:
        'Calls a second by how they ended after all retries. Normal: ok, and some client_error. Timeout and connection: the other side is slow or gone; refused: more waits than may, or the client was closed.',
      unit: 'reqps',
      width: 8,
      queries: [{ expr: sum(rate(series(m.calls)), [name, outcome]), legend: `${legend} {{${outcome}}}` }],
    }),
    timeseries({
      title: 'Call p99',
      description:
        'The 99th percentile of a call with its retries, and of those that the cache answered. Normal: level. Far above the duration of single calls: retries, or a queue.',
      unit: 's',
      width: 8,
      queries: [{ expr: quantile(0.99, m.callDuration, [name]), legend }],
    }),
    timeseries({
      title: 'Retries, and those that the budget refused',
      description:
        'Attempts a second after the first of a call, and retries that were not made because the budget was used up. Normal: none of either. Refused: the other side is down, and is spared.',
      unit: 'reqps',
      width: 8,
      queries: [
        { expr: sum(rate(series(m.retries)), [name]), legend: `${legend} made` },
        { expr: sum(rate(series(m.retriesRefused)), [name]), legend: `${legend} refused` },
      ],
    }),
    timeseries({
      title: 'Calls by what the cache did',
      description:
        'Calls a second of clients with a cache: hit, miss, revalidated, stale, shared with one under way, or not for it. Normal: mostly hits. Revalidated: no time is given by the server; stale: it fails, or is asked in the background.',
      unit: 'reqps',
      width: 8,
      queries: [{ expr: sum(rate(series(m.cacheCalls)), [name, result]), legend: `${legend} {{${result}}}` }],
    }),
    timeseries({
      title: 'Bytes in the cache',
      description:
        'Bytes of the answers that a client holds, and the most that it may. Normal: below the limit, or at it with many hits.',
      unit: 'bytes',
      width: 8,
      queries: [
        { expr: max(series(m.cacheSize), [name]), legend },
        { expr: max(series(m.cacheSizeLimit), [name]), legend: `${legend} limit`, limit: true },
      ],
    }),
    timeseries({
      title: 'Bytes of encoded bodies, before and after decoding',
      description:
        'Bytes a second of bodies that came encoded, and of what they became. Normal: several times as many after. The same: the other side encodes what does not get smaller.',
      unit: 'Bps',
      width: 8,
      queries: [
        { expr: sum(rate(series(m.decodingInput)), [name]), legend: `${legend} before` },
        { expr: sum(rate(series(m.decodingOutput)), [name]), legend: `${legend} after` },
      ],
    }),
  ],
};
