import type { LabelSet } from './library';

/** What the profiler is told of spans. */
export interface SpanFollower {
  /**
   * Whether what runs later because of the running code has its labels by itself. Where it has not, `switched` is to
   * be called at the end of a span's code too, and the follower asks for the labels at each asynchronous step.
   */
  readonly carries: boolean;
  /** From here on code of the span with these labels runs, or of none. */
  switched(labels: LabelSet | undefined): void;
}

/** Tracing, as the profiler sees it. */
export interface SpanSource {
  /** Labels of the span that the running code belongs to. */
  active(): LabelSet | undefined;
  /** Names the one follower, from now on; `undefined` names none. */
  follow(follower: SpanFollower | undefined): void;
}
