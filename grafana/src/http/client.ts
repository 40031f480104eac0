import { httpClientMetrics } from '../../../instrumentation/catalogue';
import type { Section } from '../board';
import { timeseries } from '../panels';
import { label, max, peak, quantile, rate, series, sum } from '../promql';
import { thresholds } from '../thresholds';
import { callErrorShare, calls } from './ratios';

const m = httpClientMetrics;
const address = label(m.duration, 'server.address');
const port = label(m.duration, 'server.port');
const state = label(m.connections, 'http.connection.state');
const byServer = [address, port];
const legend = `{{${address}}}:{{${port}}}`;

/** Requests that the processes make. */
export const client: Section = {
  title: 'Calls made',
  panels: [
    timeseries({
      title: 'Calls by server',
      description:
        'Requests a second that the application makes over http, https, fetch and undici. Normal: a fixed number for each request answered. More: retries, or a cache that no longer hits.',
      unit: 'reqps',
      width: 8,
      queries: [{ expr: calls(byServer), legend }],
    }),
    timeseries({
      title: 'Errors by server, as a share',
      description:
        'Calls that ended with 5xx or without an answer, as a share of all. Normal: 0. It is their fault, but your users’ loss: time out early, retry within a budget, degrade.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      thresholds: thresholds.errorShare,
      queries: [{ expr: callErrorShare(byServer), legend }],
    }),
    timeseries({
      title: 'Duration p99 by server',
      description:
        'The 99th percentile from the start of the call to the end of its answer. Normal: level. Rising with the queue: too few connections; rising alone: the other side is slow.',
      unit: 's',
      width: 8,
      queries: [{ expr: quantile(0.99, m.duration, byServer), legend }],
    }),
    timeseries({
      title: 'Connections',
      description:
        'Open connections by whether a request runs on them. Normal: level, some idle. Climbing: bodies that are not read to their end hold their connection.',
      unit: 'short',
      width: 8,
      decimals: 0,
      queries: [{ expr: sum(series(m.connections), [...byServer, state]), legend: `${legend} {{${state}}}` }],
    }),
    timeseries({
      title: 'In flight and queued',
      description:
        'Calls under way, and calls that wait for a connection. Normal: none queued. A queue: the agent’s maxSockets, or undici’s connections, is too small for the other side’s latency.',
      unit: 'short',
      width: 8,
      decimals: 0,
      queries: [
        { expr: sum(series(m.active), byServer), legend: `${legend} in flight` },
        { expr: max(peak(series(m.queue)), byServer), legend: `${legend} queued` },
      ],
    }),
    timeseries({
      title: 'Reused connections, and their age',
      description:
        'Share of calls over a connection that had carried one before, and on the right the median age of connections that closed. Normal: over 90 %. Low: keep-alive is off, or the other side closes after each answer; every call then pays for a handshake.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      queries: [
        {
          // A request is counted when it ends, its connection when it begins.
          expr: `clamp_max(${sum(rate(series(m.reused)), byServer)} / (${calls(byServer)} > 0), 1)`,
          legend: `${legend} reused`,
        },
        { expr: quantile(0.5, m.connectionDuration, byServer), legend: `${legend} age`, unit: 's' },
      ],
    }),
  ],
};
