/** What was alive at a moment of rest: bytes of the heap and outside of it, and what holds the event loop. */
export interface Sample {
  readonly atMs: number;
  readonly heap: number;
  readonly external: number;
  readonly resources: number;
}

export interface Growth {
  readonly from: number;
  readonly to: number;
  /** Most by which it may grow. */
  readonly limit: number;
}

/**
 * Bytes. Code that is still being compiled after the first third comes to half of it. Ten bytes for each call that leaks
 * something are more within half a minute, and half a byte within ten minutes.
 */
const mostBytes = 1_500_000;

/**
 * From where to where each has gone along the line that fits the samples best (Theil and Sen: the median of the slopes
 * between all pairs, which single outliers do not move). The first third is left out: code is compiled in it, and
 * buffers grow to their sizes.
 */
export function growthOf(samples: readonly Sample[]): Record<'heap' | 'external' | 'resources', Growth> {
  const kept = samples.slice(Math.floor(samples.length / 3));
  const of = (what: 'heap' | 'external' | 'resources', limit: number): Growth => {
    const slopes = kept.flatMap((a, i) =>
      kept.slice(i + 1).map(b => (b[what] - a[what]) / (b.atMs - a.atMs)),
    );
    const slope = median(slopes);
    const middle = median(kept.map(one => one[what] - slope * one.atMs));
    const at = (one: Sample): number => Math.round(middle + slope * one.atMs);
    return { from: at(kept[0]!), to: at(kept.at(-1)!), limit };
  };
  return { heap: of('heap', mostBytes), external: of('external', mostBytes), resources: of('resources', 3) };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
