/**
 * The value that a share `q` of the measurements does not exceed, by linear interpolation within the bucket; past the
 * last bound that bound. `undefined` where nothing was measured.
 *
 * @param counts one more than there are bounds, the last for what is above all of them
 */
export function quantileOf(
  bounds: readonly number[],
  counts: readonly number[],
  q: number,
): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0 || bounds.length === 0) return undefined;
  let below = 0;
  for (let i = 0; i < bounds.length; i++) {
    const count = counts[i] ?? 0;
    const rank = total * q - below;
    if (count > 0 && rank <= count) {
      const from = i === 0 ? 0 : bounds[i - 1]!;
      return from + (bounds[i]! - from) * (rank / count);
    }
    below += count;
  }
  return bounds[bounds.length - 1];
}
