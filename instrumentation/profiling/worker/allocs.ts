import { CaptureBusyError } from '../errors';
import { NoAnswerError } from '../rpc';
import type { Capturer, Recorder } from './capturer';
import { allocationProfile, type HeapAccess, type SamplingNode, samplingProfile } from './heap';
import { mainThreadCall } from './main-thread-call';

/**
 * All that is allocated while it watches, collected or not, by the place that allocated it.
 *
 * V8 has one heap sampler, and this needs it for itself with other settings: with those, nothing tells what is alive.
 * The agent's own is stopped meanwhile and begins anew afterwards, for which what it had is carried on as it was;
 * somebody else's stays, and there is no such capture.
 */
export function allocsCapturer({ host, intervalBytes, open }: HeapAccess): Capturer {
  return {
    instant: false,
    defaultMs: 10_000,
    async begin(): Promise<Recorder> {
      const stopped = await mainThreadCall(host, 'stopHeapSampling', undefined);
      if (stopped === 'foreign') {
        throw new CaptureBusyError(
          "V8's heap sampler is in use by continuous profiling or by the application, and allocs needs it for itself",
        );
      }
      const session = open();
      const end = async (): Promise<void> => {
        session.close();
        await host.call('startHeapSampling', undefined, 0).catch(() => {
          // The main thread is gone, and its heap with it.
        });
      };
      try {
        await session.post('HeapProfiler.startSampling', {
          samplingInterval: intervalBytes,
          includeObjectsCollectedByMajorGC: true,
          includeObjectsCollectedByMinorGC: true,
        });
      } catch (error) {
        void end();
        throw error;
      }
      const startedAt = Date.now();
      const read = async () => {
        try {
          // The inspector would give bytes without the number of objects.
          const { root } = await host.call('readHeap', { gc: false }, 5000);
          if (root !== undefined) return allocationProfile(root, 'alloc', intervalBytes, []);
        } catch (error) {
          if (!(error instanceof NoAnswerError)) throw error;
        }
        const { profile } = await session.post<{ profile: { head: SamplingNode } }>(
          'HeapProfiler.getSamplingProfile',
        );
        return samplingProfile(profile.head, 'alloc_space', intervalBytes, []);
      };
      return {
        async finish() {
          try {
            const profile = await read();
            return {
              format: 'pprof',
              profile: { ...profile, startedAt, durationMs: Date.now() - startedAt },
            };
          } finally {
            void end();
          }
        },
        async abort() {
          void end();
        },
      };
    },
  };
}
