import type { Library, ProfileExport } from './library';
import { carriedLabels, carriesLabels, labelsOf, momentaryLabels, type SampleLabels } from './sample-labels';
import type { SourceMaps } from './source-maps';

/** `wall` carries CPU time too; `heap` is the memory in use by allocation site. */
export type ProfileKind = 'wall' | 'heap';

/** A profile taken, and how to make of it what is sent. */
export interface ProfileWindow extends ProfileExport {
  /** Samples per second; undefined for heap profiles. */
  sampleRate: number | undefined;
  /** gzip'd pprof with Pyroscope's names and original positions; made once, however often it is asked for. */
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

export interface WallOptions {
  readonly windowMs: number;
  readonly samplingIntervalMicros: number;
  readonly collectCpuTime: boolean;
  /** Whether labels should be carried along with asynchronous tasks, where Node.js can. */
  readonly carryLabels: boolean;
}

/**
 * The finest that an on-demand CPU profile samples, in microseconds.
 *
 * The profiler has a buffer of fixed size for what belongs to its samples: the CPU time, the labels. Any other CPU
 * profile's samples are entered there too, because all come by one signal, and once it is full the window gets no
 * further time. So there is room for as many as another profiler can bring; memory is taken as it is filled.
 */
const fastestBesideMicros = 1000;

/** @throws ProfilerTakenError, or what the native profiler throws. */
export function startWall(
  library: Library,
  maps: SourceMaps | undefined,
  options: WallOptions,
): Sampler & { readonly labels: SampleLabels } {
  const { time } = library;
  let startedAt = new Date();
  const start = (useCPED: boolean): void => {
    if (time.isStarted()) throw new ProfilerTakenError('wall');
    startedAt = new Date();
    time.start({
      durationMillis:
        options.windowMs * (1 + Math.ceil(options.samplingIntervalMicros / fastestBesideMicros)),
      intervalMicros: options.samplingIntervalMicros,
      withContexts: true,
      collectCpuTime: options.collectCpuTime,
      useCPED,
      workaroundV8Bug: true,
      sourceMapper: maps?.recorder,
    });
  };
  let carries = options.carryLabels;
  start(carries);
  if (carries && !carriesLabels(time)) {
    // Node.js was told to do without (--no-async-context-frame).
    carries = false;
    time.stop(false, labelsOf);
    maps?.takePositions();
    start(false);
  }
  const labels = carries ? carriedLabels(time) : momentaryLabels(time);
  const sampleRate = Math.ceil(1e6 / options.samplingIntervalMicros);
  const take = (goOn: boolean): ProfileWindow => {
    const profile = time.stop(goOn, labelsOf);
    const taken = { profile, startedAt, stoppedAt: new Date() };
    startedAt = taken.stoppedAt;
    return makeWindow(library, maps, taken, sampleRate);
  };
  return {
    kind: 'wall',
    labels,
    collect() {
      if (!time.isStarted()) {
        start(carries);
        labels.renew();
        throw new Error('the wall profiler had been stopped from outside; it runs again');
      }
      const window = take(true);
      labels.renew();
      return window;
    },
    finish: () => take(false),
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
  const encode = async (): Promise<Buffer> => {
    await maps?.apply(taken.profile, positions);
    try {
      library.processProfile(taken.profile);
    } catch {
      // It shortens paths by the working directory, which a deployment may have removed. Types are set by then.
    }
    return library.encode(taken.profile);
  };
  let encoded: Promise<Buffer> | undefined;
  return {
    ...taken,
    sampleRate,
    encode: () => (encoded ??= encode()),
  };
}
