import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
/** Collects all garbage now; finalizers run in a later turn of the event loop. */
export const collectGarbage = runInNewContext('gc') as () => void;

/** Collects garbage again and again until `done` says so, or a deadline passes. */
export async function collectUntil(done: () => boolean, deadlineMs = 20_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!done()) {
    if (performance.now() > end) throw new Error(`Expected it to be collected within ${deadlineMs} ms`);
    collectGarbage();
    await delay(1);
  }
}
