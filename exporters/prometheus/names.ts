import { unitWords } from './units';

/** What of a metric's type its Prometheus name depends on; `counter` is a monotonic sum, `gauge` an instrument that
 * is a gauge in OpenTelemetry too, `sum` one that may fall. */
export type NamedType = 'counter' | 'gauge' | 'sum' | 'histogram';

export interface PrometheusName {
  /** The name in the text format, `_total` of a counter included. */
  readonly name: string;
  /** The name of the OpenMetrics family: without the `_total` of a counter. */
  readonly family: string;
  /** The unit for the UNIT line, which must be the end of the family's name; empty where it is not. */
  readonly unit: string;
}

/**
 * The Prometheus name of an OpenTelemetry metric, or `undefined` where nothing of the name is left.
 *
 * Gives what a Prometheus server's own OTLP receiver gives by default (`UnderscoreEscapingWithSuffixes`), so that
 * dashboards work on either path.
 *
 * Source: OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility", and prometheus/otlptranslator,
 * `metric_namer.go`.
 */
export function prometheusName(name: string, unit: string, type: NamedType): PrometheusName | undefined {
  let tokens = name.split(/[^a-zA-Z0-9:]+/).filter(token => token !== '');
  const { main, per } = unitWords(unit);
  tokens = withUnit(tokens, main, per);
  // A unit of 1 is a ratio on gauges only: people also put it on counts of things.
  const ratio = unit === '1' && type === 'gauge';
  if (ratio) tokens = [...tokens.filter(token => token !== 'ratio'), 'ratio'];
  if (type === 'counter') tokens = tokens.filter(token => token !== 'total');

  let family = tokens.join('_');
  let full = type === 'counter' ? (family === '' ? 'total' : `${family}_total`) : family;
  if (/^[0-9]/.test(full)) {
    full = `_${full}`;
    family = `_${family}`;
  }
  if (!/[^_]/.test(full)) return undefined;
  // A counter of that very name has no family apart from its suffix, so OpenMetrics could not express it.
  if (family === '') return undefined;
  const unitWord = ratio
    ? 'ratio'
    : [main, per]
        .filter(word => word !== '')
        .join('_')
        .replace(/_$/, '');
  const suffixed = unitWord !== '' && family.endsWith(`_${unitWord}`);
  return { name: full, family, unit: suffixed ? unitWord : '' };
}

/** Adds the words of a unit that the name does not already contain. */
function withUnit(tokens: readonly string[], main: string, per: string): string[] {
  const perWord = per === 'per_' ? '' : per.replace(/_$/, '');
  const addPer = perWord !== '' && !tokens.includes(perWord);
  const mainWord = addPer ? main.replace(/_$/, '') : main;
  const addMain = mainWord !== '' && !tokens.includes(main);
  return [...tokens, ...(addMain ? [mainWord] : []), ...(addPer ? [perWord] : [])];
}

/**
 * The Prometheus label name of an attribute.
 *
 * Characters that are not allowed become `_`, runs of `_` one, and a leading digit is preceded by `key_`. A reserved
 * name as `__name__` loses its double underscores like any other: given as a label in an exposition it would rename
 * the series.
 */
export function labelName(attribute: string): string {
  const name = attribute.replace(/[^a-zA-Z0-9]+/g, '_');
  if (name === '') return '_';
  return /^[0-9]/.test(name) ? `key_${name}` : name;
}
