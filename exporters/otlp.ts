import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { Log } from '../instrumentation/log';
import { createOtlpExporter, type OtlpConfig } from './otlp/exporter';
import type { ExportStats } from './otlp/guarded';
import { temporalityFromEnvironment } from './otlp/temporality';

export type { OtlpConfig } from './otlp/exporter';
export type { ExportStats } from './otlp/guarded';

/** A metric exporter that cannot harm the process; see `guard` for what that means. */
export interface OtlpMetricExporter
  extends Required<Pick<PushMetricExporter, 'selectAggregationTemporality'>> {
  export: PushMetricExporter['export'];
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
  readonly stats: ExportStats;
  /** `http://host:port` of the receiver: the agent's own traffic. */
  readonly origin: string;
}

/**
 * The exporter that an OTLP metric reader pushes to.
 *
 * The reader itself comes from the caller's copy of the metrics SDK: between the copies pass plain data and numbers,
 * never a class that one of them would look for.
 *
 * @throws when a part that the protocol needs cannot be loaded
 */
export function createOtlpMetricExporter(config: OtlpConfig, log: Log): OtlpMetricExporter {
  const exporter = createOtlpExporter('metrics', config, log);
  return Object.assign(exporter, { selectAggregationTemporality: temporalityFromEnvironment() });
}
