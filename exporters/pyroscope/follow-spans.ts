import { createHook } from 'node:async_hooks';
import type { SampleLabels } from './sample-labels';
import type { SpanSource } from './spans';

/** Whether V8 carries data along with asynchronous tasks, unless Node.js was told to do without. */
export const hasContextFrames = Number(process.versions.node.split('.')[0]) >= 24;

/**
 * Gives the samples of a span's code, that before and after its waiting included, the labels of the span.
 *
 * Where labels are not carried along with asynchronous tasks, they are set at the begin of each: a hook that is called
 * for each task of the process, promises included, and is there only with span profiles.
 *
 * @returns a function that ends it
 */
export function followSpans(source: SpanSource, labels: SampleLabels): () => void {
  const hook = labels.carries ? undefined : createHook({ before: () => labels.setSpan(source.active()) });
  const { carries } = labels;
  source.follow({ carries, switched: span => labels.setSpan(span) });
  hook?.enable();
  return () => {
    source.follow(undefined);
    hook?.disable();
  };
}
