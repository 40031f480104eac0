import { eventLoopMetrics } from '../catalogue';
import type { Meter } from './context';

/** Late by how much, as a share of the threshold, a stall may be measured. */
const precision = 5;

/**
 * Counts blocks of the event loop: a timer that comes late by the threshold or more was held up by one.
 * The timer is due five times per threshold, so what is recorded lies up to a fifth of the threshold below the truth.
 */
export const meterStalls: Meter = ({ registry, config }) => {
  const stalls = registry.instrument(eventLoopMetrics.stall).with({});
  const intervalMs = Math.max(4, Math.floor(config.stallMs / precision));
  let due = performance.now() + intervalMs;
  const timer = setInterval(() => {
    const now = performance.now();
    const lateMs = now - due;
    // The block began somewhere in the interval before the timer was due; the middle is the best guess.
    const blockedMs = lateMs + intervalMs / 2;
    if (blockedMs >= config.stallMs) stalls.record(blockedMs / 1000);
    due = now + intervalMs;
  }, intervalMs).unref();
  return () => clearInterval(timer);
};
