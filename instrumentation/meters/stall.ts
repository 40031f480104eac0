import { eventLoopMetrics } from '../catalogue';
import { guarded } from '../guard';
import type { Meter } from './context';

/** Late by how much, as a share of the threshold, a stall may be measured. */
const precision = 5;

/**
 * Counts blocks of the event loop: a timer that comes late by the threshold or more was held up by one.
 *
 * The timer is due five times per threshold, so what is recorded lies within a tenth of the threshold of the truth.
 * Until it has come once the application is loading, which holds up nobody.
 */
export const meterStalls: Meter = ({ registry, config, log }) => {
  const stalls = registry.instrument(eventLoopMetrics.stall).with({});
  const intervalMs = Math.max(4, Math.floor(config.stallMs / precision));
  let due: number | undefined;
  const look = guarded(log, 'looking for stalls', () => {
    const now = performance.now();
    if (due !== undefined) {
      // The block began somewhere in the interval before the timer was due; the middle is the best guess.
      const blockedMs = now - due + intervalMs / 2;
      if (blockedMs >= config.stallMs) stalls.record(blockedMs / 1000);
    }
    due = now + intervalMs;
  });
  const timer = setInterval(look, intervalMs).unref();
  return () => clearInterval(timer);
};
