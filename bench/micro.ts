/** Work whose cost is measured: runs `n` operations. */
export type Work = (n: number) => unknown;

const sliceMs = 10;

/**
 * Nanoseconds per operation of each work, measured in short slices that take turns. The least of the slices counts: on
 * a machine with other work, time taken away only ever adds.
 */
export async function measure<Name extends string>(
  works: Readonly<Record<Name, Work>>,
  slices = 40,
): Promise<Record<Name, number>> {
  const entries = Object.entries<Work>(works) as [Name, Work][];
  const least = Object.fromEntries(entries.map(([name]) => [name, Infinity])) as Record<Name, number>;
  const counts = new Map<Name, number>();
  for (const [name, work] of entries) {
    // Warms up, and finds how many operations make a slice.
    let n = 64;
    for (;;) {
      const begin = performance.now();
      await work(n);
      const ms = performance.now() - begin;
      if (ms >= sliceMs) break;
      n *= 2;
    }
    counts.set(name, n);
  }
  for (let slice = 0; slice < slices; slice++) {
    for (const [name, work] of entries) {
      const n = counts.get(name)!;
      const begin = performance.now();
      await work(n);
      least[name] = Math.min(least[name], ((performance.now() - begin) * 1e6) / n);
    }
  }
  return least;
}
