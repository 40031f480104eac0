import { createRequire } from 'node:module';
import type { AllocationNode, HeapReading } from '../contract';

const stackDepth = 64;

/** V8's sampled allocations through the native part of `@datadog/pprof`, which Pyroscope uses too. */
interface Binding {
  startSamplingHeapProfiler(intervalBytes: number, stackDepth: number): void;
  stopSamplingHeapProfiler(): void;
  /** Throws when nobody samples. */
  getAllocationProfile(): AllocationNode;
}

/** The one heap sampler that V8 has for this thread. */
export interface HeapSampler {
  /** Begins to sample, unless somebody does already. */
  start(): void;
  /** Ends what {@link start} began; somebody else's sampling goes on. */
  stop(): 'stopped' | 'foreign' | 'absent';
  read(): HeapReading;
}

/**
 * The functions below its `heap` object are used, because that one throws at a second start: an application that
 * starts a profiler of its own finds sampling begun, and reads it.
 */
export function loadBinding(): Binding | undefined {
  try {
    const load = createRequire(require.resolve('@pyroscope/nodejs'));
    return load('@datadog/pprof/out/src/heap-profiler-bindings.js') as Binding;
  } catch {
    // No native build for this platform. The worker then reads the heap through the inspector.
    return undefined;
  }
}

/** @param intervalBytes bytes allocated between two samples, on average */
export function createHeapSampler(
  intervalBytes: number,
  binding: Binding | undefined,
  now: () => number = Date.now,
): HeapSampler {
  let startedAt: number | undefined;
  const root = (): AllocationNode | undefined => {
    try {
      return binding?.getAllocationProfile();
    } catch {
      // Says that nobody samples.
      return undefined;
    }
  };
  const start = (): void => {
    if (binding === undefined || root() !== undefined) return;
    binding.startSamplingHeapProfiler(intervalBytes, stackDepth);
    startedAt = now();
  };
  return {
    start,
    stop() {
      if (root() === undefined) return 'absent';
      if (startedAt === undefined) return 'foreign';
      binding?.stopSamplingHeapProfiler();
      startedAt = undefined;
      return 'stopped';
    },
    read() {
      let profile = root();
      if (profile === undefined && binding !== undefined) {
        // Whoever shared it has ended it.
        startedAt = undefined;
        start();
        profile = root();
      }
      const { external } = process.memoryUsage();
      return { root: profile, externalBytes: external, since: startedAt };
    },
  };
}
