import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import {
  eventLoopMetrics,
  httpServerMetrics,
  processMetrics,
  selfMetrics,
} from '../../../instrumentation/catalogue';
import { dashboard, type Section } from '../board';
import { timeseries } from '../panels';
import { label, max, peak, perInstance, quantile, rate, series, sum } from '../promql';
import { cpuShare, gcShare, heapShare } from '../runtime/ratios';
import { thresholds } from '../thresholds';

const info = selfMetrics.buildInfo;
const node = label(info, 'nodejs.version');
const agent = label(info, 'version');

/** How far each process is from the middle of all that are chosen; 1 is just there. */
const besideMedian = (expression: string): string =>
  `(${expression}) / on () group_left () (quantile(0.5, ${expression}) > 0)`;

const requests = sum(rate(series(httpServerMetrics.duration, {}, '_count')), perInstance);

const members: Section = {
  title: 'Members',
  panels: [
    timeseries({
      title: 'Processes by version of Node.js',
      description:
        'Processes that report. Normal: one version, and two during a deployment. Two for long: the deployment stands still.',
      unit: 'short',
      width: 8,
      decimals: 0,
      queries: [{ expr: `count by (${node}) (${series(info)})`, legend: `Node.js {{${node}}}` }],
    }),
    timeseries({
      title: 'Processes by version of the agent',
      description: 'Processes that report. Normal: one version, and two during a deployment.',
      unit: 'short',
      width: 8,
      decimals: 0,
      queries: [{ expr: `count by (${agent}) (${series(info)})`, legend: `otel-vitals {{${agent}}}` }],
    }),
    timeseries({
      title: 'Age',
      description:
        'Time since each process started. Normal: all alike since the last deployment. Some younger than the others: they restart; see their logs before each start.',
      unit: 's',
      width: 8,
      queries: [{ expr: max(series(processMetrics.uptime), perInstance), legend: '{{instance}}' }],
    }),
  ],
};

const outliers: Section = {
  title: 'Outliers: each process beside the middle of all',
  panels: [
    timeseries({
      title: 'Requests',
      description:
        'Requests of each process divided by those of the middle one. Normal: about 1 for all. One far above: the load is not spread, as with long-lived connections; one far below: it is sick, or new.',
      unit: 'short',
      width: 8,
      queries: [{ expr: besideMedian(requests), legend: '{{instance}}' }],
    }),
    timeseries({
      title: 'CPU',
      description:
        'CPU of each process divided by that of the middle one. Normal: about 1. High with as many requests as the others: it does something else, such as a job, or collects garbage.',
      unit: 'short',
      width: 8,
      queries: [{ expr: besideMedian(cpuShare), legend: '{{instance}}' }],
    }),
    timeseries({
      title: 'Memory',
      description:
        'Resident memory of each process divided by that of the middle one. Normal: about 1. The oldest highest: all leak, the others are only younger.',
      unit: 'short',
      width: 8,
      queries: [
        { expr: besideMedian(max(series(processMetrics.memoryUsage), perInstance)), legend: '{{instance}}' },
      ],
    }),
    timeseries({
      title: 'Event loop delay p99',
      description:
        'How late the event loop of each process runs what is due. Normal: all alike and under 20 ms. One alone: its work, or its neighbours on the machine.',
      unit: 's',
      width: 8,
      thresholds: thresholds.eventLoopDelaySeconds,
      queries: [{ expr: max(peak(series(eventLoopMetrics.p99)), perInstance), legend: '{{instance}}' }],
    }),
    timeseries({
      title: 'Duration p99',
      description:
        'The 99th percentile of requests by process. Normal: all alike. One alone: compare its event loop, heap and CPU.',
      unit: 's',
      width: 8,
      thresholds: thresholds.requestSeconds,
      queries: [{ expr: quantile(0.99, httpServerMetrics.duration, perInstance), legend: '{{instance}}' }],
    }),
    timeseries({
      title: 'Heap and GC',
      description:
        'How full the old generation is, and on the right the share of time in collections. Normal: all alike, under 80 %.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      thresholds: thresholds.heapShare,
      queries: [
        { expr: heapShare, legend: '{{instance}} heap' },
        { expr: gcShare, legend: '{{instance}} in collections' },
      ],
    }),
  ],
};

const itself: Section = {
  title: 'What the agent costs',
  collapsed: true,
  panels: [
    timeseries({
      title: 'Scrapes',
      description:
        'Median time of a scrape by process. Normal: milliseconds. Seconds: too many series; see the panel beside.',
      unit: 's',
      width: 8,
      thresholds: thresholds.scrapeSeconds,
      queries: [{ expr: quantile(0.5, selfMetrics.scrapeDuration, perInstance), legend: '{{instance}}' }],
    }),
    timeseries({
      title: 'Series',
      description:
        'Series that each process shows. Normal: hundreds, level. Climbing: an attribute without a bound.',
      unit: 'short',
      width: 8,
      decimals: 0,
      queries: [{ expr: sum(series(selfMetrics.series), perInstance), legend: '{{instance}}' }],
    }),
    timeseries({
      title: 'Warnings and overflow',
      description:
        'Warnings a minute that the agent wrote to stderr, and measurements a minute past VITALS_CARDINALITY_LIMIT. Normal: none.',
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: `60 * ${sum(rate(series(selfMetrics.warnings)), perInstance)}`,
          legend: '{{instance}} warnings',
        },
        {
          expr: `60 * ${sum(rate(series(selfMetrics.overflow)), perInstance)}`,
          legend: '{{instance}} overflow',
        },
      ],
    }),
  ],
};

/** The board **Fleet**: many processes of one service, and which of them is not like the others. */
export function fleetBoard(): Dashboard {
  return dashboard({
    uid: 'otel-vitals-fleet',
    title: 'Fleet',
    description:
      'Many processes beside each other: versions, ages, and how far each is from the middle of all. A process that stands out is looked at on the board Runtime, with its instance chosen.',
    tags: ['nodejs'],
    sections: [members, outliers, itself],
  });
}
