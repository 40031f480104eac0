import { boundaryText } from './numbers';

/** What the buckets of one list of boundaries have in common. */
export interface Buckets {
  /** Written for each bucket between the series' own labels and the count, `le="0.5"} `; the last is `+Inf`'s. */
  readonly le: readonly Uint8Array[];
  /** Bytes of the longest `le`. */
  readonly maxBytes: number;
  /** Whether a sum may stand beside these buckets: where one lies below zero the sum can fall, and is no counter. */
  readonly sum: boolean;
}

const known = new WeakMap<readonly number[], Buckets | null>();

/** The buckets of a list of boundaries, made once per list; `undefined` where these are not numbers that rise. */
export function bucketsOf(boundaries: readonly number[]): Buckets | undefined {
  let buckets = known.get(boundaries);
  if (buckets === undefined) {
    buckets = makeBuckets(boundaries);
    known.set(boundaries, buckets);
  }
  return buckets ?? undefined;
}

function makeBuckets(boundaries: readonly number[]): Buckets | null {
  // Some producers list infinity as a boundary; that bucket is written anyway.
  const finite = boundaries.at(-1) === Infinity ? boundaries.slice(0, -1) : boundaries;
  for (let i = 0; i < finite.length; i++) {
    if (!Number.isFinite(finite[i])) return null;
    if (i > 0 && finite[i]! <= finite[i - 1]!) return null;
  }
  const le = [...finite, Infinity].map(boundary => Buffer.from(`le="${boundaryText(boundary)}"} `));
  return {
    le,
    maxBytes: Math.max(...le.map(bytes => bytes.length)),
    sum: finite.length === 0 || finite[0]! >= 0,
  };
}
