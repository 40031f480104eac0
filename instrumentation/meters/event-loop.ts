import { type IntervalHistogram, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { eventLoopMetrics } from '../catalogue';
import type { Meter } from './context';
import { windowed } from './window';

/** Milliseconds between two samples of the delay. */
const resolutionMs = 10;
/** Ticks between two resets, so that with ticks of 10 s a histogram shows the last 30 to 60 s. */
const ticksPerHalf = 3;

/** Delay, active and idle time, and utilization of the main thread's event loop. */
export const meterEventLoop: Meter = ({ registry, onTick }) => {
  const m = eventLoopMetrics;
  const cells = {
    min: registry.instrument(m.min).with({}),
    max: registry.instrument(m.max).with({}),
    mean: registry.instrument(m.mean).with({}),
    stddev: registry.instrument(m.stddev).with({}),
    p50: registry.instrument(m.p50).with({}),
    p90: registry.instrument(m.p90).with({}),
    p99: registry.instrument(m.p99).with({}),
  };
  const time = registry.instrument(m.time);
  const active = time.with({ 'nodejs.eventloop.state': 'active' });
  const idle = time.with({ 'nodejs.eventloop.state': 'idle' });
  const utilization = registry.instrument(m.utilization).with({});

  const delays = twoHistograms();
  const window = windowed(() => performance.eventLoopUtilization());
  // Both walk all of the histogram's tens of thousands of buckets, which is too long for a scrape.
  const setMoments = (): void => {
    const histogram = delays.older();
    if (histogram.count === 0) return;
    cells.mean.set(delaySeconds(histogram.mean));
    cells.stddev.set(Number.isNaN(histogram.stddev) ? 0 : histogram.stddev / 1e9);
  };
  const stopTick = onTick(() => {
    window.advance();
    setMoments();
    delays.tick();
  });
  const stopReading = registry.onCollect(() => {
    const { from, to } = window.span();
    active.set(to.active / 1000);
    idle.set(to.idle / 1000);
    utilization.set(performance.eventLoopUtilization(to, from).utilization);

    const histogram = delays.older();
    if (histogram.count === 0) return;
    cells.min.set(delaySeconds(histogram.min));
    cells.max.set(delaySeconds(histogram.max));
    if (cells.mean.value === undefined) setMoments();
    cells.p50.set(delaySeconds(histogram.percentile(50)));
    cells.p90.set(delaySeconds(histogram.percentile(90)));
    cells.p99.set(delaySeconds(histogram.percentile(99)));
  });
  return () => {
    stopTick();
    stopReading();
    delays.stop();
  };
};

/** Node.js records the time between two samples, which is the delay and the sampling interval together. */
function delaySeconds(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e9 - resolutionMs / 1000);
}

/**
 * Two histograms, reset in turn by the clock. Resetting one when it is read would show each of several readers a
 * part of the delays only.
 */
function twoHistograms(): { older(): IntervalHistogram; tick(): void; stop(): void } {
  const start = (): IntervalHistogram => {
    const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
    histogram.enable();
    return histogram;
  };
  let older = start();
  let newer = start();
  let ticks = 0;
  return {
    older: () => older,
    tick() {
      ticks++;
      if (ticks % ticksPerHalf !== 0) return;
      [older, newer] = [newer, older];
      newer.reset();
    },
    stop() {
      older.disable();
      newer.disable();
    },
  };
}
