import { monitorEventLoopDelay } from 'node:perf_hooks';
import { gcMetrics, heapMetrics, httpServerMetrics } from '../catalogue';
import { heapUseNow } from '../meters/heap-use';
import { anyExtremes, type Extremes, quantileOf } from '../metrics/quantile';
import type { MetricRegistry } from '../metrics/registry';
import type { RuleName } from '../names';

/** Every level at one moment; those that nobody knows are missing. */
export type Levels = { readonly [R in Exclude<RuleName, 'stall'>]: number | undefined } & {
  /** Whether `heap` is what a major collection left; before the first one it is all that is old, garbage included. */
  readonly heapIsLive: boolean;
};

export interface Readings {
  /** Levels since the last call. */
  take(): Levels;
  stop(): void;
}

/** Milliseconds between two samples of the event loop's delay. */
const resolutionMs = 20;
/** Requests that a percentile needs. */
const fewestRequests = 20;
/** Readings that the last list of resources stands for at most: one for each millisecond that it took. */
const mostWaits = 12;
const mib = 2 ** 20;

/** Reads levels off numbers that the meters collect anyway, and off a few that Node.js keeps. */
export function createReadings(registry: MetricRegistry, wanted: readonly RuleName[]): Readings {
  const delays = wanted.includes('delay') ? monitorEventLoopDelay({ resolution: resolutionMs }) : undefined;
  delays?.enable();
  const resources = wanted.includes('resources') ? countResources() : undefined;
  const live = registry.instrument(heapMetrics.live).with({});
  const pauses = registry.instrument(gcMetrics.duration);
  const durations = registry.instrument(httpServerMetrics.duration);
  const gcSeconds = (): number => {
    let total = 0;
    for (const { attributes, sum } of pauses.cells()) {
      if (attributes['vitals.gc.forced'] === undefined) total += sum;
    }
    return total;
  };
  const watcher = durations.watchExtremes();
  const requests = (): { bounds: readonly number[]; counts: number[]; extremes: Extremes } => {
    const counts: number[] = [];
    let bounds: readonly number[] = [];
    let [min, max] = [Number.POSITIVE_INFINITY, 0];
    for (const cell of durations.cells()) {
      bounds = cell.bounds;
      const extremes = cell.takeExtremes(watcher);
      min = Math.min(min, extremes.min);
      max = Math.max(max, extremes.max);
      cell.counts.forEach((count, i) => {
        counts[i] = (counts[i] ?? 0) + count;
      });
    }
    return { bounds, counts, extremes: { min, max } };
  };
  let last = { at: performance.now(), cpu: cpuMicros(), gc: gcSeconds(), requests: requests().counts };
  return {
    take() {
      const { bounds, counts, extremes } = requests();
      const now = { at: performance.now(), cpu: cpuMicros(), gc: gcSeconds(), requests: counts };
      const ms = now.at - last.at;
      const answered = counts.map((count, i) => count - (last.requests[i] ?? 0));
      const levels: Levels = {
        cpu: (now.cpu - last.cpu) / ms / 10,
        gc: ((now.gc - last.gc) * 1e5) / ms,
        heap: (live.value ?? heapUseNow().old) / mib,
        heapIsLive: live.value !== undefined,
        delay:
          delays === undefined || delays.count === 0
            ? undefined
            : Math.max(0, delays.percentile(90) / 1e6 - resolutionMs),
        response: percentile99(bounds, answered, extremes),
        resources: resources?.(),
      };
      delays?.reset();
      last = now;
      return levels;
    },
    stop: () => delays?.disable(),
  };
}

/** Counts the active resources, for which Node.js has to list them; a list that takes long is made more rarely. */
function countResources(): () => number {
  let count = 0;
  let waits = 0;
  return () => {
    if (waits-- > 0) return count;
    const begin = performance.now();
    count = process.getActiveResourcesInfo().length;
    waits = Math.min(mostWaits, Math.floor(performance.now() - begin));
    return count;
  };
}

/** Newer versions of Node.js tell the main thread's CPU time apart from the process's. */
function cpuMicros(): number {
  const { threadCpuUsage } = process as { threadCpuUsage?: typeof process.cpuUsage };
  const { user, system } = (threadCpuUsage ?? process.cpuUsage).call(process);
  return user + system;
}

/**
 * Milliseconds that 99 of 100 requests did not take longer than, by linear interpolation within the bucket and the
 * extremes. `undefined` of too few requests.
 */
export function percentile99(
  bounds: readonly number[],
  counts: readonly number[],
  extremes: Extremes = anyExtremes,
): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total < fewestRequests) return undefined;
  const seconds = quantileOf(bounds, counts, 0.99, extremes);
  return seconds === undefined ? undefined : seconds * 1000;
}
