import { boundaryText } from './numbers';

/** What is written for each bucket between the series' own labels and the count: `le="0.5"} `. */
export interface BucketTexts {
  readonly le: readonly string[];
  /** Whether a sum may stand beside these buckets: where one lies below zero the sum can fall, and is no counter. */
  readonly sum: boolean;
}

const known = new WeakMap<readonly number[], BucketTexts | null>();

/**
 * The bucket texts of a list of boundaries, made once per list; the last is `+Inf`'s. `undefined` where the boundaries
 * are not numbers that rise.
 */
export function bucketTexts(boundaries: readonly number[]): BucketTexts | undefined {
  let texts = known.get(boundaries);
  if (texts === undefined) {
    texts = makeTexts(boundaries);
    known.set(boundaries, texts);
  }
  return texts ?? undefined;
}

function makeTexts(boundaries: readonly number[]): BucketTexts | null {
  // Some producers list infinity as a boundary; that bucket is written anyway.
  const finite = boundaries.at(-1) === Infinity ? boundaries.slice(0, -1) : boundaries;
  for (let i = 0; i < finite.length; i++) {
    if (!Number.isFinite(finite[i])) return null;
    if (i > 0 && finite[i]! <= finite[i - 1]!) return null;
  }
  return {
    le: [...finite, Infinity].map(boundary => `le="${boundaryText(boundary)}"} `),
    sum: finite.length === 0 || finite[0]! >= 0,
  };
}
