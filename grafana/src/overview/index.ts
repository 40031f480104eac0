import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import type { Dashboard, Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import {
  diagnosisMetrics,
  eventLoopMetrics,
  httpServerMetrics,
  processMetrics,
} from '../../../instrumentation/catalogue';
import { dashboard, type Section } from '../board';
import { byTier, hitShare, tierLegend } from '../cache/ratios';
import { byPool, connectionShare, poolLegend } from '../database/ratios';
import { callErrorShare, errorShare, method, requests, route } from '../http/ratios';
import { stat, timeseries } from '../panels';
import { channelShare, poolShare, queueShare, workerShare } from '../pools/ratios';
import { label, max, peak, perInstance, quantile, series } from '../promql';
import { burns, type RecordedKind, recorded } from '../rules/http';
import { cpuShare, fileDescriptorShare, gcShare, heapShare, memoryShare } from '../runtime/ratios';
import { slo, type Threshold, thresholds } from '../thresholds';

const severity = label(diagnosisMetrics.findings, 'finding.severity');
const code = label(diagnosisMetrics.findings, 'finding.code');
const byRoute = [method, route];
const routeLegend = `{{${method}}} {{${route}}}`;
const width = 3;

const glance: Section = {
  title: 'At a glance',
  panels: [
    stat({
      title: 'Requests',
      description: 'Requests answered a second, all together. Normal: the curve of your day.',
      unit: 'reqps',
      width,
      expr: requests(),
    }),
    stat({
      title: 'Errors',
      description: 'Requests that ended with 5xx or without an answer, as a share of all. Normal: 0.',
      unit: 'percentunit',
      width,
      max: 1,
      thresholds: thresholds.errorShare,
      expr: errorShare(),
    }),
    stat({
      title: 'Duration p99',
      description: 'The 99th percentile of all requests. Normal: what you promise your users.',
      unit: 's',
      width,
      thresholds: thresholds.requestSeconds,
      expr: quantile(0.99, httpServerMetrics.duration),
    }),
    stat({
      title: 'Findings',
      description:
        'Findings that are open, of all processes chosen. Normal: 0. Each has evidence and advice on the status page of its process.',
      unit: 'short',
      width,
      decimals: 0,
      thresholds: thresholds.findings,
      expr: `sum(${series(diagnosisMetrics.findings)}) or 0 * count(${series(processMetrics.startTime)})`,
    }),
    stat({
      title: 'Processes',
      description: 'Processes that report now. Normal: as many as you run.',
      unit: 'short',
      width,
      decimals: 0,
      expr: `count(${series(processMetrics.startTime)})`,
    }),
    stat({
      title: 'Restarts',
      description: 'Times that a process came back within the range shown. Normal: 0 outside of deployments.',
      unit: 'short',
      width,
      decimals: 0,
      thresholds: thresholds.restarts,
      wholeRange: true,
      expr: `sum(changes(${series(processMetrics.startTime)}[$__range]))`,
    }),
    stat({
      title: 'Loop delay',
      description:
        '99th percentile of how late the event loop runs what is due, of the worst process. Normal: under 20 ms.',
      unit: 's',
      width,
      thresholds: thresholds.eventLoopDelaySeconds,
      expr: max(peak(series(eventLoopMetrics.p99))),
    }),
    stat({
      title: 'Heap',
      description:
        'How full the old generation is, of the worst process. Normal: under 80 %. Full: the process is about to die.',
      unit: 'percentunit',
      width,
      decimals: 0,
      max: 1,
      thresholds: thresholds.heapShare,
      expr: max(heapShare),
    }),
  ],
};

const red: Section = {
  title: 'Requests',
  panels: [
    timeseries({
      title: 'Rate by route',
      description: 'Requests a second. Normal: the curve of your day; compare with the same time yesterday.',
      unit: 'reqps',
      width: 8,
      queries: [{ expr: requests(byRoute), legend: routeLegend }],
    }),
    timeseries({
      title: 'Errors by route',
      description:
        'Requests that ended with 5xx or without an answer, as a share of all. Normal: 0. One route alone: its code or its dependency; all: the process or the database.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      thresholds: thresholds.errorShare,
      queries: [{ expr: errorShare(byRoute), legend: routeLegend }],
    }),
    timeseries({
      title: 'Duration p99 by route',
      description:
        'The 99th percentile of each route. Normal: what you promise your users. All routes at once: see the saturation below.',
      unit: 's',
      width: 8,
      thresholds: thresholds.requestSeconds,
      queries: [{ expr: quantile(0.99, httpServerMetrics.duration, byRoute), legend: routeLegend }],
    }),
  ],
};

const burn: Threshold = { warning: burns[1].factor, critical: burns[0].factor };
const burnWindows = ['5m', '1h', '6h', '3d'] as const;
const firing =
  'ALERTS{alertstate="firing", alertname=~"Vitals.+", severity!="info", job=~"$job", instance=~"$instance|"}';

/** How many times faster than allowed a budget is spent, by window; from the series that the rules record. */
function burnPanel(kind: RecordedKind, title: string, allowed: number, objective: string): Builder<Panel> {
  return timeseries({
    title,
    description: `How many times faster than the objective of ${objective} allows its budget is spent, over several windows, of the worst job. Normal: under 1. The alert is critical where one hour and five minutes are both over ${burns[0].factor}, or six hours and half an hour over ${burns[1].factor}.`,
    unit: 'short',
    width: 8,
    decimals: 1,
    // So that the thresholds are in sight.
    max: burn.critical,
    thresholds: burn,
    queries: burnWindows.map(window => ({
      expr: `${max(`${recorded(kind, window)}{job=~"$job"}`)} / ${allowed}`,
      legend: `over ${window}`,
    })),
  });
}

const objectives: Section = {
  title: 'Objectives and alerts',
  panels: [
    burnPanel('errors', 'Error budget burn', slo.errors, `${100 * (1 - slo.errors)} % without an error`),
    burnPanel('slow', 'Latency budget burn', slo.slow, `${100 * (1 - slo.slow)} % within ${slo.seconds} s`),
    timeseries({
      title: 'Firing alerts',
      description:
        'Alerts that fire, by name. Normal: none. Each has a page in docs/runbooks; on all graphs they are marked in red.',
      unit: 'short',
      width: 8,
      decimals: 0,
      max: 1,
      stacked: true,
      queries: [
        {
          expr: `count by (alertname, severity) (${firing})`,
          legend: '{{alertname}} {{severity}}',
        },
        { expr: `0 * count(${series(processMetrics.startTime)})`, legend: 'none' },
      ],
    }),
  ],
};

const saturation: Section = {
  title: 'Saturation: how full everything is',
  panels: [
    timeseries({
      title: 'Process',
      description:
        'The worst process in each respect: event loop, CPU, heap, memory, file descriptors, and time in GC pauses. Normal: all under 70 %. What stands on top is what gives way next.',
      unit: 'percentunit',
      width: 12,
      max: 1,
      legendRight: true,
      queries: [
        { expr: max(series(eventLoopMetrics.utilization)), legend: 'event loop' },
        { expr: max(cpuShare), legend: 'CPU' },
        { expr: max(heapShare), legend: 'heap' },
        { expr: max(memoryShare), legend: 'memory' },
        { expr: max(fileDescriptorShare), legend: 'file descriptors' },
        { expr: max(gcShare), legend: 'GC pauses' },
      ],
    }),
    timeseries({
      title: 'Pools and queues',
      description:
        'The fullest of each kind: database connections, pools, workers and their queues, channels. Normal: under 80 %. What is full makes callers wait: see the board of its kind.',
      unit: 'percentunit',
      width: 12,
      max: 1,
      legendRight: true,
      thresholds: thresholds.poolShare,
      queries: [
        { expr: max(connectionShare, byPool), legend: `database ${poolLegend}` },
        { expr: max(poolShare), legend: 'object and connection pools' },
        { expr: max(workerShare), legend: 'workers' },
        { expr: max(queueShare), legend: 'queues of workers' },
        { expr: max(channelShare), legend: 'channels' },
      ],
    }),
    timeseries({
      title: 'Open findings',
      description:
        'What the processes found wrong with themselves. Normal: none. GET /vitals of the process has the evidence and the advice, docs/runbooks a page for each.',
      unit: 'short',
      width: 8,
      decimals: 0,
      queries: [
        {
          expr: max(series(diagnosisMetrics.findings), [...perInstance, code, severity]),
          legend: `{{instance}} {{${code}}}, {{${severity}}}`,
        },
      ],
    }),
    timeseries({
      title: 'Cache hits',
      description: 'Lookups of a tier that found the key. Normal: level. Falling: the database is next.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      queries: [{ expr: max(hitShare, byTier), legend: tierLegend }],
    }),
    timeseries({
      title: 'Errors of calls made',
      description:
        'Share of the calls to other services that ended with 5xx or without an answer. Normal: 0. Not your fault, but your users’ loss: the board HTTP has it by server.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      thresholds: thresholds.errorShare,
      queries: [{ expr: callErrorShare(), legend: 'failed calls' }],
    }),
  ],
};

/** The board **Overview**: what users feel, and how full everything is. */
export function overviewBoard(): Dashboard {
  return dashboard({
    uid: 'otel-vitals-overview',
    title: 'Overview',
    description:
      'What users feel (rate, errors, duration by route) above how full everything is that can run full. From here go to the board of what stands out; time range and choice go with you.',
    tags: ['nodejs'],
    sections: [glance, red, objectives, saturation],
  });
}
