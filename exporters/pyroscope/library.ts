import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Profile } from 'pprof-format';

/** Labels of a sample, such as a span id. */
export type LabelSet = Record<string, string | number>;

/** A profile and the time it covers, as the profilers of `@pyroscope/nodejs` hand it over. */
export interface ProfileExport {
  profile: Profile;
  startedAt: Date;
  stoppedAt: Date;
}

/** The wall profiler of `@datadog/pprof`, of which a thread has one. */
export interface WallTime {
  isStarted(): boolean;
  /** @throws when it is started already, and where `useCPED` is not to be had */
  start(options: {
    /** Sizes the buffer of samples: past twice this time nothing more is recorded. */
    durationMillis: number;
    intervalMicros: number;
    withContexts: boolean;
    collectCpuTime: boolean;
    /** Keeps contexts in V8's data that is carried along with asynchronous tasks. */
    useCPED: boolean;
    workaroundV8Bug: boolean;
    sourceMapper: unknown;
  }): void;
  /** What was sampled since the last stop. @param restart whether sampling goes on */
  stop(restart: boolean, labels: (sample: { context?: { context?: object } }) => LabelSet): Profile;
  /** What is kept with the samples to come. */
  setContext(context: object | undefined): void;
  getContext(): object | undefined;
  /** Only with `useCPED`. */
  runWithContext<T>(context: object, fn: () => T): T;
  getState(): Readonly<Record<number, number>>;
  readonly constants: { readonly kSampleCount: number };
}

interface HeapProfiler {
  start(args: { samplingIntervalBytes: number; stackDepth: number; sourceMapper: unknown }): void;
  profile(): ProfileExport;
  stop(): null;
}

/** Finds the original of a position: lines from 1, columns from 0. */
export interface SourceMapConsumer {
  originalPositionFor(position: { line: number; column: number; bias: number }): {
    source: string | null;
    line: number | null;
    name: string | null;
  };
}

/** What we use of `@pyroscope/nodejs` and of the packages it profiles with. */
export interface Library {
  createHeapProfiler(): HeapProfiler;
  /** Gives samples Pyroscope's type names and functions their file and line. */
  processProfile(profile: Profile): Profile;
  /** Protobuf, gzip'd. */
  encode(profile: Profile): Promise<Buffer>;
  time: WallTime;
  heap: { start(intervalBytes: number, stackDepth: number): void };
  format: typeof import('pprof-format');
  sourceMaps: {
    SourceMapConsumer: {
      new (map: unknown): Promise<SourceMapConsumer>;
      readonly GREATEST_LOWER_BOUND: number;
      readonly LEAST_UPPER_BOUND: number;
    };
  };
}

/**
 * Loads the profilers of `@pyroscope/nodejs`, but not its scheduler and its uploader.
 *
 * The package exports only a façade that wires the three together, with timers that hold the process and failures
 * that nobody hears of, so its profiler classes are read from their files. The dependency is pinned to one minor
 * version; where the files are not as expected this throws, and profiling stays off.
 *
 * @throws whatever loading throws: a platform or a Node.js version without a native build, a damaged installation.
 */
export function loadLibrary(): Library {
  const entry = require.resolve('@pyroscope/nodejs');
  const load = createRequire(entry);
  const file = (name: string) => load(join(dirname(entry), name));
  const { HeapProfiler } = file('profilers/heap-profiler.js');
  const { processProfile } = file('utils/process-profile.js');
  const { encode, time, heap } = load('@datadog/pprof');
  return {
    createHeapProfiler: () => new HeapProfiler(),
    processProfile,
    encode,
    time,
    heap,
    format: load('pprof-format'),
    sourceMaps: load('source-map'),
  };
}
