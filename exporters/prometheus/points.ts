import type { DataPoint, Histogram } from '@opentelemetry/sdk-metrics';
import type { HistogramPoint } from '../../instrumentation/metrics/exemplar';
import { type Buckets, bucketsOf } from './buckets';
import { type ByteWriter, lineFeed, maxBytes, maxNumberBytes } from './byte-writer';
import { exemplarText, maxExemplarBytes } from './exemplars';

const comma = 0x2c;
const space = 0x20;

/** What the lines of a family begin with, encoded once. */
export interface Heads {
  /** Before the labels, with the brace: `name{` of a counter or gauge, `name_bucket{` of a histogram. */
  readonly open: Uint8Array;
  /** Without labels. */
  readonly bare: Uint8Array;
  readonly sum: Uint8Array;
  readonly count: Uint8Array;
}

export function headsOf(name: string, histogram: boolean): Heads {
  return {
    open: Buffer.from(histogram ? `${name}_bucket{` : `${name}{`),
    bare: Buffer.from(`${name} `),
    sum: Buffer.from(`${name}_sum`),
    count: Buffer.from(`${name}_count`),
  };
}

const close = Buffer.from('} ');

/** Most bytes of the line of a counter or gauge. */
export function valueBytes(heads: Heads, labels: string): number {
  return heads.open.length + maxBytes(labels) + maxNumberBytes + 4;
}

/** Writes the line of a counter or gauge. */
export function writeValue(writer: ByteWriter, heads: Heads, labels: string, value: number): void {
  if (labels === '') {
    writer.bytes(heads.bare);
  } else {
    writer.bytes(heads.open);
    writer.text(labels);
    writer.bytes(close);
  }
  writer.numberLine(value);
}

/** Most bytes of the lines of a histogram point. */
export function histogramBytes(heads: Heads, labels: string, point: HistogramPoint): number {
  const buckets = bucketsOf(point.value.buckets.boundaries);
  if (buckets === undefined) return 0;
  const line = heads.open.length + maxBytes(labels) + buckets.maxBytes + maxNumberBytes + 8;
  const exemplars = point.exemplars === undefined ? 0 : maxExemplarBytes;
  return (buckets.le.length + 2) * (line + exemplars);
}

/**
 * Writes the lines of a histogram point, buckets, sum and count, and returns how many; 0 where the point is no
 * histogram (a negative or missing count, boundaries that do not rise).
 *
 * The count is that of the buckets, so that `_count` and the `+Inf` bucket agree whatever a producer counted apart.
 * `_count` stands without a sum too, as OpenTelemetry's specification demands and Prometheus reads.
 */
export function writeHistogram(
  writer: ByteWriter,
  heads: Heads,
  labels: string,
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
  writer.bytes(heads.open);
  const labelsStart = writer.position;
  writer.text(labels);
  const labelsEnd = writer.position;
  if (labelsEnd > labelsStart) writer.byte(comma);
  const headEnd = writer.position;

  let total = 0;
  for (let i = 0; i <= last; i++) {
    if (i > 0) writer.repeat(start, headEnd);
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
  // The labels with their braces are the bucket's, between its name and the comma.
  const braceStart = labelsStart - 1;
  if (withSum) writeTail(writer, heads.sum, braceStart, labelsEnd, sum);
  writeTail(writer, heads.count, braceStart, labelsEnd, total);
  return le.length + (withSum ? 2 : 1);
}

/** Writes a line that repeats the labels from `from`, their opening brace, to `to`. */
function writeTail(writer: ByteWriter, head: Uint8Array, from: number, to: number, value: number): void {
  writer.bytes(head);
  if (to > from + 1) {
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
