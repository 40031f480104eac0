import type { Attributes } from '@opentelemetry/api';
import type { ScopeMetrics } from '@opentelemetry/sdk-metrics';
import { type ByteWriter, maxBytes } from './byte-writer';
import type { Family, FamilyType, Member, Warn } from './families';
import type { Format } from './formats';
import { escapeLabelValue, type LabelWriter, wellFormed } from './labels';
import { writeHistograms, writeValues } from './lines';
import { familyNames } from './points';
import { resolveSeries, type Series } from './series';

/** Points whose heads are looked at for duplicates between two pauses. */
const stride = 512;

/**
 * Writes one family and returns how many samples it has. Yields at places to pause, with a full chunk where there is
 * one.
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
  const histogram = type === 'histogram';
  const own = familyNames(names.name, histogram);
  const seen = members.length > 1 ? new Set<string>() : undefined;
  const metadata = metadataText(family, format);
  const full = writer.reserve(maxBytes(metadata));
  if (full !== undefined) yield full;
  writer.text(metadata);

  let samples = 0;
  for (const member of members) {
    const labels = scopeLabels ? withScope(write, member.scope) : write;
    const series = yield* resolve(member, attributes => own.head(labels(attributes)));
    const skip = yield* findDuplicates(member, series, seen);
    if (skip.size > 0) warnOfDuplicates(names.name, warn);
    const refuse = (): void => warnOfPoint(names.name, type, warn);
    const lines = { points: member.metric.dataPoints, heads: series.heads, skip, refuse };
    samples += histogram
      ? yield* writeHistograms(writer, lines, own, format === 'openmetrics')
      : yield* writeValues(writer, lines, type === 'counter' ? 0 : undefined);
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

function* resolve(member: Member, write: (attributes: Attributes) => string): Generator<undefined, Series> {
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
 * @param seen the heads of the whole family, where it has more than one member; else what was found for this very
 * series before still holds
 */
function* findDuplicates(
  { slot }: Member,
  series: Series,
  seen: Set<string> | undefined,
): Generator<undefined, ReadonlySet<number>> {
  if (seen === undefined && slot.duplicates !== undefined) return slot.duplicates;
  const { bytes, offsets } = series.heads;
  const all = seen ?? new Set<string>();
  let duplicates: Set<number> | undefined;
  for (let i = 0; i < series.attributes.length; i++) {
    if (i % stride === stride - 1) yield undefined;
    const before = all.size;
    all.add(bytes.toString('latin1', offsets[i], offsets[i + 1]));
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

function warnOfPoint(name: string, type: FamilyType, warn: Warn): void {
  const what =
    type === 'histogram'
      ? 'a histogram without rising boundaries and counts'
      : 'a counter that is negative or not a number';
  warn(`point ${name}`, `${name}: a series left out, which is ${what}`);
}
