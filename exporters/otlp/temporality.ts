import type { AggregationTemporality, InstrumentType } from '@opentelemetry/sdk-metrics';
import type { Config } from '../../instrumentation/config/options';

type Type = `${InstrumentType}`;

/** The values of `AggregationTemporality`; importing the enum would bring the whole SDK along. */
const deltaTemporality = 0 as AggregationTemporality.DELTA;
const cumulativeTemporality = 1 as AggregationTemporality.CUMULATIVE;

/**
 * What each preference reports as changes since the last export.
 * https://opentelemetry.io/docs/specs/otel/metrics/sdk_exporters/otlp/#additional-environment-variable-configuration
 */
const deltaTypes: Record<Config['otlpTemporality'], ReadonlySet<Type>> = {
  cumulative: new Set(),
  delta: new Set<Type>(['COUNTER', 'OBSERVABLE_COUNTER', 'HISTOGRAM']),
  lowmemory: new Set<Type>(['COUNTER', 'HISTOGRAM']),
};

/** The temporality of each type of instrument. */
export function temporalityOf(
  preference: Config['otlpTemporality'],
): (type: InstrumentType) => AggregationTemporality {
  const types = deltaTypes[preference];
  return type => (types.has(type) ? deltaTemporality : cumulativeTemporality);
}
