import type { DataPoint, Histogram } from '@opentelemetry/sdk-metrics';
import type { HistogramPoint } from '../../instrumentation/metrics/exemplar';
import { type Buckets, bucketsOf } from './buckets';
import { type ByteWriter, lineFeed, maxNumberBytes } from './byte-writer';
import { exemplarText, maxExemplarBytes } from './exemplars';

const space = 0x20;

/** What is the same in all lines of a family. */
export interface FamilyNames {
  /** Begins the lines of a series: `name{a="b"} ` of a counter or gauge, `name_bucket{a="b",` of a histogram. */
  head(labels: string): string;
  /** Bytes of a histogram's head before its labels: `name_bucket{`. */
  readonly open: number;
  readonly sum: Uint8Array;
  readonly count: Uint8Array;
}

export function familyNames(name: string, histogram: boolean): FamilyNames {
  const open = histogram ? `${name}_bucket{` : `${name}{`;
  return {
    head: histogram
      ? labels => (labels === '' ? open : `${open}${labels},`)
      : labels => (labels === '' ? `${name} ` : `${open}${labels}} `),
    open: open.length,
    sum: Buffer.from(`${name}_sum`),
    count: Buffer.from(`${name}_count`),
  };
}

const close = Buffer.from('} ');

/** Most bytes that stand after the head of a counter's or gauge's line. */
export const maxValueBytes = maxNumberBytes + 1;

/** Most bytes of the lines of a histogram point whose head takes `head` bytes. */
export function histogramBytes(head: number, point: HistogramPoint): number {
  const buckets = bucketsOf(point.value.buckets.boundaries);
  if (buckets === undefined) return 0;
  const exemplar = point.exemplars === undefined ? 0 : maxExemplarBytes;
  return (buckets.le.length + 2) * (head + buckets.maxBytes + maxNumberBytes + exemplar + 4);
}

/**
 * Writes the lines of a histogram point, buckets, sum and count, and returns how many; 0 where the point is no
 * histogram (a negative or missing count, boundaries that do not rise).
 *
 * The count is that of the buckets, so that `_count` and the `+Inf` bucket agree whatever a producer counted apart.
 * `_count` stands without a sum too, as OpenTelemetry's specification demands and Prometheus reads.
 *
 * @param from where the head of the lines stands in the room reserved last
 * @param to where it ends
 */
export function writeHistogram(
  writer: ByteWriter,
  names: FamilyNames,
  from: number,
  to: number,
  point: HistogramPoint,
  exemplars: boolean,
): number {
  const { boundaries, counts } = point.value.buckets;
  const buckets = bucketsOf(boundaries);
  if (buckets === undefined) return 0;
  const { le } = buckets;
  const last = le.length - 1;
  const kept = exemplars ? point.exemplars : undefined;

  const start = writer.position;
  let total = 0;
  for (let i = 0; i <= last; i++) {
    writer.repeat(from, to);
    writer.bytes(le[i]!);
    total += i < last ? checked(counts[i]) : lastCount(point, last);
    writer.number(total);
    if (kept !== undefined) writer.text(exemplarText(kept[i], i < last ? boundaries[i]! : Infinity));
    writer.byte(lineFeed);
  }
  if (!Number.isFinite(total)) {
    writer.rewind(start);
    return 0;
  }

  const { sum } = point.value;
  const withSum = hasSum(buckets, sum);
  // From the brace of the head to its comma: the labels, if there are any.
  const brace = from + names.open - 1;
  if (withSum) writeTail(writer, names.sum, brace, to - 1, sum);
  writeTail(writer, names.count, brace, to - 1, total);
  return le.length + (withSum ? 2 : 1);
}

/** Writes a line with the labels that stand from `from`, their opening brace, to `to`. */
function writeTail(writer: ByteWriter, name: Uint8Array, from: number, to: number, value: number): void {
  writer.bytes(name);
  if (to > from) {
    writer.repeat(from, to);
    writer.bytes(close);
  } else {
    writer.byte(space);
  }
  writer.numberLine(value);
}

/** A bucket's count, or not a number where it cannot be one: that makes the whole point none. */
function checked(count: number | undefined): number {
  return Number.isInteger(count) && count! >= 0 ? count! : Number.NaN;
}

/** The count of the last bucket: the producer's own of all measurements, where it keeps no buckets at all. */
function lastCount({ value: { count, buckets } }: DataPoint<Histogram>, last: number): number {
  const { counts } = buckets;
  if (counts.length === 0) return checked(count);
  let sum = checked(counts[last]);
  // Beside a boundary of infinity there is one more.
  for (let i = last + 1; i < counts.length; i++) sum += checked(counts[i]);
  return sum;
}

/** A sum that is no counter, negative or not a number, is left out by both specifications. */
function hasSum(buckets: Buckets, sum: number | undefined): sum is number {
  return buckets.sum && sum !== undefined && sum >= 0;
}
