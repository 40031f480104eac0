/** Work whose cost is measured: runs `n` operations. */
export type Work = (n: number) => unknown;

/**
 * Nanoseconds per operation of each work, measured in short slices that take turns, by the processor time of the whole
 * process: what other processes take is not in it, and collecting the garbage of the work is. The least of the slices
 * counts, because what disturbs only ever adds.
 *
 * @param sliceMs how long a slice takes at least. Where garbage matters it must hold several collections: the least of
 *   short ones is that which had none
 */
export async function measure<Name extends string>(
  works: Readonly<Record<Name, Work>>,
  slices = 40,
  sliceMs = 20,
): Promise<Record<Name, number>> {
  const entries = Object.entries<Work>(works) as [Name, Work][];
  const least = Object.fromEntries(entries.map(([name]) => [name, Infinity])) as Record<Name, number>;
  const counts = new Map<Name, number>();
  for (const [name, work] of entries) {
    // What is only done the first time, such as starting a thread, is no measure of how many make a slice.
    await work(64);
    // Warms up, and finds how many operations make a slice.
    let n = 64;
    for (;;) {
      if ((await timed(work, n)) >= sliceMs * 1000) break;
      n *= 2;
    }
    counts.set(name, n);
  }
  for (let slice = 0; slice < slices; slice++) {
    for (const [name, work] of entries) {
      const n = counts.get(name)!;
      least[name] = Math.min(least[name], ((await timed(work, n)) * 1000) / n);
    }
  }
  return least;
}

/** Microseconds of processor time. */
async function timed(work: Work, n: number): Promise<number> {
  const before = process.cpuUsage();
  await work(n);
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
