/** Something that a fault should show in: its name, or why there is none. */
export type Shown = string | { readonly none: string };

/** What a parameter may be; all are whole numbers. */
export interface Parameter {
  readonly preset: number;
  readonly min: number;
  readonly max: number;
  /** With its unit. */
  readonly what: string;
}

/** Faults of one family are tried together, by one scenario of k6. */
export const faultFamilies = [
  'memory',
  'runtime',
  'database',
  'cache',
  'concurrency',
  'downstream',
  'resources',
] as const;
export type FaultFamily = (typeof faultFamilies)[number];

/** A fault, and where it should be seen. */
export interface FaultEntry {
  readonly family: FaultFamily;
  readonly does: string;
  /** After so many seconds it heals by itself, unless it was asked for another number of them. */
  readonly seconds: number;
  readonly parameters: Readonly<Record<string, Parameter>>;
  readonly shows: {
    /** The metric that moves, by its OpenTelemetry name. */
    readonly metric: string;
    /** The alert of the rules. */
    readonly alert: Shown;
    /** The code of the finding of `GET /vitals`. */
    readonly finding: Shown;
    readonly panel: { readonly board: string; readonly title: string };
  };
}

const number = (preset: number, min: number, max: number, what: string): Parameter => ({
  preset,
  min,
  max,
  what,
});

const noFindingOfHttp = {
  none: 'answers are judged by their objectives, over many processes: the alert says so',
};

/** Every fault there is, by its name. Docs, tests and scenarios are made from it. */
export const faultTable = {
  'heap-leak': {
    family: 'memory',
    does: 'Orders are remembered in a map that nobody empties.',
    seconds: 1800,
    parameters: {
      kibPerSecond: number(1024, 1, 65_536, 'KiB of objects kept each second'),
      mostMib: number(200, 1, 2048, 'MiB at which it keeps no more'),
    },
    shows: {
      metric: 'vitals.heap.live',
      alert: 'VitalsHeapExhaustion',
      finding: 'heap_leak',
      panel: { board: 'Runtime', title: 'Used and live' },
    },
  },
  'listener-leak': {
    family: 'memory',
    does: 'Listeners are added to an emitter that lives as long as the process, each with what it closes over.',
    seconds: 1800,
    parameters: {
      perSecond: number(1000, 1, 20_000, 'listeners added each second'),
      most: number(200_000, 1, 1_000_000, 'listeners at which it adds no more'),
    },
    shows: {
      metric: 'v8js.memory.heap.used',
      alert: 'VitalsHeapExhaustion',
      finding: 'heap_leak',
      panel: { board: 'Runtime', title: 'Used by space' },
    },
  },
  'buffer-leak': {
    family: 'memory',
    does: 'Chunks of uploads are kept: memory outside of the heap.',
    seconds: 1800,
    parameters: {
      kibPerSecond: number(1024, 1, 65_536, 'KiB of buffers kept each second'),
      mostMib: number(200, 1, 2048, 'MiB at which it keeps no more'),
    },
    shows: {
      metric: 'vitals.process.memory.array_buffers',
      alert: 'VitalsMemoryNearLimit',
      finding: 'buffer_leak',
      panel: { board: 'Runtime', title: 'Memory outside of the heap' },
    },
  },
  'timer-leak': {
    family: 'memory',
    does: 'Intervals are begun and never cleared.',
    seconds: 1800,
    parameters: {
      perSecond: number(20, 1, 1000, 'timers begun each second'),
      most: number(20_000, 1, 100_000, 'timers at which it begins no more'),
    },
    shows: {
      metric: 'v8js.resource.active',
      alert: 'VitalsFindingWarning',
      finding: 'resource_leak',
      panel: { board: 'Runtime', title: 'Active resources' },
    },
  },
  'event-loop-block': {
    family: 'runtime',
    does: 'A synchronous calculation holds the event loop up, again and again.',
    seconds: 120,
    parameters: {
      blockMs: number(300, 1, 5000, 'milliseconds of one block'),
      everyMs: number(2000, 20, 60_000, 'milliseconds from one block to the next'),
    },
    shows: {
      metric: 'vitals.eventloop.stall.duration',
      alert: 'VitalsEventLoopStalls',
      finding: 'event_loop_stall',
      panel: { board: 'Runtime', title: 'Stalls' },
    },
  },
  'cpu-burn': {
    family: 'runtime',
    does: 'The function burnCpu takes most of the main thread, in slices; a CPU profile names it.',
    seconds: 120,
    parameters: {
      sliceMs: number(150, 1, 1000, 'milliseconds of one slice'),
      pauseMs: number(15, 1, 1000, 'milliseconds between two slices'),
    },
    shows: {
      metric: 'nodejs.eventloop.utilization',
      alert: 'VitalsEventLoopBusy',
      finding: 'event_loop_stall',
      panel: { board: 'Runtime', title: 'Utilization' },
    },
  },
  'gc-pressure': {
    family: 'runtime',
    does: 'Objects are made that live just long enough to be copied by the collector.',
    seconds: 120,
    parameters: {
      objectsPerTick: number(5000, 1, 100_000, 'objects of some 400 bytes made every 5 milliseconds'),
      kept: number(10_000, 1, 1_000_000, 'objects that are alive at a time'),
    },
    shows: {
      metric: 'v8js.gc.duration',
      alert: 'VitalsGcPauses',
      finding: 'gc_young_generation',
      panel: { board: 'Runtime', title: 'Time in pauses by process' },
    },
  },
  'pool-exhaustion': {
    family: 'database',
    does: 'More callers than there are connections keep these busy, so that everybody waits for one.',
    seconds: 120,
    parameters: {
      callers: number(30, 1, 500, 'callers at a time'),
      holdMs: number(300, 10, 4000, 'milliseconds that each keeps a connection'),
    },
    shows: {
      metric: 'db.client.connection.pending_requests',
      alert: 'VitalsDatabasePoolFull',
      finding: 'db_pool_too_small',
      panel: { board: 'Database', title: 'Queries that wait for a connection' },
    },
  },
  'connection-leak': {
    family: 'database',
    does: 'Transactions are begun and neither committed nor rolled back.',
    seconds: 180,
    parameters: {
      everyMs: number(5000, 50, 60_000, 'milliseconds from one leak to the next'),
      most: number(8, 1, 100, 'connections that are leaked'),
    },
    shows: {
      metric: 'vitals.db.connection.leaks',
      alert: 'VitalsFindingWarning',
      finding: 'db_connection_leak',
      panel: { board: 'Database', title: 'Connections held for too long, queries out of time' },
    },
  },
  'slow-query': {
    family: 'database',
    does: 'A query takes longer than the shop ever waits.',
    seconds: 120,
    parameters: {
      ms: number(1200, 10, 4000, 'milliseconds that it takes'),
      perSecond: number(2, 1, 50, 'runs of it each second'),
    },
    shows: {
      metric: 'vitals.db.slow_queries',
      alert: 'VitalsSlowQueries',
      finding: 'db_slow_query',
      panel: { board: 'Database', title: 'Slow operations' },
    },
  },
  'n-plus-one': {
    family: 'database',
    does: 'A list is read, and then each of its products by itself.',
    seconds: 120,
    parameters: {
      perSecond: number(2, 1, 50, 'lists read each second'),
      products: number(30, 2, 100, 'products of a list'),
    },
    shows: {
      metric: 'db.client.operation.duration',
      alert: {
        none: 'each query is fast: it costs time of the route and of the database, and fails nothing',
      },
      finding: 'db_n_plus_one',
      panel: { board: 'Database', title: 'Operations' },
    },
  },
  'cache-stampede': {
    family: 'cache',
    does: 'The product that everybody looks at falls out of the cache, again and again.',
    seconds: 120,
    parameters: {
      callers: number(150, 2, 5000, 'callers at the moment it is gone'),
      everyMs: number(500, 50, 60_000, 'milliseconds from one time to the next'),
    },
    shows: {
      metric: 'vitals.cache.stampede.suppressed',
      alert: { none: 'the cache loads once for all of them, so nothing fails and the source is spared' },
      finding: 'cache_stampede',
      panel: { board: 'Cache', title: 'Loads spared' },
    },
  },
  'cache-penetration': {
    family: 'cache',
    does: 'Products are asked for that nobody sells, each another, so that no cache helps.',
    seconds: 300,
    parameters: { perSecond: number(200, 1, 5000, 'lookups each second') },
    shows: {
      metric: 'vitals.cache.loads',
      alert: 'VitalsCacheHitsLow',
      finding: 'cache_low_hit_ratio',
      panel: { board: 'Cache', title: 'Loads by result' },
    },
  },
  'cache-avalanche': {
    family: 'cache',
    does: 'All products fall out of the cache at once, again and again, while customers go on looking.',
    seconds: 300,
    parameters: {
      everyMs: number(500, 50, 60_000, 'milliseconds from one time to the next'),
      perSecond: number(200, 1, 5000, 'lookups each second'),
    },
    shows: {
      metric: 'vitals.cache.operations',
      alert: 'VitalsCacheHitsLow',
      finding: 'cache_low_hit_ratio',
      panel: { board: 'Cache', title: 'Hits, as a share of lookups' },
    },
  },
  'redis-down': {
    family: 'cache',
    does: 'Redis cannot be reached by this process: its connections are broken and new ones refused.',
    seconds: 120,
    parameters: {},
    shows: {
      metric: 'vitals.cache.tier.available',
      alert: 'VitalsCacheTierDown',
      finding: 'cache_tier_down',
      panel: { board: 'Cache', title: 'Tiers that answer' },
    },
  },
  'lock-convoy': {
    family: 'concurrency',
    does: 'Many want the stock of one product again and again, so that all of them wait for others.',
    seconds: 120,
    parameters: {
      callers: number(25, 1, 500, 'callers at a time'),
      holdMs: number(10, 1, 5000, 'milliseconds that each keeps the lock'),
    },
    shows: {
      metric: 'vitals.lock.waiters',
      alert: 'VitalsLockContention',
      finding: 'lock_convoy',
      panel: { board: 'Pools, workers, channels and locks', title: 'Waiters and holders' },
    },
  },
  'worker-pool-saturation': {
    family: 'concurrency',
    does: 'The threads of the recommendations are given more to do than they can queue.',
    seconds: 120,
    parameters: {
      tasks: number(300, 1, 5000, 'tasks at a time'),
      everyMs: number(500, 20, 60_000, 'milliseconds from one time to the next'),
    },
    shows: {
      metric: 'vitals.worker_pool.rejected',
      alert: 'VitalsWorkerTasksRejected',
      finding: 'queue_saturated',
      panel: { board: 'Pools, workers, channels and locks', title: 'Refused, abandoned, crashed' },
    },
  },
  'channel-backlog': {
    family: 'concurrency',
    does: 'The table of order events is locked by somebody, while more events come than the channel holds.',
    seconds: 120,
    parameters: { perSecond: number(500, 1, 10_000, 'events sent each second') },
    shows: {
      metric: 'vitals.channel.length',
      alert: 'VitalsChannelBacklog',
      finding: 'queue_saturated',
      panel: { board: 'Pools, workers, channels and locks', title: 'Full, as a share of the capacity' },
    },
  },
  'slow-payment': {
    family: 'downstream',
    does: 'The payment gateway answers late.',
    seconds: 120,
    parameters: { latencyMs: number(1500, 1, 60_000, 'milliseconds that each of its answers takes') },
    shows: {
      metric: 'http.client.request.duration',
      alert: 'VitalsLatencyBudget',
      finding: noFindingOfHttp,
      panel: { board: 'HTTP', title: 'Duration p99 by server' },
    },
  },
  'error-burst': {
    family: 'downstream',
    does: 'A share of all requests is answered with status 500.',
    seconds: 60,
    parameters: { percent: number(30, 1, 100, 'percent of the requests') },
    shows: {
      metric: 'http.server.request.duration',
      alert: 'VitalsErrorBudget',
      finding: noFindingOfHttp,
      panel: { board: 'HTTP', title: 'Failed requests by kind' },
    },
  },
  'file-descriptor-leak': {
    family: 'resources',
    does: 'Files are opened and not closed.',
    seconds: 120,
    parameters: {
      perSecond: number(50, 1, 5000, 'files opened each second'),
      most: number(2000, 1, 100_000, 'files at which it opens no more'),
    },
    shows: {
      metric: 'process.unix.file_descriptor.count',
      alert: 'VitalsFileDescriptorsNearLimit',
      finding: 'file_descriptors',
      panel: { board: 'Runtime', title: 'File descriptors against their limit' },
    },
  },
} as const satisfies Readonly<Record<string, FaultEntry>>;

export type FaultName = keyof typeof faultTable;
export const faultNames = Object.keys(faultTable) as FaultName[];

/** Longest that a fault may be asked for, in seconds. */
export const mostSeconds = 3600;
