import type { DataPoint, Histogram } from '@opentelemetry/sdk-metrics';
import type { Exemplar, HistogramPoint } from '../../instrumentation/metrics/exemplar';
import { type BucketTexts, bucketTexts } from './buckets';
import { escapeLabelValue } from './labels';
import { valueText } from './numbers';

/** OpenMetrics: names and values of an exemplar's labels together, in characters. */
const maxExemplarCharacters = 128;

/**
 * The lines of one histogram point: buckets, sum, count; empty where the point is no histogram (a negative or missing
 * count, boundaries that do not rise).
 *
 * The count is that of the buckets, so that `_count` and the `+Inf` bucket agree whatever a producer counted apart.
 * `_count` is written without a sum too, as OpenTelemetry's specification demands and Prometheus reads.
 *
 * @param labels the series' labels without braces
 * @param exemplars whether to write them; only OpenMetrics has them
 */
export function histogramText(
  name: string,
  labels: string,
  point: DataPoint<Histogram>,
  exemplars: boolean,
): string {
  const { buckets, sum, count } = point.value;
  const texts = bucketTexts(buckets.boundaries);
  if (texts === undefined) return '';
  const { le } = texts;
  const head = labels === '' ? `${name}_bucket{` : `${name}_bucket{${labels},`;
  const tail = labels === '' ? ' ' : `{${labels}} `;
  const { counts } = buckets;
  const last = le.length - 1;
  const kept = exemplars ? (point as HistogramPoint).exemplars : undefined;
  let text = '';
  let total = 0;
  for (let i = 0; i < last; i++) {
    total += counts[i]!;
    text +=
      kept === undefined
        ? `${head}${le[i]}${total}\n`
        : `${head}${le[i]}${total}${exemplarText(kept[i], buckets.boundaries[i]!)}\n`;
    if (!(counts[i]! >= 0)) return '';
  }
  if (counts.length === 0) total = count;
  for (let i = last; i < counts.length; i++) total += counts[i]!;
  if (!Number.isInteger(total) || total < 0) return '';
  text += `${head}${le[last]}${total}${kept === undefined ? '' : exemplarText(kept[last], Infinity)}\n`;
  if (hasSum(texts, sum)) text += `${name}_sum${tail}${valueText(sum)}\n`;
  return `${text}${name}_count${tail}${total}\n`;
}

/** How many samples `histogramText` writes for a point that it can write. */
export function histogramSamples(point: DataPoint<Histogram>): number {
  const texts = bucketTexts(point.value.buckets.boundaries)!;
  return texts.le.length + (hasSum(texts, point.value.sum) ? 2 : 1);
}

/** A sum that is no counter, negative or not a number, is left out by both specifications. */
function hasSum(texts: BucketTexts, sum: number | undefined): sum is number {
  return texts.sum && sum !== undefined && sum >= 0;
}

function exemplarText(exemplar: Exemplar | undefined, boundary: number): string {
  // One that lies above its bucket makes the exposition invalid; NaN lies nowhere.
  if (exemplar === undefined || !(exemplar.value <= boundary)) return '';
  const { traceId, spanId, timestampMs } = exemplar;
  if ([...`trace_id${traceId}span_id${spanId}`].length > maxExemplarCharacters) return '';
  const labels = `trace_id="${escapeLabelValue(traceId)}",span_id="${escapeLabelValue(spanId)}"`;
  const time = Number.isFinite(timestampMs) ? ` ${(timestampMs / 1000).toFixed(3)}` : '';
  return ` # {${labels}} ${valueText(exemplar.value)}${time}`;
}
