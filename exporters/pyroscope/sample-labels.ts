import type { LabelSet, WallTime } from './library';

/** What the samples that are taken from now on carry: an application's labels and those of a span. */
export interface SampleLabels {
  /** Whether what runs later because of the running code carries its labels by itself. */
  readonly carries: boolean;
  setLabels(labels: LabelSet): void;
  setSpan(labels: LabelSet | undefined): void;
  /** Runs `fn` with further labels; only where they are carried. */
  run?<T>(labels: LabelSet, fn: () => T): T;
  /** To be called after a window was taken. */
  renew(): void;
}

/** What the profiler keeps with a sample. The library's own profiler has labels in the same place. */
interface SampleContext {
  labels: LabelSet | undefined;
  /** Those of them that are the application's. */
  readonly own?: LabelSet;
}

/** The labels of a sample, when the profile is made of the samples. */
export function labelsOf({ context }: { context?: { context?: object } }): LabelSet {
  return (context?.context as SampleContext | undefined)?.labels ?? {};
}

const none: LabelSet = Object.freeze({});

/**
 * Labels where the profiler knows one set of them, that of the moment: whoever switches between asynchronous tasks
 * has to set them anew.
 *
 * A set is given to the profiler once for each sample. Up to the next sample it is changed in place, which is a write
 * to a property, where giving it is a call into native code; spans switch far more often than samples are taken.
 */
export function momentaryLabels(time: WallTime): SampleLabels {
  const { kSampleCount } = time.constants;
  let state: Readonly<Record<number, number>> | undefined;
  let given: SampleContext | undefined;
  let samples = 0;
  let own: LabelSet = none;
  let span: LabelSet | undefined;

  const apply = (): void => {
    const labels = own === none ? span : span === undefined ? own : { ...own, ...span };
    if (given !== undefined && state?.[kSampleCount] === samples) {
      given.labels = labels;
      return;
    }
    // Whoever stopped it from outside has no samples to label, and this may be called wherever the application is.
    if (!time.isStarted()) return;
    state ??= time.getState();
    samples = state[kSampleCount]!;
    given = { labels };
    time.setContext(given);
  };
  return {
    carries: false,
    setLabels(labels) {
      own = Object.keys(labels).length === 0 ? none : labels;
      apply();
    },
    setSpan(labels) {
      if (labels === span) return;
      span = labels;
      apply();
    },
    renew() {
      // The profiler counts samples from nothing again, so that their number tells nothing; and it may be another.
      state = undefined;
      given = undefined;
      apply();
    },
  };
}

/**
 * Labels that V8 carries along with whatever runs later because of the running code, as it does for
 * `AsyncLocalStorage` from Node.js 24 on; there is nothing to be done at a switch between tasks.
 */
export function carriedLabels(time: WallTime): SampleLabels {
  let everRun = false;
  const current = (): SampleContext | undefined => time.getContext() as SampleContext | undefined;
  return {
    carries: true,
    setLabels() {
      // Set by `run`.
    },
    setSpan(span) {
      if (!time.isStarted()) return;
      const own = everRun ? current()?.own : undefined;
      if (own === undefined) time.setContext(span === undefined ? undefined : { labels: span });
      else time.setContext({ labels: { ...own, ...span }, own });
    },
    run(labels, fn) {
      if (!time.isStarted()) return fn();
      everRun = true;
      const outer = current();
      return time.runWithContext(
        { labels: { ...outer?.labels, ...labels }, own: { ...outer?.own, ...labels } },
        fn,
      );
    },
    renew() {
      // They hang on the running code, not on the profiler.
    },
  };
}

/** Whether labels are carried, found out by carrying one. To be called while the profiler runs with `useCPED`. */
export function carriesLabels(time: WallTime): boolean {
  return time.runWithContext({ labels: none }, () => time.getContext() !== undefined);
}
