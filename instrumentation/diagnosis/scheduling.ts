import { readFileSync } from 'node:fs';

/** How the main thread was scheduled since its start, in milliseconds. */
export interface Scheduling {
  readonly ranMs: number;
  /** Ready to run, on a CPU that others had; 0 where the system does not tell. */
  readonly waitedMs: number;
}

/** On Linux from schedstat, https://docs.kernel.org/scheduler/sched-stats.html; else the CPU time of the process. */
export function readScheduling(): Scheduling {
  try {
    // Of the thread that leads the process, which is the main one.
    const [ran, waited] = readFileSync('/proc/self/schedstat', 'utf8').split(' ').map(Number);
    if (ran !== undefined && waited !== undefined && ran > 0) {
      return { ranMs: ran / 1e6, waitedMs: waited / 1e6 };
    }
  } catch {
    // Not Linux, a kernel without it, or hidden by a sandbox.
  }
  const { user, system } = process.cpuUsage();
  return { ranMs: (user + system) / 1000, waitedMs: 0 };
}
