import {
  BatchLogRecordProcessor,
  ConsoleLogRecordExporter,
  type LogRecordProcessor,
  SimpleLogRecordProcessor,
} from '@opentelemetry/sdk-logs';
import {
  BatchSpanProcessor,
  ConsoleSpanExporter,
  SimpleSpanProcessor,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import { createOtlpExporter, type ExportWatch } from '../../exporters/otlp/exporter';
import { otlpSettings, type Signal } from '../../exporters/otlp/settings';
import type { Config } from '../config/options';
import { surviveClosedStdout } from '../console-output';
import type { Log } from '../log';
import { hearOfDropped } from './dropped';
import { logsExporters, tracesExporters } from './wanted';

/** Something that holds spans or log records until they are sent. */
interface Flushable {
  forceFlush(): Promise<void>;
}

export interface Processors {
  readonly spans: SpanProcessor[];
  readonly logRecords: LogRecordProcessor[];
  /** In the order in which they are to be flushed: processors before the exporters they feed. */
  readonly flush: readonly Flushable[];
  /** Ends the exports that are under way. */
  giveUp(): void;
}

/**
 * The processors of spans and log records that the configuration asks for, each with its exporter.
 *
 * @throws Error when a certificate cannot be read
 */
export function createProcessors(config: Config, log: Log, watch: ExportWatch): Processors {
  const spans: SpanProcessor[] = [];
  const logRecords: LogRecordProcessor[] = [];
  const exporters: (Flushable & { giveUp(): void })[] = [];
  const countDropped = (signal: Signal) => {
    const { protocol } = otlpSettings(config, signal);
    return hearOfDropped(items => watch.dropped(signal, protocol, items));
  };

  for (const name of tracesExporters(config)) {
    if (name === 'console') {
      surviveClosedStdout();
      spans.push(new SimpleSpanProcessor({ exporter: new ConsoleSpanExporter() }));
      continue;
    }
    const exporter = createOtlpExporter('traces', config, log, watch);
    exporters.push(exporter);
    spans.push(
      new BatchSpanProcessor({
        exporter,
        scheduledDelayMillis: config.spanDelayMs,
        exportTimeoutMillis: config.spanTimeoutMs,
        selfObsMeterProvider: countDropped('traces'),
        maxQueueSize: config.spanQueueSize,
        maxExportBatchSize: Math.min(config.spanBatchSize, config.spanQueueSize),
      }),
    );
  }

  for (const name of logsExporters(config)) {
    if (name === 'console') {
      surviveClosedStdout();
      logRecords.push(new SimpleLogRecordProcessor({ exporter: new ConsoleLogRecordExporter() }));
      continue;
    }
    const exporter = createOtlpExporter('logs', config, log, watch);
    exporters.push(exporter);
    logRecords.push(
      new BatchLogRecordProcessor({
        exporter,
        scheduledDelayMillis: config.logDelayMs,
        exportTimeoutMillis: config.logTimeoutMs,
        selfObsMeterProvider: countDropped('logs'),
        maxQueueSize: config.logQueueSize,
        maxExportBatchSize: Math.min(config.logBatchSize, config.logQueueSize),
      }),
    );
  }

  return {
    spans,
    logRecords,
    flush: [...spans, ...logRecords, ...exporters],
    giveUp() {
      for (const exporter of exporters) exporter.giveUp();
    },
  };
}
