import { setTimeout as wait } from 'node:timers/promises';

/** Waits until `holds`, for a minute at most: longer than any machine takes. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 60_000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`Expected it within a minute: ${holds}`);
    await wait(2);
  }
}
