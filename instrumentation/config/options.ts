import { logLevels } from '../log';
import { libraryNames, meterNames } from '../names';
import type { Parser } from './parsers';
import * as as from './parsers';

/** One variable: how it is read, what it is without, and what the documentation says of it. */
export interface Option<T> {
  readonly env: string;
  readonly parser: Parser<T>;
  readonly default: T;
  /** The default in words, where the value says too little. */
  readonly defaultText?: string;
  /** Never printed. */
  readonly secret?: true;
  readonly group: Group;
  readonly description: string;
}

export type Group = 'General' | 'Metrics' | 'Traces and logs' | 'Continuous profiling';

function option<T>(
  group: Group,
  env: string,
  parser: Parser<T>,
  fallback: NoInfer<T>,
  description: string,
  more: Partial<Option<T>> = {},
): Option<T> {
  return {
    env,
    parser,
    default: fallback,
    description,
    group,
    ...(parser.type === 'secret' ? { secret: true } : {}),
    ...more,
  };
}

const none = undefined as string | undefined;
const optional = <T>(parser: Parser<T>) => parser as Parser<T | undefined>;

/** The resource detectors that OTEL_NODE_RESOURCE_DETECTORS names. */
export const detectorNames = ['env', 'host', 'os', 'process', 'serviceinstance', 'container'] as const;

/**
 * Every variable the agent reads, in the order of the documentation. Parser, types, documentation and redaction
 * come from this table.
 */
export const options = {
  disabled: option('General', 'OTEL_SDK_DISABLED', as.boolean, false, 'Loads nothing at all.'),
  serviceName: option(
    'General',
    'OTEL_SERVICE_NAME',
    optional(as.string),
    none,
    'Name of the service; wins over `service.name` in OTEL_RESOURCE_ATTRIBUTES.',
    { defaultText: 'name in the nearest package.json' },
  ),
  resourceAttributes: option(
    'General',
    'OTEL_RESOURCE_ATTRIBUTES',
    as.keyValues,
    {},
    'Attributes of the resource, as `key=value` pairs with percent-encoded values.',
    { defaultText: '`service.version` from the nearest package.json' },
  ),
  resourceDetectors: option(
    'General',
    'OTEL_NODE_RESOURCE_DETECTORS',
    as.listOf(...detectorNames, 'all', 'none'),
    [...detectorNames],
    'Where attributes of the resource come from.',
  ),
  logLevel: option(
    'General',
    'OTEL_LOG_LEVEL',
    as.oneOf(...logLevels),
    'warn',
    "Level of the agent's own diagnostics, which go to stderr, one line each.",
  ),
  enabled: option(
    'General',
    'OTEL_NODE_ENABLED_INSTRUMENTATIONS',
    optional(as.names),
    undefined,
    `Meters and libraries to use, and no others: ${[...meterNames, ...libraryNames].join(', ')}.`,
    { defaultText: 'all' },
  ),
  disabledNames: option(
    'General',
    'OTEL_NODE_DISABLED_INSTRUMENTATIONS',
    as.names,
    [],
    'Meters and libraries to leave out.',
    { defaultText: 'none' },
  ),
  shutdownTimeoutMs: option(
    'General',
    'VITALS_SHUTDOWN_TIMEOUT_MS',
    as.integer(0, 60_000),
    2000,
    'Milliseconds that a last flush may take when the process ends.',
  ),
  metricsExporters: option(
    'Metrics',
    'OTEL_METRICS_EXPORTER',
    as.listOf('prometheus', 'otlp', 'console', 'none'),
    ['prometheus'],
    'Where metrics go.',
  ),
  prometheusHost: option(
    'Metrics',
    'OTEL_EXPORTER_PROMETHEUS_HOST',
    as.host,
    '127.0.0.1',
    'Address of the Prometheus endpoint. In a container: 0.0.0.0.',
  ),
  prometheusPort: option(
    'Metrics',
    'OTEL_EXPORTER_PROMETHEUS_PORT',
    as.integer(0, 65_535),
    9464,
    'Port of the Prometheus endpoint; 0 takes a free one and says which.',
  ),
  exportIntervalMs: option(
    'Metrics',
    'OTEL_METRIC_EXPORT_INTERVAL',
    as.integer(100, 86_400_000),
    60_000,
    'Milliseconds between exports over OTLP or to the console.',
  ),
  exportTimeoutMs: option(
    'Metrics',
    'OTEL_METRIC_EXPORT_TIMEOUT',
    as.integer(1, 86_400_000),
    30_000,
    'Milliseconds that one such export may take; at most the interval.',
  ),
  exemplarFilter: option(
    'Metrics',
    'OTEL_METRICS_EXEMPLAR_FILTER',
    as.oneOf('always_on', 'always_off', 'trace_based'),
    'trace_based',
    'Which measurements may become exemplars. An exemplar needs a trace, so `always_on` means `trace_based` with spans that were not sampled.',
  ),
  cardinalityLimit: option(
    'Metrics',
    'VITALS_CARDINALITY_LIMIT',
    as.integer(10, 1_000_000),
    2000,
    'Attribute sets per metric; what comes past it is counted under `otel.metric.overflow="true"`.',
  ),
  slowRequestMs: option(
    'Metrics',
    'VITALS_SLOW_REQUEST_MS',
    as.integer(1, 86_400_000),
    1000,
    'Milliseconds from which a request counts as slow.',
  ),
  slowQueryMs: option(
    'Metrics',
    'VITALS_SLOW_QUERY_MS',
    as.integer(1, 86_400_000),
    1000,
    'Milliseconds from which a database operation counts as slow.',
  ),
  stallMs: option(
    'Metrics',
    'VITALS_STALL_MS',
    as.integer(20, 86_400_000),
    100,
    'Milliseconds from which a block of the event loop counts as a stall.',
  ),
  tracesExporters: option(
    'Traces and logs',
    'OTEL_TRACES_EXPORTER',
    optional(as.listOf('otlp', 'console', 'none')),
    undefined,
    'Where traces go.',
    {
      defaultText: 'none; otlp once OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set',
    },
  ),
  logsExporters: option(
    'Traces and logs',
    'OTEL_LOGS_EXPORTER',
    optional(as.listOf('otlp', 'console', 'none')),
    undefined,
    'Where log records go that are made through the OpenTelemetry logs API.',
    { defaultText: 'none; otlp once OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_LOGS_ENDPOINT is set' },
  ),
  otlpEndpoint: option(
    'Traces and logs',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    optional(as.url),
    none,
    'Base URL of an OTLP receiver; turns traces and logs on.',
    { defaultText: 'http://localhost:4318 where OTLP is on' },
  ),
  otlpTracesEndpoint: option(
    'Traces and logs',
    'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    optional(as.url),
    none,
    'URL for traces alone.',
    { defaultText: 'endpoint + /v1/traces' },
  ),
  otlpMetricsEndpoint: option(
    'Traces and logs',
    'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
    optional(as.url),
    none,
    'URL for metrics alone; used when OTEL_METRICS_EXPORTER has otlp.',
    { defaultText: 'endpoint + /v1/metrics' },
  ),
  otlpLogsEndpoint: option(
    'Traces and logs',
    'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT',
    optional(as.url),
    none,
    'URL for logs alone.',
    { defaultText: 'endpoint + /v1/logs' },
  ),
  otlpProtocol: option(
    'Traces and logs',
    'OTEL_EXPORTER_OTLP_PROTOCOL',
    as.oneOf('http/protobuf', 'http/json', 'grpc'),
    'http/protobuf',
    'Protocol of OTLP. Metrics go over http in either encoding; grpc is for traces and logs.',
  ),
  otlpHeaders: option(
    'Traces and logs',
    'OTEL_EXPORTER_OTLP_HEADERS',
    optional(as.keyValues),
    undefined,
    'Headers of OTLP requests, such as credentials.',
    { secret: true, defaultText: 'none' },
  ),
  pyroscopeAddress: option(
    'Continuous profiling',
    'PYROSCOPE_SERVER_ADDRESS',
    optional(as.url),
    none,
    'Base URL of a Pyroscope server; turns continuous profiling on.',
    { defaultText: 'off' },
  ),
  pyroscopeApplication: option(
    'Continuous profiling',
    'PYROSCOPE_APPLICATION_NAME',
    optional(as.string),
    none,
    'Application name of the profiles.',
    { defaultText: 'the service name' },
  ),
  pyroscopeAuthToken: option(
    'Continuous profiling',
    'PYROSCOPE_AUTH_TOKEN',
    optional(as.secret),
    none,
    'Bearer token.',
    { defaultText: 'none' },
  ),
  pyroscopeUser: option(
    'Continuous profiling',
    'PYROSCOPE_BASIC_AUTH_USER',
    optional(as.string),
    none,
    'User of basic authentication.',
    { defaultText: 'none' },
  ),
  pyroscopePassword: option(
    'Continuous profiling',
    'PYROSCOPE_BASIC_AUTH_PASSWORD',
    optional(as.secret),
    none,
    'Password of basic authentication.',
    { defaultText: 'none' },
  ),
  pyroscopeTenant: option(
    'Continuous profiling',
    'PYROSCOPE_TENANT_ID',
    optional(as.string),
    none,
    'Tenant, sent as X-Scope-OrgID.',
    { defaultText: 'none' },
  ),
  pyroscopeFlushMs: option(
    'Continuous profiling',
    'PYROSCOPE_FLUSH_INTERVAL_MS',
    as.integer(100, 3_600_000),
    60_000,
    'Milliseconds between uploads of heap profiles.',
  ),
  pyroscopeUploadTimeoutMs: option(
    'Continuous profiling',
    'VITALS_PYROSCOPE_TIMEOUT_MS',
    as.integer(10, 600_000),
    10_000,
    'Milliseconds that one upload may take.',
  ),
  pyroscopeWallDurationMs: option(
    'Continuous profiling',
    'PYROSCOPE_WALL_SAMPLING_DURATION_MS',
    as.integer(100, 3_600_000),
    60_000,
    'Milliseconds that one wall profile covers before it is uploaded.',
  ),
  pyroscopeWallIntervalMicros: option(
    'Continuous profiling',
    'PYROSCOPE_WALL_SAMPLING_INTERVAL_MICROS',
    as.integer(1000, 10_000_000),
    10_000,
    'Microseconds between two wall samples.',
  ),
  pyroscopeCpuTime: option(
    'Continuous profiling',
    'PYROSCOPE_WALL_COLLECT_CPU_TIME',
    as.boolean,
    true,
    'CPU time beside wall time; without it there are no CPU profiles.',
  ),
  pyroscopeHeapBytes: option(
    'Continuous profiling',
    'PYROSCOPE_HEAP_SAMPLING_INTERVAL_BYTES',
    as.integer(1024, 1_073_741_824),
    524_288,
    'Bytes allocated between two heap samples, on average.',
  ),
  pyroscopeHeapDepth: option(
    'Continuous profiling',
    'PYROSCOPE_HEAP_STACK_DEPTH',
    as.integer(1, 1024),
    64,
    'Frames kept of the stack of a heap sample.',
  ),
  sourceMaps: option(
    'Continuous profiling',
    'VITALS_SOURCE_MAPS',
    as.boolean,
    true,
    'Profiles name original files and lines where source maps lie beside the code.',
  ),
} as const;

type Options = typeof options;
type ValueOf<O> = O extends Option<infer T> ? T : never;

/** Complete: every option has a value, so nothing further in needs a default. */
export type Config = { readonly [K in keyof Options]: ValueOf<Options[K]> };

/** Variables that OpenTelemetry's own packages read when traces, logs or OTLP are on; the agent hands them on. */
export const passedThrough = [
  'OTEL_EXPORTER_OTLP_*_HEADERS',
  'OTEL_EXPORTER_OTLP_*_PROTOCOL',
  'OTEL_EXPORTER_OTLP_COMPRESSION',
  'OTEL_EXPORTER_OTLP_TIMEOUT',
  'OTEL_EXPORTER_OTLP_CERTIFICATE',
  'OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE',
  'OTEL_EXPORTER_OTLP_CLIENT_KEY',
  'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE',
  'OTEL_TRACES_SAMPLER',
  'OTEL_TRACES_SAMPLER_ARG',
  'OTEL_PROPAGATORS',
  'OTEL_BSP_*',
  'OTEL_BLRP_*',
  'OTEL_SPAN_*_LIMIT',
  'OTEL_ATTRIBUTE_*_LIMIT',
] as const;
