import type { DataPoint, Histogram, ScopeMetrics } from '@opentelemetry/sdk-metrics';
import type { Family, Member, Warn } from './families';
import type { Format } from './formats';
import { escapeLabelValue, type LabelWriter, wellFormed } from './labels';
import { valueText } from './numbers';
import { histogramSamples, histogramText } from './points';
import { resolveSeries, type Series } from './series';

/** Characters after which a piece is handed out: some tens of microseconds' work. */
const pieceLength = 16 * 1024;

/** Points whose labels are looked at for duplicates between two pauses. */
const stride = 512;

/**
 * Writes one family in pieces of whole lines and returns how many samples it has.
 *
 * A point is written in one go, so that a histogram's lines agree even where its producer counts on meanwhile.
 */
export function* writeFamily(
  family: Family,
  format: Format,
  write: LabelWriter,
  scopeLabels: boolean,
  warn: Warn,
): Generator<string, number> {
  const { name } = family.names;
  const exemplars = format === 'openmetrics';
  const seen = family.members.length > 1 ? new Set<string>() : undefined;
  let text = metadataText(family, format);
  let samples = 0;
  for (const member of family.members) {
    const { labels } = yield* resolve(member, scopeLabels ? withScope(write, member.scope) : write);
    const duplicates = yield* findDuplicates(member, labels, seen);
    if (duplicates.size > 0) warnOfDuplicates(name, warn);
    const { dataPoints } = member.metric;
    for (let i = 0; i < dataPoints.length; i++) {
      if (duplicates.size > 0 && duplicates.has(i)) continue;
      const own = labels[i]!;
      const point = dataPoints[i]!;
      if (family.type === 'histogram') {
        const lines = histogramText(name, own, point as DataPoint<Histogram>, exemplars);
        if (lines === '') {
          warnOfPoint(name, 'a histogram whose buckets are not rising boundaries with counts', warn);
          continue;
        }
        text += lines;
        samples += histogramSamples(point as DataPoint<Histogram>);
      } else {
        const value = point.value as number;
        if (family.type === 'counter' && !(value >= 0)) {
          warnOfPoint(name, 'a counter that is negative or not a number', warn);
          continue;
        }
        samples++;
        text += own === '' ? `${name} ${valueText(value)}\n` : `${name}{${own}} ${valueText(value)}\n`;
      }
      if (text.length >= pieceLength) {
        yield text;
        text = '';
      }
    }
  }
  yield text;
  return samples;
}

function metadataText({ names, type, help }: Family, format: Format): string {
  const openMetrics = format === 'openmetrics';
  const name = openMetrics ? names.family : names.name;
  let text = `# TYPE ${name} ${type}\n`;
  if (openMetrics && names.unit !== '') text += `# UNIT ${name} ${names.unit}\n`;
  if (help !== '') text += `# HELP ${name} ${escapeHelp(help, openMetrics)}\n`;
  return text;
}

/** Only OpenMetrics escapes quotes in help; in the text format a backslash before one would be shown. */
function escapeHelp(help: string, openMetrics: boolean): string {
  if (openMetrics) return escapeLabelValue(help);
  return wellFormed(help).replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function* resolve(member: Member, write: LabelWriter): Generator<string, Series> {
  const { slot } = member;
  const found = resolveSeries(member.metric.dataPoints, slot.series, write);
  let step = found.next();
  while (step.done !== true) {
    yield '';
    step = found.next();
  }
  if (slot.series !== step.value) slot.duplicates = undefined;
  slot.series = step.value;
  return step.value;
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
): Generator<string, ReadonlySet<number>> {
  const { series } = slot;
  if (seen === undefined && slot.duplicates !== undefined) return slot.duplicates;
  const all = seen ?? new Set<string>();
  let duplicates: Set<number> | undefined;
  for (let i = 0; i < labels.length; i++) {
    if (i % stride === stride - 1) yield '';
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
