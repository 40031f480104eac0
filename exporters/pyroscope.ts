import { errorText, type Log } from '../instrumentation/log';
import { followSpans, hasContextFrames } from './pyroscope/follow-spans';
import { bindLabels } from './pyroscope/labels';
import { type Library, loadLibrary } from './pyroscope/library';
import { type ProfileLoop, type PyroscopeStats, startLoop } from './pyroscope/loop';
import { type Destination, destination, ingestPath } from './pyroscope/request';
import type { ProfileWindow, Sampler } from './pyroscope/samplers';
import { startHeap, startWall } from './pyroscope/samplers';
import { createServerState, type ServerState } from './pyroscope/server-state';
import { createSourceMaps, type SourceMaps } from './pyroscope/source-maps';
import type { SpanSource } from './pyroscope/spans';
import { upload } from './pyroscope/upload';

export { wrapWithLabels } from './pyroscope/labels';
export type { LabelSet } from './pyroscope/library';
export type { PyroscopeStats } from './pyroscope/loop';
export type { ProfileKind } from './pyroscope/samplers';

/** Complete settings of continuous profiling; defaults are the configuration's business. */
export interface PyroscopeOptions {
  /** Base URL, with or without a path; user and password in it are used where the options have none. */
  serverAddress: string;
  applicationName: string;
  /** Labels of every profile. Characters that Pyroscope rejects are replaced by `_`. */
  tags: Record<string, string>;
  /** Goes before basic authentication. */
  authToken?: string;
  basicAuthUser?: string;
  basicAuthPassword?: string;
  /** Sent as `X-Scope-OrgID`. */
  tenantId?: string;
  /** Time between two uploads of a kind. */
  flushIntervalMs: number;
  /** Wall profiles are uploaded this often when it is shorter than `flushIntervalMs`. */
  wallSamplingDurationMs: number;
  wallSamplingIntervalMicros: number;
  /** Without it there are no CPU profiles, only wall profiles. */
  collectCpuTime: boolean;
  heapSamplingIntervalBytes: number;
  heapStackDepth: number;
  /** Name original files and lines. */
  sourceMaps: boolean;
  /** One upload is given up after this time. */
  uploadTimeoutMs: number;
  /** Keep the last windows for `recent`. */
  keepsRecent: boolean;
  /** Wall samples carry the labels of the spans of this, where there is one. */
  spans?: SpanSource;
}

/** A window that was taken. */
export interface RecentProfile {
  readonly startedAt: Date;
  readonly stoppedAt: Date;
  readonly data: Uint8Array;
}

/** Continuous profiling, running. */
export interface PyroscopeExporter {
  readonly stats: PyroscopeStats;
  /** The wall and CPU samples of the last windows, up to now, oldest first: pprof, gzip'd. */
  recent(): Promise<readonly RecentProfile[]>;
  /**
   * Ends profiling and sends the last windows. Resolves when they are sent, and at the latest after `deadlineMs`,
   * until when it keeps the process alive. Never rejects; a second call gets the first one's promise.
   */
  stop(deadlineMs: number): Promise<void>;
}

/**
 * Profiles this thread with the profilers of `@pyroscope/nodejs` and sends a window of wall, CPU and heap samples to
 * Pyroscope every `flushIntervalMs`, until stopped.
 *
 * Sampling begins before this returns, at the price of loading the profilers: a job that computes from its first line
 * to its last would otherwise never be sampled, and memory that the application allocates while it loads would belong
 * to nobody. All else is loaded with the first upload.
 *
 * Never throws and never keeps the process alive. What cannot start is said in one warning: profilers that do not
 * load (no native build for the platform), an address that is no URL, a profiler that somebody else runs.
 *
 * Wall samples come through V8's CPU profiler; `node:inspector`'s Profiler can run beside it.
 */
export function startPyroscope(options: PyroscopeOptions, log: Log): PyroscopeExporter {
  const parts = prepare(options);
  if (typeof parts === 'string') {
    log.warn(`continuous profiling is off: ${parts}`);
    const none = { wall: 0, heap: 0 };
    const stats = { uploads: none, failures: none, lastError: parts };
    return { stats, recent: async () => [], stop: async () => {} };
  }
  const { library, to, maps } = parts;
  const state = createServerState(to.endpoint.origin, log);
  const cut = new AbortController();
  const send = async (window: ProfileWindow) => {
    const body = await window.encode();
    const path = ingestPath(to, window, window.sampleRate);
    await upload(to, path, body, options.uploadTimeoutMs, cut.signal);
  };
  const { started, unfollow } = startSamplers(options, library, maps, state, log);
  const loops = started.map(({ sampler, windowMs }) =>
    startLoop(sampler, {
      windowMs,
      keepsRecent: options.keepsRecent && sampler.kind === 'wall',
      send,
      onSuccess: state.succeeded,
      onFailure: state.failed,
    }),
  );
  let stopping: Promise<void> | undefined;
  return {
    stats: state.stats,
    async recent() {
      const windows =
        stopping === undefined ? (loops.find(({ kind }) => kind === 'wall')?.recent() ?? []) : [];
      return Promise.all(
        windows.map(async ({ startedAt, stoppedAt, encode }) => ({
          startedAt,
          stoppedAt,
          data: await encode(),
        })),
      );
    },
    stop(deadlineMs) {
      state.end();
      unfollow();
      stopping ??= finishAll(loops, deadlineMs, cut);
      return stopping;
    },
  };
}

function prepare(
  options: PyroscopeOptions,
): { library: Library; to: Destination; maps: SourceMaps | undefined } | string {
  try {
    const to = destination(options);
    const library = loadLibrary();
    return { library, to, maps: options.sourceMaps ? createSourceMaps(library) : undefined };
  } catch (error) {
    return errorText(error);
  }
}

function startSamplers(
  options: PyroscopeOptions,
  library: Library,
  maps: SourceMaps | undefined,
  state: ServerState,
  log: Log,
): { started: { sampler: Sampler; windowMs: number }[]; unfollow(): void } {
  let unfollow = (): void => {};
  const started: { sampler: Sampler; windowMs: number }[] = [];
  const attempt = (start: () => { sampler: Sampler; windowMs: number }) => {
    try {
      started.push(start());
    } catch (error) {
      state.stats.lastError = errorText(error);
      log.warn(`continuous profiling is incomplete: ${state.stats.lastError}`);
    }
  };
  const twice = () =>
    log.warnOnce(
      'pyroscope-twice',
      'the application starts Pyroscope too; each gets a part of the wall profiles',
    );
  attempt(() => {
    const { heapSamplingIntervalBytes: samplingIntervalBytes, heapStackDepth: stackDepth } = options;
    const sampler = startHeap(library, maps, { samplingIntervalBytes, stackDepth }, twice);
    return { sampler, windowMs: options.flushIntervalMs };
  });
  attempt(() => {
    const windowMs = Math.min(options.wallSamplingDurationMs, options.flushIntervalMs);
    const sampler = startWall(library, maps, {
      windowMs,
      samplingIntervalMicros: options.wallSamplingIntervalMicros,
      collectCpuTime: options.collectCpuTime,
      carryLabels: options.spans !== undefined && hasContextFrames,
    });
    bindLabels(sampler.labels);
    if (options.spans !== undefined) unfollow = followSpans(options.spans, sampler.labels);
    return { sampler, windowMs };
  });
  return { started, unfollow: () => unfollow() };
}

async function finishAll(loops: ProfileLoop[], deadlineMs: number, cut: AbortController): Promise<void> {
  bindLabels(undefined);
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>(resolve => {
    // Holds the process on purpose: all else here is unref'd, and a process about to end would end in mid-flush.
    timer = setTimeout(() => {
      cut.abort(new Error(`cut off after ${deadlineMs} ms, because the process ends`));
      // A turn later, so that the caller, who may end the process at once, finds the loss counted and said.
      setImmediate(resolve);
    }, deadlineMs);
  });
  await Promise.race([Promise.all(loops.map(loop => loop.finish())), deadline]);
  clearTimeout(timer);
}
