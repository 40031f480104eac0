import { monitorEventLoopDelay } from 'node:perf_hooks';
import { httpServerMetrics } from '../catalogue';
import { guarded } from '../guard';
import type { MeterContext } from '../meters/context';
import type { GcSource } from '../meters/gc-source';
import { type HistorySample, type SeriesName, sampleIntervalMs } from './contract';
import { watchPauses } from './pauses';
import { createGrowth, type Put, putLevels, readCells } from './sources';

/** Milliseconds between two samples of the event loop's delay. */
const resolutionMs = 20;

/**
 * Hands on what the status page draws, every two seconds, without keeping the process alive.
 *
 * @param gc the collections; `undefined` where they are not measured
 * @returns a function that ends it
 */
export function recordHistory(
  { registry, log }: Pick<MeterContext, 'registry' | 'log'>,
  gc: GcSource | undefined,
  take: (sample: HistorySample) => void,
): () => void {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  const growth = createGrowth(registry.instrument(httpServerMetrics.duration).watchExtremes());
  growth.put(readCells(registry), 1, () => {});
  const pauses = gc && watchPauses(gc);
  let last = performance.now();
  const record = guarded(log, 'the status page', () => {
    const now = performance.now();
    const seconds = (now - last) / 1000;
    last = now;
    const names: SeriesName[] = [];
    const values: number[] = [];
    const put: Put = (name, value) => {
      if (value === undefined || !Number.isFinite(value)) return;
      names.push(name);
      values.push(value);
    };
    if (delays.count > 0) {
      const delay = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - resolutionMs);
      put('delay/p50', delay(delays.percentile(50)));
      put('delay/p99', delay(delays.percentile(99)));
      put('delay/max', delay(delays.max));
      delays.reset();
    }
    const cells = readCells(registry);
    putLevels(cells, put);
    growth.put(cells, seconds, put);
    pauses?.put(put);
    take({ at: Date.now(), names, values });
  });
  const timer = setInterval(record, sampleIntervalMs).unref();
  return () => {
    clearInterval(timer);
    delays.disable();
    pauses?.stop();
  };
}
