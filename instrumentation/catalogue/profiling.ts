import { bodyBytes } from './buckets';
import { attribute, metric } from './define';

const meter = 'profiling';
const kind = attribute('profile.type', 'Kind of capture', {
  values: ['cpu', 'heap', 'allocs', 'trace', 'goroutine', 'block', 'mutex'],
});
const trigger = attribute('vitals.profile.trigger', 'Who asked for it', {
  values: ['pprof', 'manual', 'auto'],
});
const outcome = attribute('vitals.profile.outcome', 'How it ended', {
  values: ['complete', 'stopped', 'cancelled', 'failed', 'rejected'],
});

/** Seconds; how long captures run, up to their limit of five minutes. */
const captureSeconds = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300] as const;

export const profilingMetrics = {
  captures: metric(meter, 'vitals.profile.captures', 'counter', '{capture}', 'Profiles and traces taken', {
    attributes: [kind, trigger, outcome],
  }),
  duration: metric(
    meter,
    'vitals.profile.duration',
    'histogram',
    's',
    'Time from the start of a capture to its end',
    {
      attributes: [kind],
      buckets: captureSeconds,
    },
  ),
  size: metric(meter, 'vitals.profile.size', 'histogram', 'By', 'Size of a capture, compressed', {
    attributes: [kind],
    buckets: bodyBytes,
  }),
  storedCaptures: metric(
    meter,
    'vitals.profile.stored.captures',
    'gauge',
    '{capture}',
    'Captures in VITALS_CAPTURE_DIR',
  ),
  storedSize: metric(
    meter,
    'vitals.profile.stored.size',
    'gauge',
    'By',
    'Bytes that captures take in VITALS_CAPTURE_DIR',
  ),
} as const;
