import type { Attributes } from '@opentelemetry/api';
import type { DataPoint } from '@opentelemetry/sdk-metrics';
import { HeadsBuilder, type LineHeads } from './heads';

/**
 * The series of one metric: what their lines begin with, in the order of its points, kept from scrape to scrape.
 *
 * Never changed once made: a scrape that is still being written keeps the one it began with.
 */
export interface Series {
  readonly attributes: readonly Attributes[];
  readonly heads: LineHeads;
}

/** How far to look for a series that moved because others before it ended. */
const lookAhead = 8;

/** Points handled between two chances to let the event loop run. */
const stride = 256;

const noSeries: Series = { attributes: [], heads: { bytes: Buffer.alloc(0), offsets: new Uint32Array(1) } };

/**
 * Finds or writes the head of each point; gives `previous` itself where nothing changed.
 *
 * The SDK and the agent's own cells keep one attributes object for as long as a series lives, and keep their order:
 * walking the points beside the attributes of the last scrape finds nearly every head by one comparison, without a
 * hash lookup. Observable instruments may make new attributes each time; those are compared by value.
 *
 * @param write the head of a series with these attributes
 */
export function* resolveSeries(
  points: readonly DataPoint<unknown>[],
  previous: Series | undefined,
  write: (attributes: Attributes) => string,
): Generator<undefined, Series> {
  const old = previous ?? noSeries;
  const known = old.attributes;
  let i = 0;
  while (i < points.length && i < known.length && points[i]!.attributes === known[i]) i++;
  if (previous !== undefined && i === points.length && i === known.length) return previous;

  let cursor = i;
  const attributes = known.slice(0, i);
  const builder = new HeadsBuilder(points.length, previous?.heads);
  builder.copy(old.heads, 0, i);
  let changed = points.length !== known.length;
  for (; i < points.length; i++) {
    if (i % stride === 0) yield undefined;
    const own = points[i]!.attributes;
    let at = cursor;
    const end = Math.min(known.length, cursor + lookAhead);
    while (at < end && own !== known[at]) at++;
    if (at >= end) at = cursor < known.length && sameAttributes(own, known[cursor]!) ? cursor : -1;
    attributes.push(own);
    if (at < 0) {
      changed = true;
      builder.text(write(own));
    } else {
      if (at !== i) changed = true;
      builder.copy(old.heads, at, at + 1);
      cursor = at + 1;
    }
  }
  // Equal by value throughout: the heads are the old ones, and so is what is known about duplicates.
  if (!changed && previous !== undefined) return previous;
  return { attributes, heads: builder.done() };
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
