import type { DestinationOptions } from '../../exporters/pyroscope/request';
import type { HistorySample } from '../history/contract';
import type { CaptureKind, CaptureOptions, CaptureRecord, Trigger } from './capture';
import type { Frame } from './pprof/profile';

/** What the worker is started with. */
export interface WorkerSettings {
  /** Shared with the main thread, see `heartbeat.ts`. */
  readonly heartbeat: SharedArrayBuffer;
  /** Shared with the main thread, see `open-sessions.ts`. */
  readonly sessions: SharedArrayBuffer;
  readonly stallMs: number;
  readonly folder: string | undefined;
  readonly maxBytes: number;
  readonly heapIntervalBytes: number;
  readonly sourceMaps: boolean;
  readonly program: string;
  readonly commandLine: readonly string[];
  readonly service: string;
  readonly serviceVersion: string | undefined;
  /** `undefined` where captures are taken without a server. */
  readonly admin:
    | { readonly host: string; readonly port: number; readonly token: string | undefined }
    | undefined;
  /** Milliseconds since the epoch. */
  readonly processStartedAt: number;
  /** Where the auto-profiler's captures go too; `undefined` where no Pyroscope is configured. */
  readonly pyroscope: PyroscopeSettings | undefined;
}

/** A Pyroscope server that captures are handed to. */
export interface PyroscopeSettings {
  readonly to: DestinationOptions;
  readonly timeoutMs: number;
}

/** A node of V8's sampled allocations, as `@datadog/pprof` hands it over. */
export interface AllocationNode {
  readonly name?: string;
  readonly scriptName: string;
  /** Where the function begins, from 1. */
  readonly lineNumber?: number;
  readonly columnNumber?: number;
  readonly children: readonly AllocationNode[];
  readonly allocations: readonly { readonly sizeBytes: number; readonly count: number }[];
}

/** Memory that was in use when its sampling ended. */
export interface CarriedHeap {
  readonly root: AllocationNode;
  /** Milliseconds since the epoch. */
  readonly until: number;
  /** How much of it can be in use still, from 0 to 1: what the heap has beside all that was sampled since. */
  readonly share: number;
}

export interface HeapReading {
  /** `undefined` where the sampler can't be read by the main thread, but by the inspector alone. */
  readonly root: AllocationNode | undefined;
  /** Bytes outside V8's heap that belong to JavaScript objects, such as buffers. */
  readonly externalBytes: number;
  /** When this sampling began, in milliseconds since the epoch; `undefined` when somebody else began it. */
  readonly since: number | undefined;
  /** What an earlier sampling had, where `allocs` took its place. */
  readonly carried?: CarriedHeap;
}

/** Active resources that are alike. */
export interface ResourceGroup {
  /** By the names of `process.getActiveResourcesInfo()`. */
  readonly type: string;
  /** What tells these from others of the type, such as the address a socket is connected to; may be empty. */
  readonly detail: string;
  /** Where they were made, innermost call first; `undefined` where that was not tracked. */
  readonly created: readonly Frame[] | undefined;
  readonly count: number;
}

/** Waits for locks that began at one place. */
export interface ContentionGroup {
  readonly lock: string;
  readonly frames: readonly Frame[];
  readonly count: number;
  readonly waitMs: number;
}

/** Numbers of the main thread for `/profiling/status`. */
export interface MainFigures {
  readonly memory: Readonly<Record<string, number>>;
  readonly heapLimitBytes: number;
  readonly gc: Readonly<Record<string, { readonly count: number; readonly seconds: number }>>;
  readonly eventLoop: {
    readonly utilization: number;
    readonly delaySeconds: Readonly<Record<string, number>>;
  };
  readonly activeResources: number;
}

/** A request for a page that the main thread answers. */
export interface RouteRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface RouteAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** How a capture ended. */
export interface CaptureEnd {
  readonly kind: CaptureKind;
  readonly source: Trigger['source'];
  readonly outcome: CaptureOutcome;
  readonly seconds: number;
  /** 0 where there is no result. */
  readonly bytes: number;
}

export const captureOutcomes = ['complete', 'stopped', 'cancelled', 'failed', 'rejected'] as const;
export type CaptureOutcome = (typeof captureOutcomes)[number];

/** A block of the event loop that has ended. */
export interface StallEnd {
  readonly durationMs: number;
  /** Of it, what the main thread was not made to wait for a CPU, or the machine to sleep. */
  readonly ranMs: number;
  /** Where most of it was spent, innermost call first. */
  readonly frames: readonly Frame[];
}

/** What the main thread answers the worker. */
export type HostMethods = {
  figures(_: undefined): MainFigures;
  readHeap(_: { gc: boolean }): HeapReading;
  /** Begins sampling with what the configuration says, unless somebody samples already. */
  startHeapSampling(_: undefined): void;
  /** `foreign`: somebody else's sampling, which goes on. `absent`: nobody samples. */
  stopHeapSampling(_: undefined): 'stopped' | 'foreign' | 'absent';
  readResources(_: undefined): readonly ResourceGroup[];
  readContention(_: undefined): readonly ContentionGroup[];
  /** The source map that a loader put into the code of `file`, as JSON has it. */
  loadedSourceMap(file: string): object | undefined;
  /** `undefined` where no such page is registered. */
  route(request: RouteRequest): Promise<RouteAnswer | undefined>;
  log(_: { level: 'warn' | 'info' | 'debug'; message: string }): void;
  captureEnded(end: CaptureEnd): void;
  /** Whether Pyroscope took a capture that was for it. */
  captureUploaded(taken: boolean): void;
  /** Whether captures run that will be kept. */
  keeping(keeps: boolean): void;
  stallEnded(stall: StallEnd): void;
  /** The admin server listens, or can't. */
  serving(_: { url: string; port: number } | { error: string }): void;
  /** What lies in the store. */
  stored(_: { count: number; bytes: number }): void;
};

/** A profile that was not captured here. */
export interface GivenProfile {
  readonly kind: CaptureKind;
  /** pprof, gzip'd. */
  readonly data: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly durationMs: number;
  readonly notes: readonly string[];
}

/** What the worker answers the main thread. */
export type WorkerMethods = {
  /** Resolves when it has begun. */
  start(_: {
    kind: CaptureKind;
    options: CaptureOptions;
    trigger: Trigger;
  }): Promise<{ id: string; startedAt: number }>;
  result(id: string): Promise<CaptureRecord>;
  /** Keeps what somebody else has taken as a capture. */
  keep(_: { profile: GivenProfile; trigger: Trigger }): Promise<CaptureRecord>;
  stop(id: string): void;
  cancel(id: string): void;
  /** Ends the captures that are to be kept as `stop` does, and resolves when they are. */
  endKept(_: undefined): Promise<void>;
  /** What the status page draws. */
  sample(sample: HistorySample): void;
  /** The process exits: ends what is open on the main thread, and opens nothing more. */
  exiting(_: undefined): void;
  /** Ends captures and the server. */
  shutdown(_: undefined): Promise<void>;
};
