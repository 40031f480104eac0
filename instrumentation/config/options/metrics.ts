import { option } from '../option';
import * as as from '../parsers';

const group = 'Metrics';

export const metricsOptions = {
  metricsExporters: option(
    group,
    'OTEL_METRICS_EXPORTER',
    as.listOf('prometheus', 'otlp', 'console', 'none'),
    ['prometheus'],
    'Where metrics go.',
  ),
  prometheusHost: option(
    group,
    'OTEL_EXPORTER_PROMETHEUS_HOST',
    as.host,
    '127.0.0.1',
    'Address of the Prometheus endpoint. In a container: 0.0.0.0.',
  ),
  prometheusPort: option(
    group,
    'OTEL_EXPORTER_PROMETHEUS_PORT',
    as.integer(0, 65_535),
    9464,
    'Port of the Prometheus endpoint; 0 takes a free one and says which.',
  ),
  exportIntervalMs: option(
    group,
    'OTEL_METRIC_EXPORT_INTERVAL',
    as.integer(100, 86_400_000),
    60_000,
    'Milliseconds between exports over OTLP or to the console.',
  ),
  exportTimeoutMs: option(
    group,
    'OTEL_METRIC_EXPORT_TIMEOUT',
    as.integer(1, 86_400_000),
    30_000,
    'Milliseconds that one such export may take; at most the interval.',
  ),
  exemplarFilter: option(
    group,
    'OTEL_METRICS_EXEMPLAR_FILTER',
    as.oneOf('always_on', 'always_off', 'trace_based'),
    'trace_based',
    'Which measurements may become exemplars. An exemplar needs a trace, so `always_on` means `trace_based` with spans that were not sampled.',
  ),
  customMetrics: option(
    group,
    'VITALS_CUSTOM_METRICS',
    as.boolean,
    true,
    'Whether what the application measures through `@opentelemetry/api` comes out of the agent. `false` leaves the API alone, for an application that has an SDK of its own inside its bundle.',
  ),
  cardinalityLimit: option(
    group,
    'VITALS_CARDINALITY_LIMIT',
    as.integer(10, 1_000_000),
    2000,
    'Attribute sets per metric; what comes past it is counted under `otel.metric.overflow="true"`.',
  ),
  slowRequestMs: option(
    group,
    'VITALS_SLOW_REQUEST_MS',
    as.integer(1, 86_400_000),
    1000,
    'Milliseconds from which a request counts as slow.',
  ),
  slowQueryMs: option(
    group,
    'VITALS_SLOW_QUERY_MS',
    as.integer(1, 86_400_000),
    1000,
    'Milliseconds from which a database operation counts as slow.',
  ),
  stallMs: option(
    group,
    'VITALS_STALL_MS',
    as.integer(20, 86_400_000),
    100,
    'Milliseconds from which a block of the event loop counts as a stall.',
  ),
} as const;
