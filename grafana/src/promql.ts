import type { Metric } from '../../instrumentation/catalogue/define';
import { labelOf, seriesName } from './names';

/** What a board's variables choose; `=~` because each of them may hold several values or all. */
export const selection = 'job=~"$job", instance=~"$instance"';

/** Keeps two processes apart; `instance` alone is only unique within a job. */
export const perInstance = ['job', 'instance'] as const;

type Labels<Names extends string> = Partial<Record<Names, string>>;
type Suffix = '' | '_bucket' | '_count' | '_sum';

/**
 * A selector of a metric's series, for the processes that the board's variables choose.
 *
 * @param match attributes to filter by, as matchers with their operator, such as `{ 'cpu.mode': '="user"' }`
 */
export function series<Names extends string>(
  metric: Metric<Names>,
  match: Labels<Names> = {},
  suffix: Suffix = '',
): string {
  return `${seriesName(metric)}${suffix}{${[selection, ...matchers(match)].join(', ')}}`;
}

/** The same without the board's variables, for rules. */
export function everywhere<Names extends string>(metric: Metric<Names>, match: Labels<Names> = {}): string {
  const filters = matchers(match).join(', ');
  return filters === '' ? seriesName(metric) : `${seriesName(metric)}{${filters}}`;
}

/** A part of a histogram's series without the board's variables, for rules. */
export function seriesOf<Names extends string>(
  metric: Metric<Names, 'histogram'>,
  suffix: Exclude<Suffix, ''>,
  match: Labels<Names> = {},
): string {
  const filters = matchers(match).join(', ');
  return `${seriesName(metric)}${suffix}${filters === '' ? '' : `{${filters}}`}`;
}

/** The label that carries an attribute of `metric`. */
export function label<Names extends string>(_metric: Metric<Names>, attribute: NoInfer<Names>): string {
  return labelOf(attribute);
}

/** Increase a second of a counter, over the window that Grafana fits to the scrape interval. */
export function rate(selector: string): string {
  return `rate(${selector}[$__rate_interval])`;
}

/**
 * Largest value of a gauge within each step of the graph: a graph of a week shows one point for minutes of samples,
 * and would jump over a short peak.
 */
export function peak(selector: string): string {
  return `max_over_time(${selector}[$__rate_interval])`;
}

/** `sum by (...)`, or over everything where no label is named. */
export function sum(expression: string, by: readonly string[] = []): string {
  return aggregate('sum', expression, by);
}

/** `max by (...)`: how percentiles of several processes are put together, because their mean means nothing. */
export function max(expression: string, by: readonly string[] = []): string {
  return aggregate('max', expression, by);
}

/** A quantile of a histogram over the processes chosen, from its buckets. */
export function quantile<Names extends string>(
  q: number,
  metric: Metric<Names, 'histogram'>,
  by: readonly string[] = [],
  match: Labels<Names> = {},
): string {
  return `histogram_quantile(${q}, ${sum(rate(series(metric, match, '_bucket')), ['le', ...by])})`;
}

function aggregate(operator: string, expression: string, by: readonly string[]): string {
  return by.length === 0 ? `${operator}(${expression})` : `${operator} by (${by.join(', ')}) (${expression})`;
}

function matchers(match: Record<string, string | undefined>): string[] {
  return Object.entries(match).map(([name, matcher]) => `${labelOf(name)}${matcher}`);
}
