import { getNumberFromEnv } from '@opentelemetry/core';
import { logs, tracing } from '@opentelemetry/sdk-node';
import { createOtlpExporter } from '../../exporters/otlp/exporter';
import type { ExportStats } from '../../exporters/otlp/guarded';
import type { Config } from '../config/options';
import type { Log } from '../log';
import { logsExporters, tracesExporters } from './wanted';

/** Something that holds spans or log records until they are sent. */
interface Flushable {
  forceFlush(): Promise<void>;
}

export interface Processors {
  readonly spans: tracing.SpanProcessor[];
  readonly logRecords: logs.LogRecordProcessor[];
  /** In the order in which they are to be flushed: processors before the exporters they feed. */
  readonly flush: readonly Flushable[];
  readonly stats: readonly ExportStats[];
  /** `http://host:port` of the receivers. */
  readonly origins: ReadonlySet<string>;
}

/** The processors of spans and log records that the configuration asks for, each with its exporter. */
export function createProcessors(config: Config, log: Log): Processors {
  const spans: tracing.SpanProcessor[] = [];
  const logRecords: logs.LogRecordProcessor[] = [];
  const exporters: { forceFlush(): Promise<void>; stats: ExportStats; origin: string }[] = [];

  for (const name of tracesExporters(config)) {
    if (name === 'console') {
      spans.push(new tracing.SimpleSpanProcessor(new tracing.ConsoleSpanExporter()));
      continue;
    }
    const exporter = createOtlpExporter('traces', config, log);
    exporters.push(exporter);
    spans.push(new tracing.BatchSpanProcessor(exporter));
  }

  for (const name of logsExporters(config)) {
    if (name === 'console') {
      const exporter = new logs.ConsoleLogRecordExporter();
      logRecords.push(new logs.SimpleLogRecordProcessor({ exporter }));
      continue;
    }
    const exporter = createOtlpExporter('logs', config, log);
    exporters.push(exporter);
    logRecords.push(new logs.BatchLogRecordProcessor({ exporter, ...logBatches() }));
  }

  return {
    spans,
    logRecords,
    flush: [...spans, ...logRecords, ...exporters],
    stats: exporters.map(exporter => exporter.stats),
    origins: new Set(exporters.map(exporter => exporter.origin)),
  };
}

/** The OTEL_BLRP_* variables, which the processor of log records does not read by itself. */
function logBatches(): Partial<ConstructorParameters<typeof logs.BatchLogRecordProcessor>[0]> {
  const variables = {
    maxQueueSize: 'OTEL_BLRP_MAX_QUEUE_SIZE',
    scheduledDelayMillis: 'OTEL_BLRP_SCHEDULE_DELAY',
    exportTimeoutMillis: 'OTEL_BLRP_EXPORT_TIMEOUT',
    maxExportBatchSize: 'OTEL_BLRP_MAX_EXPORT_BATCH_SIZE',
  };
  return Object.fromEntries(
    Object.entries(variables)
      .map(([key, name]) => [key, getNumberFromEnv(name)] as const)
      .filter(([, value]) => value !== undefined && value >= 0),
  );
}
