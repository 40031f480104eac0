import type { DataPoint } from '@opentelemetry/sdk-metrics';
import type { HistogramPoint } from '../../instrumentation/metrics/exemplar';
import type { ByteWriter } from './byte-writer';
import type { LineHeads } from './heads';
import { type FamilyNames, histogramBytes, maxValueBytes, writeHistogram } from './points';

/** Points written between two pauses: some ten microseconds' work, a hundred before V8 has compiled it. */
const stride = 64;
/** Bytes of their heads at most, so that what is reserved for them does not break memory into large pieces. */
const strideBytes = 16 * 1024;

/** The points of one metric, with what their lines begin with. */
export interface Lines {
  readonly points: readonly DataPoint<unknown>[];
  readonly heads: LineHeads;
  /** Points that are left out, whose labels an earlier one has. */
  readonly skip: ReadonlySet<number>;
  /** Told of each point that cannot be written. */
  readonly refuse: () => void;
}

/**
 * Writes counters or gauges and returns how many samples they are. Yields at places to pause, with a full chunk where
 * there is one.
 *
 * @param least what is below, or no number, is refused; `undefined` refuses nothing
 */
export function* writeValues(
  writer: ByteWriter,
  { points, heads: { bytes, offsets }, skip, refuse }: Lines,
  least: number | undefined,
): Generator<Buffer | undefined, number> {
  let samples = 0;
  for (let first = 0; first < points.length; ) {
    const from = offsets[first]!;
    let end = first + 1;
    const most = Math.min(points.length, first + stride);
    while (end < most && offsets[end + 1]! - from <= strideBytes) end++;
    const gap = (end - first) * maxValueBytes;
    yield writer.reserve(offsets[end]! - from + gap);
    // What is written stays behind what is still to be read: each line takes no more than its share of the gap.
    const shift = writer.stage(bytes, from, offsets[end]!, gap) - from;
    for (let i = first; i < end; i++) {
      const value = points[i]!.value as number;
      if (skip.size > 0 && skip.has(i)) continue;
      if (least !== undefined && !(value >= least)) {
        refuse();
        continue;
      }
      writer.repeat(shift + offsets[i]!, shift + offsets[i + 1]!);
      writer.numberLine(value);
      samples++;
    }
    first = end;
  }
  return samples;
}

/**
 * Writes histograms, as {@link writeValues} does. A point is written in one go, so that its lines agree even where its
 * producer counts on meanwhile.
 */
export function* writeHistograms(
  writer: ByteWriter,
  { points, heads: { bytes, offsets }, skip, refuse }: Lines,
  names: FamilyNames,
  exemplars: boolean,
): Generator<Buffer | undefined, number> {
  let samples = 0;
  for (let i = 0; i < points.length; i++) {
    if (skip.size > 0 && skip.has(i)) continue;
    const point = points[i] as HistogramPoint;
    const from = offsets[i]!;
    const to = offsets[i + 1]!;
    const gap = histogramBytes(to - from, point);
    const chunk = writer.reserve(gap + to - from);
    if (chunk !== undefined || i % stride === stride - 1) yield chunk;
    const at = writer.stage(bytes, from, to, gap);
    const lines = writeHistogram(writer, names, at, at + to - from, point, exemplars);
    if (lines === 0) refuse();
    samples += lines;
  }
  return samples;
}
