import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { Format } from '../../../exporters/prometheus/formats';
import { createSerializer, type Serializer } from '../../../exporters/prometheus/serializer';
import { parseOpenMetrics } from './openmetrics';
import { parseText } from './text';
import type { ParsedFamily, ParsedSample } from './types';

/** The exposition as bytes, and how many samples the serializer says it has. */
export function writeBytes(
  metrics: ResourceMetrics,
  format: Format,
  serializer: Serializer = createSerializer(),
): { bytes: Buffer; samples: number } {
  const chunks: Buffer[] = [];
  const writing = serializer.chunks(metrics, format);
  for (;;) {
    const step = writing.next();
    if (step.done === true) return { bytes: Buffer.concat(chunks), samples: step.value };
    if (step.value !== undefined) chunks.push(step.value);
  }
}

export const writeText = (
  metrics: ResourceMetrics,
  format: Format = 'text',
  serializer?: Serializer,
): string => writeBytes(metrics, format, serializer).bytes.toString();

/**
 * Parses by the strict rules of the format, with one exception: OpenTelemetry demands a histogram's count also where
 * there can be no sum, which OpenMetrics 1.0.0 does not foresee and Prometheus reads.
 */
export function parse(bytes: Uint8Array, format: Format): Map<string, ParsedFamily> {
  return format === 'text' ? parseText(bytes) : parseOpenMetrics(bytes, { countNeedsSum: false });
}

export const samplesOf = (families: ReadonlyMap<string, ParsedFamily>): ParsedSample[] =>
  [...families.values()].flatMap(({ samples }) => samples);
