import type { Exemplar } from '../../instrumentation/metrics/exemplar';
import { escapeLabelValue } from './labels';
import { valueText } from './numbers';

/** OpenMetrics: names and values of an exemplar's labels together, in characters. */
const maxLabelCharacters = 128;

/** Most bytes that `exemplarText` gives: every character escaped or of four bytes, and the numbers. */
export const maxExemplarBytes = 4 * maxLabelCharacters + 128;

/**
 * What OpenMetrics writes of an exemplar after its bucket's count; empty where it may not stand there: above the
 * bucket's boundary, not a number, or with longer ids than the format allows.
 */
export function exemplarText(exemplar: Exemplar | undefined, boundary: number): string {
  if (exemplar === undefined || !(exemplar.value <= boundary)) return '';
  const { traceId, spanId, timestampMs } = exemplar;
  if ('trace_idspan_id'.length + [...traceId].length + [...spanId].length > maxLabelCharacters) return '';
  const labels = `trace_id="${escapeLabelValue(traceId)}",span_id="${escapeLabelValue(spanId)}"`;
  const time = Number.isFinite(timestampMs) ? ` ${(timestampMs / 1000).toFixed(3)}` : '';
  return ` # {${labels}} ${valueText(exemplar.value)}${time}`;
}
