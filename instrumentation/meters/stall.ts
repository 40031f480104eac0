import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { eventLoopMetrics } from '../catalogue';
import { guarded } from '../guard';
import type { Meter } from './context';

/** Milliseconds between two samples of the delay. */
const resolutionMs = 10;
const pollMs = 1000;
/** Stalls after which the histogram starts anew, so that going through them stays cheap. */
const mostKept = 50;

/**
 * Counts blocks of the event loop: times between two samples that are longer than they should be by the threshold.
 *
 * Node.js takes the samples in native code, which costs next to nothing where a JavaScript timer of this resolution
 * would take half a percent of a CPU from an idle process. What comes before the first sample, the loading of the
 * application, holds up nobody and is not counted.
 */
export const meterStalls: Meter = ({ registry, config, log }) => {
  const stalls = registry.instrument(eventLoopMetrics.stall).with({});
  const samples = monitorEventLoopDelay({ resolution: resolutionMs });
  samples.enable();
  // A block begins somewhere between two samples; the middle is the best guess.
  const offsetMs = resolutionMs / 2;
  const leastNs = (config.stallMs + offsetMs) * 1e6;

  /** Those of this histogram that have been counted, longest first. */
  let counted: readonly number[] = [];
  const poll = guarded(log, 'looking for stalls', () => {
    const now = longest(samples, leastNs);
    for (const nanoseconds of without(now, counted)) stalls.record((nanoseconds / 1e6 - offsetMs) / 1000);
    counted = now;
    if (counted.length < mostKept) return;
    // The sample after this one is lost, so it is not done at every look.
    samples.reset();
    counted = [];
  });
  const timer = setInterval(poll, pollMs).unref();
  const stopReading = registry.onCollect(poll);
  return () => {
    clearInterval(timer);
    stopReading();
    samples.disable();
  };
};

/** The samples of at least so many nanoseconds, longest first. */
function longest(samples: IntervalHistogram, least: number): number[] {
  const { count } = samples;
  const found: number[] = [];
  if (count === 0 || samples.max < least) return found;
  for (let rank = count; rank > 0 && found.length < mostKept; rank--) {
    // The sample of this rank, to three digits.
    const nanoseconds = samples.percentile((100 * rank) / count);
    if (nanoseconds < least) break;
    found.push(nanoseconds);
  }
  return found;
}

/** What the first list has more than the second, which it contains; both in one order. */
function without(all: readonly number[], known: readonly number[]): number[] {
  let next = 0;
  return all.filter(value => {
    if (value !== known[next]) return true;
    next++;
    return false;
  });
}
