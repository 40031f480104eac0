import { basename, join } from 'node:path';
import { recordHistory } from '../history/recorder';
import type { MeterContext } from '../meters/context';
import type { GcSource } from '../meters/gc-source';
import type { CaptureKind, CaptureOptions, CaptureRecord, Trigger } from './capture';
import type { GivenProfile, PyroscopeSettings, StallEnd, WorkerMethods, WorkerSettings } from './contract';
import { beatIntervalMs, createHeartbeatMemory, startHeartbeat } from './heartbeat';
import { logContention } from './main/contention';
import { createHeapSampler, loadBinding } from './main/heap-sampler';
import { hostMethods } from './main/host';
import { keepWorker } from './main/keep-worker';
import { createCaptureMetrics } from './main/metrics';
import { trackResources } from './main/resource-tracker';
import { createRoutes, type RouteHandler } from './main/routes';
import { createSessionMemory, endSessions } from './open-sessions';
import { collectFromThreads } from './thread-contention';

/** Bytes between two heap samples where they are not to be taken before somebody asks. */
const defaultHeapBytes = 524_288;
/** Milliseconds that an exit waits for the worker to let go of the main thread; mostly it takes one or two. */
const exitMs = 1000;

/** Where the admin server listens. */
export interface AdminAddress {
  readonly url: string;
  readonly port: number;
}

/** A capture that the main thread asked for. */
export interface StartedCapture {
  readonly id: string;
  stop(): void;
  cancel(): void;
  readonly done: Promise<CaptureRecord>;
}

/** Profiling on demand, as the main thread has it. The work is done by a worker thread. */
export interface Profiling {
  /** The admin server once it listens; `undefined` where its port is not to be had. */
  readonly admin: Promise<AdminAddress | undefined>;
  /** Resolves when the capture has begun. @throws ProfilingError */
  start(kind: CaptureKind, options: CaptureOptions, trigger: Trigger): Promise<StartedCapture>;
  /** Keeps a profile that was taken elsewhere among the captures. @throws ProfilingError */
  keep(profile: GivenProfile, trigger: Trigger): Promise<CaptureRecord>;
  /** Ends the captures that are to be kept early, and resolves when they are. Rejects after `deadlineMs`. */
  endKept(deadlineMs: number): Promise<void>;
  /** Has `begin` called when such captures run, and its result when they no longer do. */
  whileKeeping(begin: () => () => void): void;
  /** Leaves the main thread alone from now on, because the process exits. Blocks until that is so, for a moment. */
  leave(): void;
  /** Adds a page to the admin server; the result takes it away. */
  route(path: string, handler: RouteHandler): () => void;
  /** Hears of blocks of the event loop over VITALS_STALL_MS; the result ends that. */
  onStall(listener: (stall: StallEnd) => void): () => void;
  /** Ends captures, server and worker. Never rejects. */
  stop(): Promise<void>;
}

export interface ProfilingFacts {
  /** Of the resource. */
  readonly attribute: (name: string) => string | undefined;
  /** Path of the application's main script; empty where there is none. */
  readonly entry: string;
  /** Whether to have the admin server; captures are taken without it too. */
  readonly serve: boolean;
  /** Where the auto-profiler's captures go too. */
  readonly pyroscope: PyroscopeSettings | undefined;
  /** The collections; `undefined` where they are not measured. */
  readonly gc: GcSource | undefined;
}

/**
 * Starts the worker that takes captures and serves them. In a thread of its own it answers while the main thread is
 * blocked, which is when it is asked, and what it does with a profile costs the application nothing.
 *
 * @throws where Node.js does not let us have a worker
 */
export function startProfiling(context: MeterContext, facts: ProfilingFacts): Profiling {
  const { config, log } = context;
  const intervalMs = beatIntervalMs(config.stallMs);
  const heartbeat = createHeartbeatMemory();
  const sessions = createSessionMemory();
  const heapBytes = config.captureHeapBytes || defaultHeapBytes;
  const heap = createHeapSampler(heapBytes, loadBinding());
  const contention = logContention();
  const stopCollecting = collectFromThreads(contention, log);
  const tracker = config.trackResources ? trackResources() : undefined;
  const routes = createRoutes();
  const stallListeners = new Set<(stall: StallEnd) => void>();
  let served: (address: AdminAddress | undefined) => void = () => {};
  const admin = new Promise<AdminAddress | undefined>(resolve => {
    served = resolve;
  });
  if (!facts.serve) served(undefined);
  let watchEnd: (() => () => void) | undefined;
  let stopWatchingEnd: (() => void) | undefined;
  const methods = hostMethods({
    context,
    heap,
    tracker,
    contention,
    metrics: createCaptureMetrics(context),
    routes,
    onStall(stall) {
      for (const listener of stallListeners) listener(stall);
    },
    onKeeping(keeps) {
      if (keeps) stopWatchingEnd ??= watchEnd?.();
      else {
        stopWatchingEnd?.();
        stopWatchingEnd = undefined;
      }
    },
    onServing(where) {
      if ('error' in where) {
        log.warn(
          `the admin server is off: ${config.adminHost}:${config.adminPort} is not to be had (${where.error}); ` +
            'choose another VITALS_ADMIN_PORT, or 0 for a free one',
        );
        served(undefined);
        return;
      }
      if (config.adminPort === 0) log.notice(`the admin server is at ${where.url}`);
      else log.info(`the admin server is at ${where.url}`);
      served(where);
    },
  });
  const settings: WorkerSettings = {
    heartbeat,
    sessions,
    stallMs: config.stallMs,
    folder: config.captureDir,
    maxBytes: config.captureMaxBytes,
    heapIntervalBytes: config.pyroscopeAddress === undefined ? heapBytes : config.pyroscopeHeapBytes,
    sourceMaps: config.sourceMaps,
    program: basename(facts.entry) || 'node',
    commandLine: [process.execPath, ...process.execArgv, ...process.argv.slice(1)],
    service: facts.attribute('service.name') ?? 'unknown_service:node',
    serviceVersion: facts.attribute('service.version'),
    admin: facts.serve
      ? { host: config.adminHost, port: config.adminPort, token: config.adminToken }
      : undefined,
    processStartedAt: Date.now() - performance.now(),
    pyroscope: facts.pyroscope,
  };

  const stopListening = (): void => {
    stopCollecting();
    contention.stop();
    tracker?.stop();
  };
  let thread: ReturnType<typeof keepWorker<WorkerMethods>>;
  try {
    thread = keepWorker<WorkerMethods>(join(__dirname, 'profiling-worker.js'), settings, methods, log);
  } catch (error) {
    stopListening();
    throw error;
  }
  const beforeExit = (): void => {
    endSessions(sessions, () => thread.peer().notify('exiting', undefined), exitMs);
  };
  process.once('exit', beforeExit);
  if (config.captureHeapBytes > 0) heap.start();
  const stopHeartbeat = startHeartbeat(heartbeat, intervalMs);
  const stopHistory = facts.serve
    ? recordHistory(context, facts.gc, sample => thread.peer().notify('sample', sample))
    : () => {};
  return {
    admin,
    async start(kind, options, trigger) {
      const peer = thread.peer();
      const { id } = await peer.call('start', { kind, options, trigger }, 0);
      const done = peer.call('result', id, 0);
      done.catch(() => {
        // Whoever waits for the result hears of it; nobody may.
      });
      return {
        id,
        done,
        stop: () => peer.notify('stop', id),
        cancel: () => peer.notify('cancel', id),
      };
    },
    keep: (profile, trigger) => thread.peer().call('keep', { profile, trigger }, 0),
    endKept: deadlineMs => thread.peer().call('endKept', undefined, deadlineMs),
    leave: beforeExit,
    whileKeeping(begin) {
      watchEnd = begin;
    },
    route: routes.add,
    onStall(listener) {
      stallListeners.add(listener);
      return () => stallListeners.delete(listener);
    },
    async stop() {
      served(undefined);
      watchEnd = undefined;
      stopWatchingEnd?.();
      stopHeartbeat();
      stopHistory();
      stopListening();
      await thread.stop();
      process.off('exit', beforeExit);
      heap.stop();
    },
  };
}
