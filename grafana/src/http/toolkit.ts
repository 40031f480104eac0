import {
  compressionMetrics as compression,
  connectionPoolMetrics as connections,
  endpointMetrics as endpoints,
  http2Metrics as http2,
} from '../../../instrumentation/catalogue';
import type { Section } from '../board';
import { timeseries } from '../panels';
import { label, max, peak, rate, series, sum } from '../promql';
import { thresholds } from '../thresholds';

const name = label(compression.input, 'compression.name');
const encoding = label(compression.input, 'compression.encoding');
const reason = label(compression.skipped, 'compression.skip_reason');
const analyzer = label(endpoints.requests, 'endpoint.analyzer');
const endpoint = label(endpoints.requests, 'endpoint.name');
const statistic = label(endpoints.duration, 'endpoint.statistic');
const byEndpoint = [analyzer, endpoint];
const pool = label(connections.count, 'connection.pool.name');
const state = label(connections.count, 'connection.state');
const server = label(http2.sessions, 'http2.server.name');
const refusal = label(http2.refused, 'http2.refusal');
const direction = label(http2.resets, 'http2.reset.direction');
const ofEndpoint = `{{${analyzer}}} {{${endpoint}}}`;

/** A share of all, 0 where there is all but none of it. */
const share = (part: string, all: string): string => `(${part} or 0 * ${all}) / (${all} > 0)`;

/** What the toolkit's parts for HTTP know. */
export const toolkit: Section = {
  title: 'HTTP parts of the toolkit',
  panels: [
    timeseries({
      title: 'Size after compression, as a share',
      description:
        'Bytes sent of each byte compressed, by coding. Normal: 0.1 to 0.3 for text. Near 1: what is compressed is so in itself; see the finding http_compression_useless.',
      unit: 'percentunit',
      width: 8,
      queries: [
        {
          expr: `${sum(rate(series(compression.output)), [name, encoding])} / (${sum(rate(series(compression.input)), [name, encoding])} > 0)`,
          legend: `{{${name}}} {{${encoding}}}`,
        },
      ],
    }),
    timeseries({
      title: 'Bytes spared by compression',
      description:
        'Bytes a second that went into compression less those that came out. Normal: follows the traffic. Near nothing: it costs CPU and spares none of the network.',
      unit: 'binBps',
      width: 8,
      queries: [
        {
          expr: `${sum(rate(series(compression.input)), [name])} - ${sum(rate(series(compression.output)), [name])}`,
          legend: `{{${name}}}`,
        },
      ],
    }),
    timeseries({
      title: 'Responses compressed and not',
      description:
        'Responses a second by coding, or by why they were sent as they were. Normal: most text is compressed. Much of "not_accepted": callers that ask for no coding, such as your own services.',
      unit: 'reqps',
      width: 8,
      queries: [
        {
          expr: sum(rate(series(compression.responses)), [name, encoding]),
          legend: `{{${name}}} {{${encoding}}}`,
        },
        { expr: sum(rate(series(compression.skipped)), [name, reason]), legend: `{{${name}}} {{${reason}}}` },
      ],
    }),
    timeseries({
      title: 'Duration by endpoint',
      description:
        'Percentiles of the last one to two minutes, of the slowest process. Normal: what you promise your users. See the recommendations of the analyzer’s report.',
      unit: 's',
      width: 8,
      thresholds: thresholds.requestSeconds,
      queries: [
        {
          expr: max(series(endpoints.duration, { 'endpoint.statistic': '=~"p95|p99"' }), [
            ...byEndpoint,
            statistic,
          ]),
          legend: `${ofEndpoint} {{${statistic}}}`,
        },
      ],
    }),
    timeseries({
      title: 'Failed requests by endpoint, as a share',
      description:
        'Requests that ended with 5xx or whose caller went away, as a share of all. Normal: 0. See the finding http_failing_endpoint.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      thresholds: thresholds.errorShare,
      queries: [
        {
          expr: share(
            sum(
              rate(series(endpoints.requests, { 'endpoint.outcome': '=~"server_error|aborted"' })),
              byEndpoint,
            ),
            sum(rate(series(endpoints.requests)), byEndpoint),
          ),
          legend: ofEndpoint,
        },
      ],
    }),
    timeseries({
      title: 'Slow requests by endpoint',
      description:
        'Requests a minute that took slowMs of their analyzer or longer. Normal: none, or few. See the finding http_slow_endpoint.',
      unit: 'short',
      width: 8,
      queries: [{ expr: `60 * ${sum(rate(series(endpoints.slow)), byEndpoint)}`, legend: ofEndpoint }],
    }),
    timeseries({
      title: 'Watched connections, and who waits for one',
      description:
        'Open connections of agents and servers that are watched, by whether a request is under way, and requests that wait for one. Normal: level, none waiting.',
      unit: 'short',
      width: 8,
      decimals: 0,
      queries: [
        { expr: sum(series(connections.count), [pool, state]), legend: `{{${pool}}} {{${state}}}` },
        { expr: max(peak(series(connections.pending)), [pool]), legend: `{{${pool}}} waiting` },
      ],
    }),
    timeseries({
      title: 'Watched connections made, closed and failed',
      description:
        'Connections a second. Normal: few, after the start. As many as requests: nothing is reused, and each request pays for a handshake.',
      unit: 'ops',
      width: 8,
      queries: [
        { expr: sum(rate(series(connections.created)), [pool]), legend: `{{${pool}}} made` },
        { expr: sum(rate(series(connections.closed)), [pool]), legend: `{{${pool}}} closed` },
        { expr: sum(rate(series(connections.failed)), [pool]), legend: `{{${pool}}} failed` },
      ],
    }),
    timeseries({
      title: 'Requests over watched connections that were there, as a share',
      description:
        'Share of the requests whose connection had carried one before. Normal: over 90 %. Low: see the finding http_connections_not_reused.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      queries: [
        {
          expr: share(
            sum(rate(series(connections.reused)), [pool]),
            sum(rate(series(connections.requests)), [pool]),
          ),
          legend: `{{${pool}}}`,
        },
      ],
    }),
    timeseries({
      title: 'HTTP/2 sessions and streams',
      description:
        'Open sessions, and the streams in them. Normal: few sessions, streams as the requests. Sessions that climb: clients open one for each request, or none is closed.',
      unit: 'short',
      width: 8,
      decimals: 0,
      queries: [
        { expr: sum(series(http2.sessions), [server]), legend: `{{${server}}} sessions` },
        { expr: sum(series(http2.streams), [server]), legend: `{{${server}}} streams` },
      ],
    }),
    timeseries({
      title: 'HTTP/2 opened a second',
      description:
        'Sessions and streams that were opened, and streams that were refused, a second. Normal: many streams to a session, none refused.',
      unit: 'ops',
      width: 8,
      queries: [
        { expr: sum(rate(series(http2.opened)), [server]), legend: `{{${server}}} sessions` },
        { expr: sum(rate(series(http2.streamsOpened)), [server]), legend: `{{${server}}} streams` },
        { expr: sum(rate(series(http2.streamsRefused)), [server]), legend: `{{${server}}} streams refused` },
      ],
    }),
    timeseries({
      title: 'HTTP/2 sessions sent away, streams reset',
      description:
        'Sessions a minute that were refused or ended, by why, and streams that were reset, by whom. Normal: no sessions; resets when users leave a page. See the finding http2_flood.',
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: `60 * ${sum(rate(series(http2.refused)), [server, refusal])}`,
          legend: `{{${server}}} {{${refusal}}}`,
        },
        {
          expr: `60 * ${sum(rate(series(http2.resets)), [server, direction])}`,
          legend: `{{${server}}} resets {{${direction}}}`,
        },
      ],
    }),
  ],
};
