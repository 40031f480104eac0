import { diag } from '@opentelemetry/api';
import { getStringFromEnv } from '@opentelemetry/core';
import type { AggregationTemporality, InstrumentType } from '@opentelemetry/sdk-metrics';

type Preference = 'cumulative' | 'delta' | 'lowmemory';
type Type = `${InstrumentType}`;

/** The values of `AggregationTemporality`; importing the enum would bring the whole SDK along. */
const deltaTemporality = 0 as AggregationTemporality.DELTA;
const cumulativeTemporality = 1 as AggregationTemporality.CUMULATIVE;

/**
 * What each preference reports as changes since the last export.
 * https://opentelemetry.io/docs/specs/otel/metrics/sdk_exporters/otlp/#additional-environment-variable-configuration
 */
const deltaTypes: Record<Preference, ReadonlySet<Type>> = {
  cumulative: new Set(),
  delta: new Set<Type>(['COUNTER', 'OBSERVABLE_COUNTER', 'HISTOGRAM']),
  lowmemory: new Set<Type>(['COUNTER', 'HISTOGRAM']),
};

/** The temporality that OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE asks for, by type of instrument. */
export function temporalityFromEnvironment(): (type: InstrumentType) => AggregationTemporality {
  const text = getStringFromEnv('OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE');
  const preference = (text ?? 'cumulative').toLowerCase();
  const known = Object.hasOwn(deltaTypes, preference);
  if (!known) {
    diag.warn(
      `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: expected cumulative, delta or lowmemory, got "${text}"`,
    );
  }
  const types = deltaTypes[known ? (preference as Preference) : 'cumulative'];
  return type => (types.has(type) ? deltaTemporality : cumulativeTemporality);
}
