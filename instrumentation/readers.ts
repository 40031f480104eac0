import type { Resource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  ConsoleMetricExporter,
  type MetricProducer,
  type MetricReader,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import type { ExportWatch } from '../exporters/otlp/exporter';
import {
  hostAndPort,
  type PrometheusEndpoint,
  startPrometheusEndpoint,
} from '../exporters/prometheus/endpoint';
import { createPrometheusReader } from '../exporters/prometheus/reader';
import { selfMetrics } from './catalogue';
import type { Config } from './config/options';
import { surviveClosedStdout } from './console-output';
import { withDeadline } from './lifecycle';
import { errorText, type Log } from './log';
import type { MeterContext } from './meters/context';
import type { TemporalityOf } from './metrics/producer';

/** Milliseconds that a scrape waits for detectors of resource attributes. */
const detectionMs = 1000;

/** Makes a producer of the agent's metrics for one reader. */
export type MakeProducer = (temporality?: TemporalityOf) => MetricProducer;

/** The Prometheus reader and its endpoint, when it is asked for. A busy port costs the endpoint, nothing else. */
export function openPrometheus(
  { config, log, registry }: MeterContext,
  producer: MakeProducer,
  resource: Resource,
):
  | { reader: MetricReader; endpoint: Promise<PrometheusEndpoint | undefined>; close(): Promise<void> }
  | undefined {
  if (!config.metricsExporters.includes('prometheus')) return undefined;
  const reader = createPrometheusReader({
    metricProducers: [producer()],
    cardinalityLimit: config.cardinalityLimit,
  });
  const duration = registry.instrument(selfMetrics.scrapeDuration).with({});
  const size = registry.instrument(selfMetrics.scrapeSize).with({});
  const failures = registry.instrument(selfMetrics.scrapeFailures).with({});
  const endpoint = startPrometheusEndpoint({
    host: config.prometheusHost,
    port: config.prometheusPort,
    log,
    collect: async () => {
      // What is not detected by then is left to a later scrape.
      await withDeadline(resource.waitForAsyncAttributes?.() ?? Promise.resolve(), detectionMs, false);
      return reader.collect();
    },
    onScrape: scrape => {
      duration.record(scrape.durationSeconds);
      size.set(scrape.bytes);
      if (!scrape.ok) failures.add();
    },
  }).then(
    open => {
      if (config.prometheusPort === 0) log.notice(`metrics are served at ${open.url}`);
      else log.info(`metrics are served at ${open.url}`);
      return open;
    },
    error => {
      log.warn(
        `metrics are not served: ${hostAndPort(config.prometheusHost, config.prometheusPort)} is not to be had ` +
          `(${errorText(error)}); choose another OTEL_EXPORTER_PROMETHEUS_PORT, or 0 for a free one`,
      );
      return undefined;
    },
  );
  return { reader, endpoint, close: async () => (await endpoint)?.close() };
}

/** The readers that send metrics by themselves, and a way to end what they have under way. */
export interface PushReaders {
  readonly readers: readonly MetricReader[];
  giveUp(): void;
}

/** The readers for OTLP and the console. */
export function pushReaders(
  config: Config,
  producer: MakeProducer,
  log: Log,
  watch: ExportWatch,
): PushReaders {
  const readers: MetricReader[] = [];
  let giveUp = (): void => {};
  const push = (exporter: PushMetricExporter): void => {
    const temporality: TemporalityOf = type =>
      exporter.selectAggregationTemporality?.(type) ?? AggregationTemporality.CUMULATIVE;
    readers.push(
      new PeriodicExportingMetricReader({
        exporter,
        exportIntervalMillis: config.exportIntervalMs,
        exportTimeoutMillis: Math.min(config.exportTimeoutMs, config.exportIntervalMs),
        metricProducers: [producer(temporality)],
        cardinalityLimits: { default: config.cardinalityLimit },
      }),
    );
  };
  if (config.metricsExporters.includes('console')) {
    surviveClosedStdout();
    push(new ConsoleMetricExporter());
  }
  if (config.metricsExporters.includes('otlp')) {
    try {
      const { createOtlpMetricExporter } = require('./otlp.js') as typeof import('../exporters/otlp');
      const exporter = createOtlpMetricExporter(config, log, watch);
      giveUp = exporter.giveUp;
      push(exporter);
    } catch (error) {
      log.warn(`metrics are not sent over OTLP: ${errorText(error)}`);
    }
  }
  return { readers, giveUp: () => giveUp() };
}
