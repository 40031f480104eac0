import { difference, type StackProfile } from '../pprof/profile';
import type { Capturer, Recorder } from './capturer';

/** A capture of something that can be read at any time: now, or what changed between two readings. */
export function instantCapturer(
  defaultMs: number,
  read: (options: { gc: boolean }) => Promise<StackProfile> | StackProfile,
): Capturer {
  return {
    instant: true,
    defaultMs,
    async begin({ durationMs, gc }): Promise<Recorder> {
      const first = durationMs > 0 ? await read({ gc }) : undefined;
      return {
        async finish() {
          const last = await read({ gc });
          return { format: 'pprof', profile: first === undefined ? last : difference(first, last) };
        },
        async abort() {},
      };
    },
  };
}
