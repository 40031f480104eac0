import type { StackProfile } from '../pprof/profile';

/** What a capture yields, before it is written down. */
export type Recording =
  | { readonly format: 'pprof'; readonly profile: StackProfile }
  | { readonly format: 'trace'; readonly gzipped: Buffer; readonly notes: readonly string[] };

/** A capture at work. */
export interface Recorder {
  /** Resolves when it can't go on by itself, as when it has no more room; the others run until they are finished. */
  readonly full?: Promise<void>;
  /** Ends it and gives what was gathered. */
  finish(): Promise<Recording>;
  /** Ends it and gives nothing. Never rejects. */
  abort(): Promise<void>;
}

/** One kind of capture. */
export interface Capturer {
  /** Whether it can give what there is now, without watching for a while. */
  readonly instant: boolean;
  /** Milliseconds watched where the caller doesn't say. */
  readonly defaultMs: number;
  /** Begins to watch. @throws ProfilingError where it can't. */
  begin(options: { readonly durationMs: number; readonly gc: boolean }): Promise<Recorder>;
}
