import { httpServerMetrics } from '../../../instrumentation/catalogue';
import type { Section } from '../board';
import { timeseries } from '../panels';
import { label, perInstance, quantile, rate, series, sum } from '../promql';
import { thresholds } from '../thresholds';
import { errorShare, method, requests, route, status } from './ratios';

const m = httpServerMetrics;
const byRoute = [method, route];
const legend = `{{${method}}} {{${route}}}`;
const errorType = label(m.duration, 'error.type');

/** Requests that the processes answer. */
export const server: Section = {
  title: 'Requests answered',
  panels: [
    timeseries({
      title: 'Requests by route',
      description:
        'Requests a second. Normal: the curve of your day. A sudden drop to nothing: what stands before the service no longer sends, or nothing accepts connections.',
      unit: 'reqps',
      width: 8,
      queries: [{ expr: requests(byRoute), legend }],
    }),
    timeseries({
      title: 'Errors by route, as a share',
      description:
        'Requests that ended with 5xx or without an answer, as a share of all. Normal: 0. What the caller did wrong (4xx) is not in it.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      thresholds: thresholds.errorShare,
      queries: [{ expr: errorShare(byRoute), legend }],
    }),
    timeseries({
      title: 'Duration p99 by route',
      description:
        'The 99th percentile from the request head to the end of the answer. Normal: what you promise your users. All routes at once: look at the event loop and GC on the board Runtime; one alone: its database, cache or calls.',
      unit: 's',
      width: 8,
      thresholds: thresholds.requestSeconds,
      queries: [{ expr: quantile(0.99, m.duration, byRoute), legend }],
    }),
    timeseries({
      title: 'Duration percentiles',
      description:
        'Over all requests of the processes chosen. Normal: the lines move together. p99 alone rising: something that happens to few, such as a GC pause, a lock or a cold cache.',
      unit: 's',
      width: 8,
      queries: [0.99, 0.9, 0.5].map(q => ({
        expr: quantile(q, m.duration),
        legend: `p${q * 100}`,
      })),
    }),
    timeseries({
      title: 'Answers by status',
      description:
        'Answers a second by status code. Normal: 2xx and 3xx, few 4xx. 499 and no status: callers went away before the answer.',
      unit: 'reqps',
      width: 8,
      queries: [{ expr: sum(rate(series(m.duration, {}, '_count')), [status]), legend: `{{${status}}}` }],
    }),
    timeseries({
      title: 'In flight by process',
      description:
        'Requests that are being answered. Normal: requests a second times their duration. Climbing while requests do not: they hang on something; see what they wait for.',
      unit: 'short',
      width: 8,
      decimals: 0,
      queries: [
        {
          expr: `max_over_time(${sum(series(m.active), perInstance)}[$__rate_interval:])`,
          legend: '{{instance}}',
        },
      ],
    }),
    timeseries({
      title: 'Slow requests by route',
      description:
        'Requests a minute that took longer than VITALS_SLOW_REQUEST_MS (1 s unless set). Normal: none.',
      unit: 'short',
      width: 8,
      queries: [{ expr: `60 * ${sum(rate(series(m.slow)), byRoute)}`, legend }],
    }),
    timeseries({
      title: 'Failed requests by kind',
      description:
        'Requests a second that failed, by what they failed with: a status, or an error code where there was no answer. Normal: none.',
      unit: 'reqps',
      width: 8,
      queries: [
        {
          expr: sum(rate(series(m.duration, { 'error.type': '!=""' }, '_count')), [errorType]),
          legend: `{{${errorType}}}`,
        },
      ],
    }),
    timeseries({
      title: 'Traffic',
      description:
        'Bytes of bodies a second, as sent. Normal: follows the requests. Out rising alone: an answer has grown; compress it, or page it.',
      unit: 'binBps',
      width: 8,
      queries: [
        { expr: sum(rate(series(m.requestSize, {}, '_sum'))), legend: 'in' },
        { expr: sum(rate(series(m.responseSize, {}, '_sum'))), legend: 'out' },
      ],
    }),
  ],
};
