import type { ScopeMetrics } from '@opentelemetry/sdk-metrics';
import type { HistogramPoint } from '../../instrumentation/metrics/exemplar';
import { type ByteWriter, maxBytes } from './byte-writer';
import type { Family, Member, Warn } from './families';
import type { Format } from './formats';
import { escapeLabelValue, type LabelWriter, wellFormed } from './labels';
import { headsOf, histogramBytes, valueBytes, writeHistogram, writeValue } from './points';
import { resolveSeries, type Series } from './series';

/** Points whose labels are looked at for duplicates between two pauses. */
const stride = 512;

/** Points that are written between two pauses: a tenth of a millisecond's work, or of one before V8 has compiled it. */
const writeStride = 64;

/**
 * Writes one family and returns how many samples it has. Yields at places to pause, with a full chunk where there is
 * one.
 *
 * A point is written in one go, so that a histogram's lines agree even where its producer counts on meanwhile.
 */
export function* writeFamily(
  writer: ByteWriter,
  family: Family,
  format: Format,
  write: LabelWriter,
  scopeLabels: boolean,
  warn: Warn,
): Generator<Buffer | undefined, number> {
  const { names, type, members } = family;
  const exemplars = format === 'openmetrics';
  const histogram = type === 'histogram';
  const heads = headsOf(names.name, histogram);
  const seen = members.length > 1 ? new Set<string>() : undefined;
  const metadata = metadataText(family, format);
  const full = writer.reserve(maxBytes(metadata));
  if (full !== undefined) yield full;
  writer.text(metadata);

  let samples = 0;
  for (const member of members) {
    const { labels } = yield* resolve(member, scopeLabels ? withScope(write, member.scope) : write);
    const duplicates = yield* findDuplicates(member, labels, seen);
    if (duplicates.size > 0) warnOfDuplicates(names.name, warn);
    const { dataPoints } = member.metric;
    for (let i = 0; i < dataPoints.length; i++) {
      if (i % writeStride === writeStride - 1) yield undefined;
      if (duplicates.size > 0 && duplicates.has(i)) continue;
      const point = dataPoints[i]!;
      const own = labels[i]!;
      const bytes = histogram ? histogramBytes(heads, own, point as HistogramPoint) : valueBytes(heads, own);
      const chunk = writer.reserve(bytes);
      if (chunk !== undefined) yield chunk;
      if (histogram) {
        const lines = writeHistogram(writer, heads, own, point as HistogramPoint, exemplars);
        if (lines === 0) warnOfPoint(names.name, 'a histogram without rising boundaries and counts', warn);
        samples += lines;
      } else if (type === 'counter' && !((point.value as number) >= 0)) {
        warnOfPoint(names.name, 'a counter that is negative or not a number', warn);
      } else {
        writeValue(writer, heads, own, point.value as number);
        samples++;
      }
    }
  }
  return samples;
}

function metadataText({ names, type, help }: Family, format: Format): string {
  const openMetrics = format === 'openmetrics';
  const name = openMetrics ? names.family : names.name;
  let text = `# TYPE ${name} ${type}\n`;
  if (openMetrics && names.unit !== '') text += `# UNIT ${name} ${names.unit}\n`;
  if (help.trim() !== '') text += `# HELP ${name} ${escapeHelp(help, openMetrics)}\n`;
  return text;
}

/** Only OpenMetrics escapes quotes in help; in the text format a backslash before one would be shown. */
function escapeHelp(help: string, openMetrics: boolean): string {
  if (openMetrics) return escapeLabelValue(help);
  return wellFormed(help).replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function* resolve(member: Member, write: LabelWriter): Generator<undefined, Series> {
  const { slot } = member;
  const series = yield* resolveSeries(member.metric.dataPoints, slot.series, write);
  if (slot.series !== series) slot.duplicates = undefined;
  slot.series = series;
  return series;
}

const none: ReadonlySet<number> = new Set();

/**
 * The points whose labels an earlier one has: Prometheus would take one of them and complain about the other.
 *
 * @param seen the labels of the whole family, where it has more than one member; else what was found for these very
 * texts before still holds
 */
function* findDuplicates(
  { slot }: Member,
  labels: readonly string[],
  seen: Set<string> | undefined,
): Generator<undefined, ReadonlySet<number>> {
  const { series } = slot;
  if (seen === undefined && slot.duplicates !== undefined) return slot.duplicates;
  const all = seen ?? new Set<string>();
  let duplicates: Set<number> | undefined;
  for (let i = 0; i < labels.length; i++) {
    if (i % stride === stride - 1) yield undefined;
    const before = all.size;
    all.add(labels[i]!);
    if (all.size > before) continue;
    duplicates ??= new Set();
    duplicates.add(i);
  }
  // Another scrape may have gone on from newer points while this one paused.
  if (seen === undefined && slot.series === series) slot.duplicates = duplicates ?? none;
  return duplicates ?? none;
}

function withScope(write: LabelWriter, scope: ScopeMetrics['scope']): LabelWriter {
  const labels = [
    `otel_scope_name="${escapeLabelValue(scope.name)}"`,
    ...(scope.schemaUrl ? [`otel_scope_schema_url="${escapeLabelValue(scope.schemaUrl)}"`] : []),
    ...(scope.version ? [`otel_scope_version="${escapeLabelValue(scope.version)}"`] : []),
  ].join(',');
  return attributes => {
    const own = write(attributes);
    return own === '' ? labels : `${own},${labels}`;
  };
}

function warnOfDuplicates(name: string, warn: Warn): void {
  warn(
    `duplicate ${name}`,
    `${name} has series with the same labels, from several scopes or from attributes that are equal as labels; the first of each is shown`,
  );
}

function warnOfPoint(name: string, what: string, warn: Warn): void {
  warn(`point ${name}`, `${name}: a series left out, which is ${what}`);
}
