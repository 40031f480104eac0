import type { RuleFile } from './rule';

/** Rules on another clock: for tests that can't wait for days. */
export interface TimeScale {
  /** By how much windows and `for` are shortened, such as 60 for seconds in place of minutes. */
  readonly factor: number;
  /** No window becomes shorter than this: a rate needs two scrapes, and one more for when one is late. */
  readonly leastWindowSeconds: number;
}

const secondsOf = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
const duration = /^(\d+)([smhd])$/;
const window = /\[(\d+[smhd])\]/g;

/** The same rules with their windows and `for` shortened; names and thresholds stay. */
export function scaled(file: RuleFile, { factor, leastWindowSeconds }: TimeScale): RuleFile {
  if (!(factor > 0)) throw new RangeError(`Expected a factor above 0, got ${factor}`);
  const shorter = (text: string, least: number): string => {
    const [, count, unit] = duration.exec(text) ?? [];
    if (count === undefined) throw new RangeError(`Expected a duration such as 5m, got "${text}"`);
    const seconds = (Number(count) * secondsOf[unit as keyof typeof secondsOf]) / factor;
    return `${Math.max(Math.round(seconds * 1000), least * 1000)}ms`;
  };
  return {
    groups: file.groups.map(group => ({
      ...group,
      rules: group.rules.map(rule => {
        const expr = rule.expr.replace(
          window,
          (_, length: string) => `[${shorter(length, leastWindowSeconds)}]`,
        );
        return 'alert' in rule && rule.for !== undefined
          ? { ...rule, expr, for: shorter(rule.for, 0) }
          : { ...rule, expr };
      }),
    })),
  };
}
