import { eventLoopMetrics, gcMetrics, heapMetrics, processMetrics } from '../../../instrumentation/catalogue';
import { label, max, perInstance, rate, series, sum } from '../promql';

/** Collections that code asked for are nobody's garbage, and would hide what the application costs itself. */
const unforced = { 'vitals.gc.forced': '=""' } as const;

const gcKind = label(gcMetrics.duration, 'v8js.gc.type');

/** Seconds of a second that collections stopped the main thread, by process. */
export const gcShare = sum(rate(series(gcMetrics.duration, unforced, '_sum')), perInstance);

/** The same by kind of collection, over all processes chosen. */
export const gcShareByKind = max(
  sum(rate(series(gcMetrics.duration, unforced, '_sum')), [...perInstance, gcKind]),
  [gcKind],
);

/** How full the old generation is, by process: the limit of the whole heap includes room that old objects can't use. */
export const heapShare = `${sum(series(heapMetrics.used, { 'v8js.heap.space.name': '!~"new_.*"' }), perInstance)}
  / ${max(series(heapMetrics.oldGenerationLimit), perInstance)}`;

/** Resident memory as a share of what the process may use. */
export const memoryShare = `${max(series(processMetrics.memoryUsage), perInstance)}
  / ${max(series(processMetrics.memoryLimit), perInstance)}`;

/** Open file descriptors as a share of the limit. */
export const fileDescriptorShare = `${max(series(processMetrics.fileDescriptors), perInstance)}
  / ${max(series(processMetrics.fileDescriptorLimit), perInstance)}`;

/** CPU time as a share of the CPUs that the process may use. */
export const cpuShare = sum(series(processMetrics.cpuUtilization), perInstance);

/** Seconds of a second that the event loop was active, over the graph's own window. */
export const activeShare = sum(
  rate(series(eventLoopMetrics.time, { 'nodejs.eventloop.state': '="active"' })),
  perInstance,
);
