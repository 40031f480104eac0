import { createRequire } from 'node:module';
import { memoryUse } from '../../meters/memory-use';
import type { AllocationNode, CarriedHeap, HeapReading } from '../contract';
import { bytesOf, mergeAllocations } from './allocation-tree';

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
  /** As {@link stop}, to make room for other sampling; what was sampled is carried on to the readings after it. */
  suspend(): 'stopped' | 'foreign' | 'absent';
  read(): HeapReading;
}

/** Share of what was sampled before from which on it is told no more. */
const negligible = 0.01;

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
  heapBytes: () => number = () => memoryUse().heapUsed,
): HeapSampler {
  let startedAt: number | undefined;
  let carried: Omit<CarriedHeap, 'share'> | undefined;
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
  const stop = (): 'stopped' | 'foreign' | 'absent' => {
    if (root() === undefined) return 'absent';
    if (startedAt === undefined) return 'foreign';
    binding?.stopSamplingHeapProfiler();
    startedAt = undefined;
    return 'stopped';
  };
  const carriedBeside = (sampled: AllocationNode): CarriedHeap | undefined => {
    if (carried === undefined) return undefined;
    // V8 tells of no sample of a sampling that has ended whether it is alive. As objects come and go, those sampled
    // anew fill the heap, and what can be left of the older ones shrinks.
    const share = Math.min(1, (heapBytes() - bytesOf(sampled)) / bytesOf(carried.root));
    if (share > negligible) return { ...carried, share };
    carried = undefined;
    return undefined;
  };
  return {
    start,
    stop,
    suspend() {
      const sampled = root();
      const before = sampled && carriedBeside(sampled);
      const outcome = stop();
      if (outcome === 'stopped' && sampled !== undefined) {
        carried = {
          root: before === undefined ? sampled : mergeAllocations(before.root, sampled),
          until: now(),
        };
      }
      return outcome;
    },
    read() {
      let profile = root();
      if (profile === undefined && binding !== undefined) {
        // Whoever shared it has ended it.
        startedAt = undefined;
        start();
        profile = root();
      }
      const { external } = memoryUse();
      const before = profile && startedAt !== undefined ? carriedBeside(profile) : undefined;
      return {
        root: profile,
        externalBytes: external,
        since: startedAt,
        ...(before === undefined ? {} : { carried: before }),
      };
    },
  };
}
