/** What can be captured. The names are Go's, and so is their meaning as far as Node.js has it. */
export const captureKinds = ['cpu', 'heap', 'allocs', 'trace', 'goroutine', 'block', 'mutex'] as const;
export type CaptureKind = (typeof captureKinds)[number];

/** Longest capture, in milliseconds. */
export const maxDurationMs = 5 * 60_000;

export interface CaptureOptions {
  /**
   * How long to watch, in milliseconds. 0 is a reading of what there is now, for the kinds that have one: `heap`,
   * `goroutine`, `block`, `mutex`. With a duration these give what changed during it.
   */
  readonly durationMs: number;
  /** Collect garbage before the heap is read. */
  readonly gc?: boolean;
  /** Whether the result is kept in the store. */
  readonly store: boolean;
}

/** Why a capture was taken; kept beside it. */
export interface Trigger {
  /** `pprof`: asked for at `/debug/pprof/`; `manual`: at `/profiling/start`; `auto`: by a rule. */
  readonly source: 'pprof' | 'manual' | 'auto';
  /** Which rule fired, on which values: whatever explains it, as JSON. */
  readonly reason?: Readonly<Record<string, unknown>>;
}

/** The facts about a finished capture, as they lie beside it on disk. */
export interface CaptureRecord {
  readonly id: string;
  readonly kind: CaptureKind;
  /** `pprof` is gzip'd protobuf; `trace` is gzip'd JSON of Chrome's trace format. */
  readonly format: 'pprof' | 'trace';
  readonly trigger: Trigger;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly durationMs: number;
  /** Whether it was ended before its time. */
  readonly stopped: boolean;
  /** Size of the file. */
  readonly bytes: number;
  readonly service: string;
  readonly serviceVersion?: string;
  readonly nodeVersion: string;
  readonly pid: number;
  /** What a reader of the capture should know of how it came about. */
  readonly notes: readonly string[];
}

/** A capture that runs. */
export interface Capture<Result> {
  readonly id: string;
  readonly kind: CaptureKind;
  readonly trigger: Trigger;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly durationMs: number;
  /** Ends it now; what was gathered is kept. */
  stop(): void;
  /** Ends it now and throws away what was gathered; `done` rejects with {@link CaptureCancelledError}. */
  cancel(): void;
  readonly done: Promise<Result>;
}
