import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { eventLoopMetrics, httpServerMetrics } from '../../../instrumentation/catalogue';
import { dashboard, labelVariable, type Section } from '../board';
import { connectionShare, poolLegend } from '../database/ratios';
import { errorShare, requests } from '../http/ratios';
import { stat, timeseries } from '../panels';
import { max, peak, perInstance, quantile, rate, series, sum } from '../promql';
import { cpuShare, gcShare, heapShare } from '../runtime/ratios';
import { thresholds } from '../thresholds';
import { k6 } from './names';

const width = 4;
const name = ['name'];
const sent = sum(rate(k6('k6_http_reqs_total')));
const failed = `(${sum(rate(k6('k6_http_reqs_total', { expected_response: '="false"' })))} or 0 * ${sent})`;
const soFar = 'of the whole run so far, as k6 keeps it: it moves ever less as the run goes on';

const glance: Section = {
  title: 'The run',
  panels: [
    stat({
      title: 'Virtual users',
      description: 'Customers that k6 plays now. Normal: as many as the scenario says.',
      unit: 'short',
      width,
      decimals: 0,
      expr: sum(k6('k6_vus')),
    }),
    stat({
      title: 'Requests',
      description: 'Requests a second that k6 sends. Normal: the rate of the scenario.',
      unit: 'reqps',
      width,
      expr: sent,
    }),
    stat({
      title: 'Failed',
      description:
        'Requests without the answer that k6 expects, as a share of all, now. Normal: 0, unless the scenario provokes them.',
      unit: 'percentunit',
      width,
      decimals: 1,
      max: 1,
      thresholds: thresholds.errorShare,
      expr: `${failed} / (${sent} > 0)`,
    }),
    stat({
      title: 'Duration p99',
      description: `The worst of the routes' 99th percentiles, ${soFar}. Normal: under the scenario's threshold.`,
      unit: 's',
      width,
      thresholds: thresholds.requestSeconds,
      expr: max(k6('k6_http_req_duration_p99')),
    }),
    stat({
      title: 'Worst check',
      description: 'Share of the checks that passed, of the check that failed most. Normal: 100 %.',
      unit: 'percentunit',
      width,
      decimals: 1,
      max: 1,
      expr: `min(${k6('k6_checks_rate')})`,
    }),
    stat({
      title: 'Dropped iterations',
      description:
        'Iterations a second that k6 could not start because all of its customers were busy. Normal: 0. More: the shop is slower than the scenario asks for, or there are too few customers.',
      unit: 'short',
      width,
      expr: `${sum(rate(k6('k6_dropped_iterations_total')))} or 0 * ${sum(k6('k6_vus'))}`,
    }),
  ],
};

const outside: Section = {
  title: 'As k6 sees it',
  panels: [
    timeseries({
      title: 'Requests by name',
      description: 'Requests a second that k6 sends. Normal: the mix of the scenario.',
      unit: 'reqps',
      width: 8,
      queries: [{ expr: sum(rate(k6('k6_http_reqs_total')), name), legend: '{{name}}' }],
    }),
    timeseries({
      title: 'Duration p99 by name',
      description: `The 99th percentile of what a customer waits, ${soFar}. Normal: under the threshold. Far above the same route as the processes see it, in the row below: requests wait before they are read.`,
      unit: 's',
      width: 8,
      thresholds: thresholds.requestSeconds,
      queries: [{ expr: max(k6('k6_http_req_duration_p99'), name), legend: '{{name}}' }],
    }),
    timeseries({
      title: 'Failed by name and status',
      description:
        'Requests a second without the answer that k6 expects. Normal: none. Status 0: there was no answer at all.',
      unit: 'reqps',
      width: 8,
      queries: [
        {
          expr: sum(rate(k6('k6_http_reqs_total', { expected_response: '="false"' })), ['name', 'status']),
          legend: '{{name}} {{status}}',
        },
      ],
    }),
    timeseries({
      title: 'Virtual users and limit',
      description:
        'Customers that k6 plays, and the most that it has made room for. Normal: below the limit. At the limit: iterations are dropped.',
      unit: 'short',
      width: 8,
      decimals: 0,
      queries: [
        { expr: sum(k6('k6_vus')), legend: 'active' },
        { expr: sum(k6('k6_vus_max')), legend: 'limit', limit: true },
      ],
    }),
    timeseries({
      title: 'Iterations',
      description:
        'Iterations a second by scenario, those that were dropped, and on the right the 99th percentile of their duration. Normal: none dropped.',
      unit: 'short',
      width: 8,
      queries: [
        { expr: sum(rate(k6('k6_iterations_total')), ['scenario']), legend: '{{scenario}} done' },
        { expr: sum(rate(k6('k6_dropped_iterations_total')), ['scenario']), legend: '{{scenario}} dropped' },
        {
          expr: max(k6('k6_iteration_duration_p99'), ['scenario']),
          legend: '{{scenario}} p99',
          unit: 's',
        },
      ],
    }),
    timeseries({
      title: 'Checks',
      description: 'Share of each check that passed, of the whole run so far. Normal: 100 %.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      queries: [{ expr: `min by (check) (${k6('k6_checks_rate')})`, legend: '{{check}}' }],
    }),
    timeseries({
      title: 'Waiting and blocked p99',
      description:
        'Time to the first byte, and time until a connection was free, of the whole run so far. Normal: blocked is next to nothing. Blocked high: k6 opens a connection for each request, or the machine it runs on is busy.',
      unit: 's',
      width: 12,
      queries: [
        { expr: max(k6('k6_http_req_waiting_p99'), name), legend: '{{name}} waiting' },
        { expr: max(k6('k6_http_req_blocked_p99')), legend: 'blocked' },
      ],
    }),
    timeseries({
      title: 'Data',
      description: 'Bytes a second that k6 sends and receives. Normal: follows the requests.',
      unit: 'Bps',
      width: 12,
      queries: [
        { expr: sum(rate(k6('k6_data_received_total'))), legend: 'received' },
        { expr: sum(rate(k6('k6_data_sent_total'))), legend: 'sent' },
      ],
    }),
  ],
};

const inside: Section = {
  title: 'As the processes see it',
  panels: [
    timeseries({
      title: 'Requests answered',
      description: 'Requests answered a second, by process. Normal: what k6 sends, spread evenly.',
      unit: 'reqps',
      width: 8,
      queries: [{ expr: requests(perInstance), legend: '{{instance}}' }],
    }),
    timeseries({
      title: 'Duration p99 within',
      description:
        'The 99th percentile of requests within the process, now. Normal: a little less than k6 measures.',
      unit: 's',
      width: 8,
      thresholds: thresholds.requestSeconds,
      queries: [{ expr: quantile(0.99, httpServerMetrics.duration, perInstance), legend: '{{instance}}' }],
    }),
    timeseries({
      title: 'Errors',
      description: 'Requests that ended with 5xx or without an answer, as a share of all. Normal: 0.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      thresholds: thresholds.errorShare,
      queries: [{ expr: errorShare(perInstance), legend: '{{instance}}' }],
    }),
    timeseries({
      title: 'Event loop delay p99',
      description:
        'How late the event loop runs what is due. Normal: under 20 ms. It is the first to rise when a process is at its end.',
      unit: 's',
      width: 8,
      thresholds: thresholds.eventLoopDelaySeconds,
      queries: [{ expr: max(peak(series(eventLoopMetrics.p99)), perInstance), legend: '{{instance}}' }],
    }),
    timeseries({
      title: 'CPU and event loop',
      description:
        'Share of the CPUs that are used, and of time in which the event loop had work. Normal: under 70 %. The event loop full while CPU is free: add processes.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      thresholds: thresholds.eventLoopUtilization,
      queries: [
        { expr: cpuShare, legend: '{{instance}} CPU' },
        {
          expr: max(series(eventLoopMetrics.utilization), perInstance),
          legend: '{{instance}} event loop',
        },
      ],
    }),
    timeseries({
      title: 'Heap, collections, connections',
      description:
        'How full the old generation is, the share of time in collections, and how much of each connection pool is in use. Normal: heap under 80 %, collections under 5 %, pools below 80 %.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      thresholds: thresholds.heapShare,
      queries: [
        { expr: heapShare, legend: '{{instance}} heap' },
        { expr: gcShare, legend: '{{instance}} collecting' },
        { expr: connectionShare, legend: `${poolLegend} connections` },
      ],
    }),
  ],
};

/** The board **k6**: a load test, and what it does to the processes, one above the other. */
export function k6Board(): Dashboard {
  return dashboard({
    uid: 'otel-vitals-k6',
    title: 'k6',
    description:
      'A load test by k6, which writes to this Prometheus (--out experimental-prometheus-rw), and below it what the load does to the processes that are chosen.',
    tags: ['nodejs'],
    variables: [
      labelVariable('scenario', 'scenario', 'Scenario', 'that k6 runs', 'k6_iterations_total').allValue('.*'),
    ],
    sections: [glance, outside, inside],
  });
}
