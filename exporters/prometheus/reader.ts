import {
  AggregationTemporality,
  type InstrumentType,
  type MetricProducer,
  MetricReader,
} from '@opentelemetry/sdk-metrics';

/** Settings of {@link createPrometheusReader}. */
export interface PrometheusReaderOptions {
  readonly metricProducers: MetricProducer[];
  /** Attribute sets per instrument that the SDK holds. */
  readonly cardinalityLimit: number;
}

/**
 * Collects running totals when it is asked to, as `@opentelemetry/exporter-prometheus` does. It is not that package's
 * class, because that one makes a server and a serializer that would never be used, and being CommonJS it would bring
 * all of the SDK into the preload.
 */
class PrometheusReader extends MetricReader {
  readonly #cardinalityLimit: number;

  constructor({ metricProducers, cardinalityLimit }: PrometheusReaderOptions) {
    super({ aggregationTemporalitySelector: () => AggregationTemporality.CUMULATIVE, metricProducers });
    this.#cardinalityLimit = cardinalityLimit;
  }

  override selectCardinalityLimit(_type: InstrumentType): number {
    return this.#cardinalityLimit;
  }

  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

export function createPrometheusReader(options: PrometheusReaderOptions): MetricReader {
  return new PrometheusReader(options);
}
