import type { Publisher } from '../../instrumentation/profiling/worker/service';
import { type DestinationOptions, destination, ingestPath } from './request';
import { upload } from './upload';

/**
 * Hands the auto-profiler's captures to Pyroscope, with the rule that fired as the label `trigger`, which keeps them
 * apart from the continuous profiles. Traces are no profiles, and what a person asked for is the person's.
 *
 * @param timeoutMs after which one upload is given up
 * @throws TypeError when the address is no http or https URL
 */
export function capturePublisher(options: DestinationOptions, timeoutMs: number): Publisher {
  const never = new AbortController().signal;
  return async ({ record, data, profile }) => {
    if (profile === undefined || record.trigger.source !== 'auto') return false;
    const trigger = String(record.trigger.reason?.['rule'] ?? 'auto');
    const to = destination({ ...options, tags: { ...options.tags, trigger } });
    const startedAt = new Date(record.startedAt);
    const stoppedAt = new Date(startedAt.getTime() + record.durationMs);
    const { type, unit, value } = profile.period;
    const sampleRate = type === 'cpu' && unit === 'nanoseconds' ? Math.round(1e9 / value) : undefined;
    const path = ingestPath(to, { startedAt, stoppedAt }, sampleRate);
    await upload(to, path, data, timeoutMs, never);
    return true;
  };
}
