import { ExpositionError, labelKey, type ParsedFamily } from './types';

export interface HistogramRules {
  /** OpenMetrics has a count if and only if there is a sum; OpenTelemetry wants the count always. */
  readonly countNeedsSum: boolean;
}

/** Checks each histogram of a family: buckets that rise up to +Inf, and a count that says the same. */
export function checkHistograms(family: ParsedFamily, line: number, rules: HistogramRules): void {
  const fail = (message: string): never => {
    throw new ExpositionError(line, `${family.name}: ${message}`);
  };
  const points = new Map<string, { le: number[]; counts: number[]; sum?: number; count?: number }>();
  for (const { name, labels, value } of family.samples) {
    const key = labelKey(labels, 'le');
    const point = points.get(key) ?? { le: [], counts: [] };
    points.set(key, point);
    if (name === `${family.name}_bucket`) {
      const { le = '' } = labels;
      if (!/^[+-]?(Inf|[0-9.]+(e[+-]?[0-9]+)?)$/.test(le)) fail(`le="${le}" is no number`);
      const bound = le === '+Inf' ? Infinity : Number(le);
      if (Number.isNaN(bound)) fail(`le="${le}" is no number`);
      if (bound <= (point.le.at(-1) ?? -Infinity)) fail(`le="${le}" does not rise`);
      if (!(value >= (point.counts.at(-1) ?? 0))) fail(`the count of le="${le}" falls`);
      if (!Number.isInteger(value)) fail(`the count of le="${le}" is no integer`);
      point.le.push(bound);
      point.counts.push(value);
    } else {
      if ('le' in labels) fail(`${name} with le`);
      if (name === `${family.name}_sum`) point.sum = value;
      else if (name === `${family.name}_count`) point.count = value;
    }
  }
  for (const [key, { le, counts, sum, count }] of points) {
    if (le.at(-1) !== Infinity) fail(`${key} has no +Inf bucket`);
    if (count !== undefined && count !== counts.at(-1)) {
      fail(`${key} counts ${count}, and ${counts.at(-1)} in its +Inf bucket`);
    }
    if (sum !== undefined && count === undefined) fail(`${key} has a sum and no count`);
    if (rules.countNeedsSum && sum === undefined && count !== undefined) {
      fail(`${key} has a count and no sum`);
    }
    if (sum !== undefined && le[0]! < 0) fail(`${key} has negative buckets and a sum`);
    if (sum !== undefined && !(sum >= 0)) fail(`${key} has a sum of ${sum}`);
  }
}
