import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { Config } from '../instrumentation/config/options';
import type { Log } from '../instrumentation/log';
import { createOtlpExporter, type ExportWatch } from './otlp/exporter';
import { temporalityOf } from './otlp/temporality';

export type { ExportReport, ExportWatch } from './otlp/exporter';

/**
 * The exporter that an OTLP metric reader pushes to.
 *
 * The reader itself comes from the caller's copy of the metrics SDK: between the copies pass plain data and numbers,
 * never a class that one of them would look for.
 *
 * @throws Error when a certificate cannot be read
 */
export function createOtlpMetricExporter(
  config: Config,
  log: Log,
  watch: ExportWatch,
): PushMetricExporter & { giveUp(): void } {
  const exporter = createOtlpExporter('metrics', config, log, watch);
  return Object.assign(exporter, { selectAggregationTemporality: temporalityOf(config.otlpTemporality) });
}
