import { labelName, type NamedType, prometheusName } from '../../exporters/prometheus/names';
import type { Instrument, Metric } from '../../instrumentation/catalogue/define';

const types: Record<Instrument, NamedType> = {
  counter: 'counter',
  updowncounter: 'sum',
  gauge: 'gauge',
  histogram: 'histogram',
};

/** The name under which Prometheus has a metric of the catalogue, without the suffixes of a histogram's series. */
export function seriesName(metric: Metric): string {
  const translated = prometheusName(metric.name, metric.unit, types[metric.instrument]);
  if (translated === undefined)
    throw new TypeError(`Expected a name that Prometheus can have, got ${metric.name}`);
  return translated.name;
}

/** The label under which Prometheus has an attribute. */
export const labelOf = labelName;
