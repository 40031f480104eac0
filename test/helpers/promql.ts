import { labelName, prometheusName } from '../../exporters/prometheus/names';
import { catalogue } from '../../instrumentation/catalogue';
import type { Metric } from '../../instrumentation/catalogue/define';

/** What an expression names. */
export interface Names {
  readonly metrics: ReadonlySet<string>;
  /** In matchers and in `by`, `without`, `on`, `ignoring` and `group_*`. */
  readonly labels: ReadonlySet<string>;
  readonly functions: ReadonlySet<string>;
}

const token =
  /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|\[[^\]]*\]|[a-zA-Z_:][a-zA-Z0-9_:]*|\d[\w.]*|=~|!~|!=|==|>=|<=|[^\s]/g;
const grouping = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
const words = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan']);

/**
 * Splits a PromQL expression into the names in it. Knows the language's words and punctuation, but not its grammar:
 * whether an expression is one at all, Prometheus says.
 */
export function namesIn(expression: string): Names {
  const names = { metrics: new Set<string>(), labels: new Set<string>(), functions: new Set<string>() };
  const tokens = expression.match(token) ?? [];
  let labelsUntil: string | undefined;
  for (const [index, text] of tokens.entries()) {
    const next = tokens[index + 1];
    if (labelsUntil !== undefined) {
      if (text === labelsUntil) labelsUntil = undefined;
      else if (/^[a-zA-Z_]/.test(text)) names.labels.add(text);
    } else if (text === '{') labelsUntil = '}';
    else if (grouping.has(text)) labelsUntil = next === '(' ? ')' : undefined;
    else if (!/^[a-zA-Z_:]/.test(text) || words.has(text.toLowerCase())) continue;
    else if (next === '(' || (next !== undefined && grouping.has(next))) names.functions.add(text);
    else names.metrics.add(text);
  }
  return names;
}

const types = { counter: 'counter', updowncounter: 'sum', gauge: 'gauge', histogram: 'histogram' } as const;

/** Every series name that the agent gives a Prometheus, and the metric of the catalogue it comes from. */
export const catalogueSeries: ReadonlyMap<string, Metric> = new Map(
  catalogue.flatMap(metric => {
    const { name } = prometheusName(metric.name, metric.unit, types[metric.instrument])!;
    const suffixes = metric.instrument === 'histogram' ? ['_bucket', '_count', '_sum'] : [''];
    return suffixes.map(suffix => [name + suffix, metric] as const);
  }),
);

/** The labels that a metric's series can have: its attributes, what a scrape adds, and a bucket's bound. */
export function labelsOf(metric: Metric): Set<string> {
  return new Set(['job', 'instance', 'le', ...metric.attributes.map(({ name }) => labelName(name))]);
}
