import type { Attributes } from '@opentelemetry/api';
import type { DataPoint } from '@opentelemetry/sdk-metrics';
import type { LabelWriter } from './labels';

/**
 * The label text of the points of one metric, in their order, kept from scrape to scrape.
 *
 * Never changed once made: a scrape that is still being written keeps the one it began with.
 */
export interface Series {
  readonly attributes: readonly Attributes[];
  readonly labels: readonly string[];
}

/** How far to look for a series that moved because others before it ended. */
const lookAhead = 8;

/** Points handled between two chances to let the event loop run. */
const stride = 256;

/**
 * Finds or writes the label text of each point; gives `previous` itself where nothing changed.
 *
 * The SDK and the agent's own cells keep one attributes object for as long as a series lives, and keep their order:
 * walking the points beside the attributes of the last scrape finds nearly every text by one comparison, without a
 * hash lookup. Observable instruments make new attributes each time; those are compared by value.
 */
export function* resolveSeries(
  points: readonly DataPoint<unknown>[],
  previous: Series | undefined,
  write: LabelWriter,
): Generator<undefined, Series> {
  const oldAttributes = previous?.attributes ?? [];
  const oldLabels = previous?.labels ?? [];
  let cursor = 0;
  let i = 0;
  while (i < points.length && i < oldAttributes.length && points[i]!.attributes === oldAttributes[i]) i++;
  if (previous !== undefined && i === points.length && i === oldAttributes.length) return previous;

  cursor = i;
  const attributes = oldAttributes.slice(0, i);
  const labels = oldLabels.slice(0, i);
  let changed = points.length !== oldAttributes.length;
  for (; i < points.length; i++) {
    if (i % stride === 0) yield undefined;
    const own = points[i]!.attributes;
    let at = cursor;
    const end = Math.min(oldAttributes.length, cursor + lookAhead);
    while (at < end && own !== oldAttributes[at]) at++;
    if (at >= end)
      at = cursor < oldAttributes.length && sameAttributes(own, oldAttributes[cursor]!) ? cursor : -1;
    if (at < 0) {
      changed = true;
      attributes.push(own);
      labels.push(write(own));
    } else {
      if (at !== i) changed = true;
      attributes.push(own);
      labels.push(oldLabels[at]!);
      cursor = at + 1;
    }
  }
  // Equal by value throughout: the texts are the old ones, and so is what is known about duplicates.
  if (!changed && previous !== undefined) return previous;
  return { attributes, labels };
}

function sameAttributes(a: Attributes, b: Attributes): boolean {
  const keys = Object.keys(a);
  const others = Object.keys(b);
  if (keys.length !== others.length) return false;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    if (key !== others[i] || a[key] !== b[key]) return false;
  }
  return true;
}
