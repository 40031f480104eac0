import { ruleNames } from '../names';
import { bodyBytes } from './buckets';
import { attribute, metric } from './define';

const meter = 'profiling';

/** What comes of a rule that fires. */
export const triggerOutcomes = ['captured', 'failed', 'cooldown', 'budget', 'busy', 'memory'] as const;
export type TriggerOutcome = (typeof triggerOutcomes)[number];

const kind = attribute('profile.type', 'Kind of capture', {
  values: ['cpu', 'heap', 'allocs', 'trace', 'goroutine', 'block', 'mutex'],
});
const trigger = attribute('vitals.profile.trigger', 'Who asked for it', {
  values: ['pprof', 'manual', 'auto'],
});
const outcome = attribute('vitals.profile.outcome', 'How it ended', {
  values: ['complete', 'stopped', 'cancelled', 'failed', 'rejected'],
});

const rule = attribute('vitals.autoprofile.rule', "The auto-profiler's rule", { values: ruleNames });
const triggerOutcome = attribute(
  'vitals.autoprofile.outcome',
  'What came of it: a capture, a capture that failed, or none because of the cooldown, the budget, another capture, or memory that is nearly used up',
  { values: triggerOutcomes },
);

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
  triggers: metric(
    meter,
    'vitals.autoprofile.triggers',
    'counter',
    '{trigger}',
    'Times that a rule of the auto-profiler fired; with outcome captured, what annotations in Grafana are made of',
    { attributes: [rule, triggerOutcome] },
  ),
  lastCapture: metric(
    meter,
    'vitals.autoprofile.last_capture_time',
    'gauge',
    's',
    'When a rule last had a capture taken, in seconds since the epoch',
    { attributes: [rule] },
  ),
} as const;
