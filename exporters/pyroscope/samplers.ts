import { reapplyLabels } from './labels';
import type { LabelSet, Library, ProfileExport } from './library';
import type { SourceMaps } from './source-maps';

/** `wall` carries CPU time too; `heap` is the memory in use by allocation site. */
export type ProfileKind = 'wall' | 'heap';

/** A profile taken, and how to make of it what is sent. */
export interface ProfileWindow extends ProfileExport {
  /** Samples per second; undefined for heap profiles. */
  sampleRate: number | undefined;
  /** gzip'd pprof with Pyroscope's names and original positions. */
  encode(): Promise<Buffer>;
}

/** One profiler of the process, running. */
export interface Sampler {
  readonly kind: ProfileKind;
  /** The profile since the last one; sampling goes on. */
  collect(): ProfileWindow;
  /** The profile since the last one; sampling ends. */
  finish(): ProfileWindow;
}

/** The process has one wall and one heap profiler, and somebody else runs it. */
export class ProfilerTakenError extends Error {
  readonly code = 'PYROSCOPE_PROFILER_TAKEN';
  constructor(readonly kind: ProfileKind) {
    super(`the ${kind} profiler of this process is already in use`);
  }
}

/** @throws ProfilerTakenError, or what the native profiler throws. */
export function startWall(
  library: Library,
  maps: SourceMaps | undefined,
  options: { windowMs: number; samplingIntervalMicros: number; collectCpuTime: boolean },
): Sampler & { setLabels(labels: LabelSet): void } {
  const profiler = library.createWallProfiler();
  const start = () => {
    if (library.time.isStarted()) throw new ProfilerTakenError('wall');
    profiler.start({
      // Sizes the buffer of samples: past twice this time the native profiler records nothing more.
      samplingDurationMs: options.windowMs,
      samplingIntervalMicros: options.samplingIntervalMicros,
      collectCpuTime: options.collectCpuTime,
      sourceMapper: maps?.recorder,
    });
  };
  // The profiler derives its own from the duration.
  const sampleRate = Math.ceil(1e6 / options.samplingIntervalMicros);
  start();
  return {
    kind: 'wall',
    collect() {
      if (!library.time.isStarted()) {
        start();
        throw new Error('the wall profiler had been stopped from outside; it runs again');
      }
      const taken = profiler.profile();
      reapplyLabels();
      return makeWindow(library, maps, taken, sampleRate);
    },
    finish: () => makeWindow(library, maps, profiler.stop(), sampleRate),
    setLabels: labels => profiler.setLabels(labels),
  };
}

/**
 * @param onSecondStart called when the application starts the heap profiler, which then stays as it is.
 * @throws ProfilerTakenError, or what the native profiler throws.
 */
export function startHeap(
  library: Library,
  maps: SourceMaps | undefined,
  options: { samplingIntervalBytes: number; stackDepth: number },
  onSecondStart: () => void = () => {},
): Sampler {
  const profiler = library.createHeapProfiler();
  const startHeapProfiler = library.heap.start;
  const start = () => {
    library.heap.start = startHeapProfiler;
    try {
      profiler.start({ ...options, sourceMapper: maps?.recorder });
    } catch (error) {
      const taken = error instanceof Error && error.message.includes('already started');
      throw taken ? new ProfilerTakenError('heap') : error;
    }
    // A second start throws, which would end an application that starts Pyroscope itself and worked until it was
    // preloaded. It finds the profiler running, as it would with the wall profiler.
    library.heap.start = () => onSecondStart();
  };
  start();
  const collect = () => {
    try {
      return makeWindow(library, maps, profiler.profile(), undefined);
    } catch (error) {
      start();
      throw new Error('the heap profiler had been stopped from outside; it runs again', { cause: error });
    }
  };
  return {
    kind: 'heap',
    collect,
    finish() {
      // Its own stop() gives nothing, and the last window is often the one that is wanted.
      try {
        return makeWindow(library, maps, profiler.profile(), undefined);
      } finally {
        library.heap.start = startHeapProfiler;
        profiler.stop();
      }
    },
  };
}

function makeWindow(
  library: Library,
  maps: SourceMaps | undefined,
  taken: ProfileExport,
  sampleRate: number | undefined,
): ProfileWindow {
  const positions = maps?.takePositions() ?? [];
  return {
    ...taken,
    sampleRate,
    async encode() {
      await maps?.apply(taken.profile, positions);
      try {
        library.processProfile(taken.profile);
      } catch {
        // It shortens paths by the working directory, which a deployment may have removed. Types are set by then.
      }
      return library.encode(taken.profile);
    },
  };
}
