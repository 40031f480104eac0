import { gcSeconds, waitSeconds } from './buckets';
import { attribute, metric } from './define';

const spaceName = attribute('v8js.heap.space.name', 'Heap space, as V8 names it', {
  bound: "V8's spaces, about ten",
});

export const heapMetrics = {
  used: metric('heap', 'v8js.memory.heap.used', 'gauge', 'By', 'Memory in use in a heap space', {
    attributes: [spaceName],
  }),
  spaceSize: metric('heap', 'v8js.memory.heap.space.size', 'gauge', 'By', 'Committed size of a heap space', {
    attributes: [spaceName],
  }),
  spaceAvailable: metric(
    'heap',
    'v8js.memory.heap.space.available_size',
    'gauge',
    'By',
    'Memory a heap space has free',
    { attributes: [spaceName] },
  ),
  spacePhysical: metric(
    'heap',
    'v8js.memory.heap.space.physical_size',
    'gauge',
    'By',
    'Physical memory a heap space takes',
    { attributes: [spaceName] },
  ),
  limit: metric(
    'heap',
    'vitals.heap.limit',
    'gauge',
    'By',
    "The heap's size limit, young generation included (heap_size_limit)",
  ),
  oldGenerationLimit: metric(
    'heap',
    'vitals.heap.old_generation.limit',
    'gauge',
    'By',
    'What all spaces but those of the young generation may grow to together; past it the process runs out of memory',
  ),
  live: metric(
    'heap',
    'vitals.heap.live',
    'gauge',
    'By',
    'What survived the last major garbage collection that nobody forced: old and large-object space just after it',
  ),
  allocated: metric(
    'heap',
    'vitals.heap.allocated',
    'counter',
    'By',
    'Bytes allocated on the JavaScript heap',
  ),
  promoted: metric(
    'heap',
    'vitals.heap.promoted',
    'counter',
    'By',
    'Bytes that scavenges moved from the young to the old generation',
  ),
  detachedContexts: metric(
    'heap',
    'vitals.heap.detached_contexts',
    'gauge',
    '{context}',
    'Contexts detached and not yet collected; above zero for long is a leak',
  ),
  nativeContexts: metric(
    'heap',
    'vitals.heap.native_contexts',
    'gauge',
    '{context}',
    'Top-level contexts now alive',
  ),
  malloced: metric('heap', 'vitals.heap.malloced', 'gauge', 'By', 'Memory V8 itself took through malloc'),
} as const;

const gcType = attribute('v8js.gc.type', 'Kind of collection', {
  values: ['major', 'minor', 'incremental', 'weakcb'],
});
const gcForced = attribute(
  'vitals.gc.forced',
  'True on collections that code asked for; absent on the others',
  {
    values: ['true'],
  },
);

export const gcMetrics = {
  duration: metric(
    'gc',
    'v8js.gc.duration',
    'histogram',
    's',
    'Pauses of the main thread by garbage collection; work on helper threads is not in it',
    { attributes: [gcType, gcForced], buckets: gcSeconds },
  ),
  freed: metric('gc', 'vitals.gc.freed', 'counter', 'By', 'Bytes that collections freed', {
    attributes: [gcType],
  }),
} as const;

const delay = (statistic: string, words: string) =>
  metric(
    'event-loop',
    `nodejs.eventloop.delay.${statistic}`,
    'gauge',
    's',
    `${words} delay of the event loop over the last 30 to 60 s, the sampling interval subtracted`,
  );
const loopState = attribute('nodejs.eventloop.state', 'What the loop did', { values: ['active', 'idle'] });

export const eventLoopMetrics = {
  min: delay('min', 'Smallest'),
  max: delay('max', 'Largest'),
  mean: delay('mean', 'Mean'),
  stddev: delay('stddev', 'Standard deviation of the'),
  p50: delay('p50', 'Median'),
  p90: delay('p90', '90th percentile of the'),
  p99: delay('p99', '99th percentile of the'),
  time: metric(
    'event-loop',
    'nodejs.eventloop.time',
    'counter',
    's',
    'Time the event loop was active or idle',
    {
      attributes: [loopState],
    },
  ),
  utilization: metric(
    'event-loop',
    'nodejs.eventloop.utilization',
    'gauge',
    '1',
    'Share of the last 10 to 20 s in which the event loop was active',
  ),
  stall: metric(
    'event-loop',
    'vitals.eventloop.stall.duration',
    'histogram',
    's',
    'Blocks of the event loop of VITALS_STALL_MS and more, measured to within 5 ms',
    { buckets: waitSeconds.filter(bound => bound >= 0.05) },
  ),
} as const;

const resourceType = attribute('v8js.resource.type', 'Type of the handle or request, as Node.js names it', {
  bound: "Node.js's types, about fifty",
});
const threadName = attribute(
  'thread.name',
  'Name given to the worker, which Node.js tells since 22.20 and 24.6; else `worker-` and a number',
  {
    bound: '128 worker threads at a time',
  },
);

export const threadMetrics = {
  active: metric(
    'threads',
    'v8js.resource.active',
    'gauge',
    '{resource}',
    'Resources that keep the event loop alive (process.getActiveResourcesInfo)',
    { attributes: [resourceType] },
  ),
  workers: metric(
    'threads',
    'vitals.worker_thread.count',
    'gauge',
    '{thread}',
    'Worker threads of the application that run',
  ),
  workerUtilization: metric(
    'threads',
    'vitals.worker_thread.eventloop.utilization',
    'gauge',
    '1',
    "Share of the last 10 to 20 s in which the worker's event loop was active",
    { attributes: [threadName] },
  ),
  workerHeap: metric(
    'threads',
    'vitals.worker_thread.heap.used',
    'gauge',
    'By',
    "The worker's JavaScript heap",
    {
      attributes: [threadName],
    },
  ),
} as const;
