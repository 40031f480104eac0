import { profilingMetrics, selfMetrics } from '../../catalogue';
import { isEnabled } from '../../config/load';
import type { MeterContext } from '../../meters/context';
import type { CaptureEnd } from '../contract';

/** Counts captures as the worker tells of them. */
export interface CaptureMetrics {
  ended(end: CaptureEnd): void;
  /** Beside the continuous profiles that Pyroscope took, or did not. */
  uploaded(taken: boolean): void;
  stored(usage: { count: number; bytes: number }): void;
}

export function createCaptureMetrics({ registry, config }: MeterContext): CaptureMetrics {
  if (!isEnabled(config, 'profiling')) return { ended() {}, uploaded() {}, stored() {} };
  const m = profilingMetrics;
  const captures = registry.instrument(m.captures);
  const duration = registry.instrument(m.duration);
  const size = registry.instrument(m.size);
  const storedCaptures = registry.instrument(m.storedCaptures).with({});
  const storedSize = registry.instrument(m.storedSize).with({});
  return {
    ended({ kind, source, outcome, seconds, bytes }) {
      captures
        .with({ 'profile.type': kind, 'vitals.profile.trigger': source, 'vitals.profile.outcome': outcome })
        .add();
      if (outcome === 'rejected') return;
      duration.with({ 'profile.type': kind }).record(seconds);
      if (bytes > 0) size.with({ 'profile.type': kind }).record(bytes);
    },
    uploaded(taken) {
      registry
        .instrument(taken ? selfMetrics.uploads : selfMetrics.uploadFailures)
        .with({ 'profile.type': 'capture' })
        .add();
    },
    stored({ count, bytes }) {
      storedCaptures.set(count);
      storedSize.set(bytes);
    },
  };
}
