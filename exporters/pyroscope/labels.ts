import { createHook, executionAsyncResource } from 'node:async_hooks';
import type { LabelSet } from './library';

/** Where the labels of the running code are set; samples taken from then on carry them. */
export interface LabelTarget {
  setLabels(labels: LabelSet): void;
  /** Runs `fn` with further labels, where they are carried along with asynchronous tasks by themselves. */
  run?<T>(labels: LabelSet, fn: () => T): T;
}

const none: LabelSet = Object.freeze({});

let target: LabelTarget | undefined;
let applied: LabelSet = none;
/** Labelled calls that have not ended. */
let running = 0;
const labelled = new WeakMap<object, LabelSet>();

// The profiler knows one current set of labels for the thread, so every switch between asynchronous tasks has to
// set it anew. That costs every promise of the process something, and is on only while a labelled call runs or waits.
// AsyncLocalStorage is no way to carry the labels: since Node 24 its store is not there yet when `before` is called.
const hook = createHook({
  init(_id, _type, _trigger, resource) {
    if (applied !== none) labelled.set(resource, applied);
  },
  before: () => apply(labelled.get(executionAsyncResource()) ?? none),
  after: () => apply(none),
});

/** Names the profiler that labels go to; without one `wrapWithLabels` only calls its function. */
export function bindLabels(to: LabelTarget | undefined): void {
  target = to;
  applied = none;
}

/**
 * Runs `fn`; the wall and CPU samples taken meanwhile carry `labels` beside those of the callers.
 *
 * When `fn` returns or throws the labels are those of before. When it returns a promise they are also off while it
 * waits, on again where it goes on, and `wrapWithLabels` returns a promise of the same outcome.
 *
 * `wrapWithLabels` of `@pyroscope/nodejs` drops the result, keeps the labels after a throw, and gives an `async`
 * function's labels only to its part before the first `await`.
 */
export function wrapWithLabels<T>(labels: LabelSet, fn: () => T): T {
  if (target === undefined) return fn();
  if (target.run !== undefined) return target.run(labels, fn);
  const outer = applied;
  if (running++ === 0) hook.enable();
  let waiting = false;
  try {
    apply({ ...outer, ...labels });
    const result = fn();
    // Only real promises: `then` of a query builder would run the query.
    if (!(result instanceof Promise)) return result;
    waiting = true;
    // The derived promise takes the place of the original, so that a rejection nobody handles is still reported.
    return result.finally(() => {
      // No `after` follows for the task that this runs in.
      if (release()) apply(none);
    }) as T;
  } finally {
    apply(outer);
    if (!waiting) release();
  }
}

function release(): boolean {
  if (--running > 0) return false;
  hook.disable();
  return true;
}

function apply(labels: LabelSet): void {
  if (labels === applied || target === undefined) return;
  try {
    target.setLabels(labels);
    applied = labels;
  } catch {
    // The profiler was stopped under us; labels without samples are no loss.
  }
}
