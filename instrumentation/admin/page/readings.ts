import type { Chart } from '../../history/contract';
import { inUnit, span } from '../units';

type Values = readonly (number | null)[];

/**
 * What a legend says of a line: its value at a sample, or without one the newest that it has, with its age where that
 * is not of the newest sample.
 *
 * @param at seconds since the epoch of each sample
 */
export function reading(
  values: Values,
  at: readonly number[],
  index: number | null,
  unit: Chart['unit'],
): string {
  const place = index ?? values.findLastIndex(value => value !== null);
  const value = values[place] ?? null;
  if (value === null) return '–';
  const age = index === null ? at[at.length - 1]! - at[place]! : 0;
  return `${inUnit(value, unit)}${age > 0 ? `, ${span(age)} ago` : ''}`;
}

/** Samples without a neighbour, which no line leads to. */
export function loneSamples(values: Values): number[] {
  const isThere = (i: number): boolean => (values[i] ?? null) !== null;
  return values.flatMap((_, i) => (isThere(i) && !isThere(i - 1) && !isThere(i + 1) ? [i] : []));
}
