import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import type { InstrumentType, MetricProducer, MetricReader } from '@opentelemetry/sdk-metrics';

/** Settings of {@link createPrometheusReader}. */
export interface PrometheusReaderOptions {
  readonly metricProducers: MetricProducer[];
  /** Attribute sets per instrument that the SDK holds. */
  readonly cardinalityLimit: number;
}

/** The stock exporter as a reader alone: it collects, and serves and writes nothing. */
class PrometheusReader extends PrometheusExporter {
  readonly #cardinalityLimit: number;

  constructor({ metricProducers, cardinalityLimit }: PrometheusReaderOptions) {
    super({ preventServerStart: true, metricProducers });
    this.#cardinalityLimit = cardinalityLimit;
  }

  override selectCardinalityLimit(_type: InstrumentType): number {
    return this.#cardinalityLimit;
  }

  /** There is no server to stop. */
  override async onShutdown(): Promise<void> {}
}

export function createPrometheusReader(options: PrometheusReaderOptions): MetricReader {
  return new PrometheusReader(options);
}
