import type { IExporterMetricsHelper, ISerializer } from '@opentelemetry/otlp-transformer';
import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
  LogsExporterMetricsHelper,
  MetricsExporterMetricsHelper,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
  TraceExporterMetricsHelper,
} from '@opentelemetry/otlp-transformer';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';

/** What is exported at once, by signal. */
export interface Batches {
  metrics: ResourceMetrics;
  traces: ReadableSpan[];
  logs: ReadableLogRecord[];
}

export type Signal = keyof Batches;

interface SignalParts<Items> {
  /** As it stands in the names of environment variables. */
  readonly env: string;
  readonly path: string;
  readonly protobuf: ISerializer<Items, unknown>;
  readonly json: ISerializer<Items, unknown>;
  readonly helper: IExporterMetricsHelper<Items>;
  /** Package with the exporter for gRPC; the SDK brings it. */
  readonly grpcPackage: string;
  readonly grpcClass: string;
}

export const signals: { readonly [S in Signal]: SignalParts<Batches[S]> } = {
  metrics: {
    env: 'METRICS',
    path: 'v1/metrics',
    protobuf: ProtobufMetricsSerializer,
    json: JsonMetricsSerializer,
    helper: MetricsExporterMetricsHelper,
    grpcPackage: '@opentelemetry/exporter-metrics-otlp-grpc',
    grpcClass: 'OTLPMetricExporter',
  },
  traces: {
    env: 'TRACES',
    path: 'v1/traces',
    protobuf: ProtobufTraceSerializer,
    json: JsonTraceSerializer,
    helper: TraceExporterMetricsHelper,
    grpcPackage: '@opentelemetry/exporter-trace-otlp-grpc',
    grpcClass: 'OTLPTraceExporter',
  },
  logs: {
    env: 'LOGS',
    path: 'v1/logs',
    protobuf: ProtobufLogsSerializer,
    json: JsonLogsSerializer,
    helper: LogsExporterMetricsHelper,
    grpcPackage: '@opentelemetry/exporter-logs-otlp-grpc',
    grpcClass: 'OTLPLogExporter',
  },
};
