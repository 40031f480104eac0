import { openSync, readSync } from 'node:fs';

/**
 * How long the main thread has waited for a CPU that others had, in milliseconds: on Linux from schedstat,
 * https://docs.kernel.org/scheduler/sched-stats.html. Elsewhere, and where that is hidden, always 0.
 *
 * The file stays open, because it is read at every look at the event loop.
 */
export function watchRunQueue(path = '/proc/self/schedstat'): () => number {
  const text = Buffer.alloc(64);
  let file: number;
  try {
    // Of the thread that leads the process, which is the main one, whichever thread opens it.
    file = openSync(path, 'r');
  } catch {
    // Not Linux, a kernel without it, or hidden by a sandbox.
    return () => 0;
  }
  let last = 0;
  return () => {
    try {
      const [, waited] = text.toString('latin1', 0, readSync(file, text, 0, text.length, 0)).split(' ');
      const ms = Number(waited) / 1e6;
      if (ms > last) last = ms;
    } catch {
      // As when it was never there.
    }
    return last;
  };
}
