import {
  AggregationTemporality,
  DataPointType,
  type MetricData,
  type ResourceMetrics,
  type ScopeMetrics,
} from '@opentelemetry/sdk-metrics';
import { type PrometheusName, prometheusName } from './names';
import type { Series } from './series';

export type FamilyType = 'counter' | 'gauge' | 'histogram';

/** What is kept of one metric of one scope between scrapes. */
export interface Slot {
  readonly names: PrometheusName | undefined;
  series: Series | undefined;
  /** Points of `series` whose labels an earlier point has already. */
  duplicates: ReadonlySet<number> | undefined;
}

export interface Member {
  readonly metric: MetricData;
  readonly scope: ScopeMetrics['scope'];
  readonly slot: Slot;
}

/** All metrics that come out under one Prometheus name. */
export interface Family {
  readonly names: PrometheusName;
  readonly type: FamilyType;
  readonly help: string;
  readonly members: Member[];
}

/** Called with a key that is the same whenever the same thing is wrong. */
export type Warn = (key: string, message: string) => void;

/**
 * Sorts metrics into families, as the exposition formats allow each name once.
 *
 * Metrics of one name and type from several scopes become one family. What cannot be told apart from another family,
 * by its name or by one it would add (`_bucket`, `_sum`, `_count`, `_total`, `_created`), is dropped, the later one, as are
 * metrics that neither format can express: delta sums and exponential histograms.
 *
 * @param slots what was kept of the last scrape, by metric
 * @param reserved what the exposition claims itself: names of samples, and of families after `family `
 * @returns the families, and the slots to keep for the next scrape
 */
export function groupFamilies(
  { scopeMetrics }: ResourceMetrics,
  slots: ReadonlyMap<string, Slot>,
  reserved: readonly string[],
  warn: Warn,
): { families: Family[]; slots: Map<string, Slot> } {
  const kept = new Map<string, Slot>();
  const families = new Map<string, Family>();
  const claimed = new Map<string, string>(reserved.map(name => [name, name]));

  for (const { scope, metrics } of scopeMetrics) {
    for (const metric of metrics) {
      const type = familyType(metric, warn);
      if (type === undefined || metric.dataPoints.length === 0) continue;
      const slot = slotOf(metric, scope, slots, kept);
      const { names } = slot;
      if (names === undefined) {
        warn(
          `name ${metric.descriptor.name}`,
          `metric "${metric.descriptor.name}" dropped: nothing of its name can be a Prometheus name`,
        );
        continue;
      }
      const family = families.get(names.name);
      if (family !== undefined && family.type === type) {
        warnOfMetadata(family, metric, names, warn);
        family.members.push({ metric, scope, slot });
        continue;
      }
      // A family's own name may be a sample of another: the counter `jobs_created` beside the counter `jobs`.
      const claims = [...samplesOf(names, type), `family ${names.family}`];
      const taken = claims.find(claim => claimed.has(claim));
      if (taken !== undefined) {
        warn(
          `conflict ${names.name} ${type} ${scope.name}`,
          `metric "${metric.descriptor.name}" of scope "${scope.name}" dropped: as ${type} ${names.name} it conflicts with ${claimed.get(taken)}`,
        );
        continue;
      }
      for (const claim of claims) claimed.set(claim, `${type} ${names.name}`);
      const help = metric.descriptor.description;
      families.set(names.name, { names, type, help, members: [{ metric, scope, slot }] });
    }
  }
  return { families: [...families.values()], slots: kept };
}

function familyType(metric: MetricData, warn: Warn): FamilyType | undefined {
  const { name } = metric.descriptor;
  if (metric.dataPointType === DataPointType.GAUGE) return 'gauge';
  if (metric.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM) {
    // The specification allows a conversion, but its boundaries would move, and every series with them.
    warn(
      `exponential ${name}`,
      `metric "${name}" dropped: an exponential histogram has no text form; give it explicit buckets with a view`,
    );
    return undefined;
  }
  if (metric.dataPointType !== DataPointType.SUM && metric.dataPointType !== DataPointType.HISTOGRAM) {
    warn(`type ${name}`, `metric "${name}" dropped: unknown type of data`);
    return undefined;
  }
  if (metric.aggregationTemporality === AggregationTemporality.DELTA) {
    warn(`delta ${name}`, `metric "${name}" dropped: Prometheus needs cumulative values, it has delta ones`);
    return undefined;
  }
  if (metric.dataPointType === DataPointType.HISTOGRAM) return 'histogram';
  return metric.isMonotonic ? 'counter' : 'gauge';
}

function slotOf(
  metric: MetricData,
  scope: ScopeMetrics['scope'],
  slots: ReadonlyMap<string, Slot>,
  kept: Map<string, Slot>,
): Slot {
  const { name, unit } = metric.descriptor;
  const monotonic = metric.dataPointType === DataPointType.SUM && metric.isMonotonic;
  let key = `${name}\n${unit}\n${metric.dataPointType}${monotonic}\n${scope.name}\n${scope.version ?? ''}\n${scope.schemaUrl ?? ''}`;
  while (kept.has(key)) key += '\n';
  const slot = slots.get(key) ?? {
    names: prometheusName(name, unit, namedType(metric.dataPointType, monotonic)),
    series: undefined,
    duplicates: undefined,
  };
  kept.set(key, slot);
  return slot;
}

function namedType(type: DataPointType, monotonic: boolean): 'counter' | 'gauge' | 'sum' | 'histogram' {
  if (type === DataPointType.HISTOGRAM) return 'histogram';
  if (type === DataPointType.GAUGE) return 'gauge';
  return monotonic ? 'counter' : 'sum';
}

/**
 * The sample names that a family has, or by OpenMetrics could have: no other may have them too. A counter `jobs` and
 * a gauge `jobs_created` is the very example of the specification.
 */
function samplesOf({ name, family }: PrometheusName, type: FamilyType): string[] {
  if (type === 'gauge') return [name];
  if (type === 'counter') return [name, `${family}_created`];
  return [name, ...['_bucket', '_sum', '_count', '_created'].map(suffix => name + suffix)];
}

function warnOfMetadata(family: Family, metric: MetricData, names: PrometheusName, warn: Warn): void {
  if (metric.descriptor.description !== family.help) {
    warn(`help ${names.name}`, `${names.name} has several descriptions; the first one is shown`);
  }
}
