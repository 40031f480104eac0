import type { ISerializer } from '@opentelemetry/otlp-transformer';
import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { Signal } from './settings';

/** What is exported at once, by signal. */
export interface Batches {
  metrics: ResourceMetrics;
  traces: ReadableSpan[];
  logs: ReadableLogRecord[];
}

interface SignalParts<Items> {
  readonly protobuf: ISerializer<Items, unknown>;
  readonly json: ISerializer<Items, unknown>;
  /** What the answer of a partial success calls the number of those that were refused. */
  readonly rejectedKey: string;
  count(items: Items): number;
}

export const signalParts: { readonly [S in Signal]: SignalParts<Batches[S]> } = {
  metrics: {
    protobuf: ProtobufMetricsSerializer,
    json: JsonMetricsSerializer,
    rejectedKey: 'rejectedDataPoints',
    count: ({ scopeMetrics }) =>
      scopeMetrics.reduce(
        (sum, scope) => scope.metrics.reduce((all, m) => all + m.dataPoints.length, sum),
        0,
      ),
  },
  traces: {
    protobuf: ProtobufTraceSerializer,
    json: JsonTraceSerializer,
    rejectedKey: 'rejectedSpans',
    count: spans => spans.length,
  },
  logs: {
    protobuf: ProtobufLogsSerializer,
    json: JsonLogsSerializer,
    rejectedKey: 'rejectedLogRecords',
    count: records => records.length,
  },
};
