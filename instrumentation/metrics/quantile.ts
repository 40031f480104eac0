/** The least and the largest of some measurements. */
export interface Extremes {
  readonly min: number;
  readonly max: number;
}

/** Of measurements of which nothing is known. */
export const anyExtremes: Extremes = Object.freeze({ min: 0, max: Number.POSITIVE_INFINITY });

/**
 * The value that a share `q` of the measurements does not exceed, by linear interpolation within the bucket, as far as
 * that has measurements by its bounds and by `extremes`: of few measurements in a wide bucket that is nearer by far.
 * Past the last bound it is that bound where the largest is not known. `undefined` where nothing was measured.
 *
 * @param counts one more than there are bounds, the last for what is above all of them
 */
export function quantileOf(
  bounds: readonly number[],
  counts: readonly number[],
  q: number,
  { min, max }: Extremes = anyExtremes,
): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0 || bounds.length === 0) return undefined;
  let below = 0;
  const last = bounds[bounds.length - 1]!;
  for (let i = 0; i <= bounds.length; i++) {
    const count = counts[i] ?? 0;
    const rank = total * q - below;
    if (count > 0 && rank <= count) {
      const from = Math.max(min, i === 0 ? 0 : bounds[i - 1]!);
      const to = Math.min(max, bounds[i] ?? (max === Number.POSITIVE_INFINITY ? last : max));
      return from + (to - from) * (rank / count);
    }
    below += count;
  }
  return last;
}
