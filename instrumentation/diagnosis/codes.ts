/** How bad it is: worth knowing, to be looked at, or about to end in an outage. */
export const severities = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof severities)[number];

/** What is known of a kind of finding before it is found. */
export interface FindingDefinition {
  readonly severity: Severity;
  /** What is wrong, in a few words that the subject's name goes before. */
  readonly title: string;
  /** The first thing to do about it. */
  readonly advice: string;
  /** Looks in a row that must see it before it is said; 1 where a single event says enough. */
  readonly raiseAfter: number;
  /** Looks in a row that must not see it before it counts as resolved. */
  readonly clearAfter: number;
}

/** Looks are ten seconds apart. */
const halfAMinute = 3;
const threeMinutes = 18;
const tenMinutes = 60;

/** Every finding there is, by its code. Codes are stable: alerts and runbooks are named by them. */
export const findingDefinitions = {
  heap_headroom: {
    severity: 'critical',
    title: 'has had three quarters of its limit alive for half a minute',
    advice:
      'Take a heap profile now, and raise --max-old-space-size if the live heap is meant to be that large.',
    raiseAfter: halfAMinute,
    clearAfter: halfAMinute,
  },
  memory_headroom: {
    severity: 'critical',
    title: 'has been within a tenth of the memory it may use for half a minute',
    advice: 'See whether the heap, buffers or native memory grew; raise the limit if that is meant.',
    raiseAfter: halfAMinute,
    clearAfter: halfAMinute,
  },
  file_descriptors: {
    severity: 'warning',
    title: 'has had four fifths of its file descriptors open for half a minute',
    advice: 'See which sockets or files are not closed; raise the limit if that many are meant.',
    raiseAfter: halfAMinute,
    clearAfter: halfAMinute,
  },
  pool_exhausted: {
    severity: 'warning',
    title: 'has all its objects in use, and callers wait or were turned away',
    advice: 'Find who holds the objects for long; raise the limit where what is behind the pool can take it.',
    raiseAfter: halfAMinute,
    clearAfter: halfAMinute,
  },
  pool_leak: {
    severity: 'warning',
    title: 'has an object in use for too long, which is likely never given back',
    advice:
      'See that the code at the stack gives it back on every path, or use the method that does it by itself.',
    raiseAfter: 1,
    clearAfter: tenMinutes,
  },
  queue_saturated: {
    severity: 'warning',
    title: 'has had a full queue for half a minute, and tasks or messages wait or were turned away',
    advice:
      'See what the workers or receivers wait for, or add more of them; a longer queue only fails later.',
    raiseAfter: halfAMinute,
    clearAfter: halfAMinute,
  },
  sends_dropped: {
    // Some are meant to, such as those of which the latest message counts.
    severity: 'info',
    title: 'has dropped messages for half a minute',
    advice: 'Receive faster, or give it more capacity; nothing is to be done where dropping is meant.',
    raiseAfter: halfAMinute,
    clearAfter: halfAMinute,
  },
  lock_convoy: {
    severity: 'warning',
    title: 'has callers queueing for half a minute',
    advice: 'Do less while the lock is held, or divide what it guards among several locks.',
    raiseAfter: halfAMinute,
    clearAfter: halfAMinute,
  },
  lock_held: {
    severity: 'warning',
    title: 'has been held for too long',
    advice: 'See what the code at the stack waits for while it holds the lock, and give that a deadline.',
    raiseAfter: 1,
    clearAfter: tenMinutes,
  },
  db_pool_too_small: {
    severity: 'warning',
    title: 'has had nearly all its connections in use for half a minute, and callers wait for one',
    advice:
      'See that no connection is held while something else is waited for; then raise pool.max, as far as the server can take it.',
    raiseAfter: halfAMinute,
    clearAfter: halfAMinute,
  },
  db_connection_leak: {
    severity: 'warning',
    title: 'has a connection in use for too long, which is likely never given back',
    advice: 'See that the code at the stack commits or rolls back on every path.',
    raiseAfter: 1,
    clearAfter: halfAMinute,
  },
  db_n_plus_one: {
    severity: 'info',
    title: 'reads again and again with one query where one could read all',
    advice: 'Read all at once: with a join, an IN list, or a loader that batches.',
    raiseAfter: 1,
    clearAfter: halfAMinute,
  },
  db_slow_query: {
    severity: 'info',
    title: 'has slow queries',
    advice: 'Look at the plan of the query, and at what it waits for.',
    raiseAfter: 1,
    clearAfter: halfAMinute,
  },
  db_error_rate: {
    severity: 'warning',
    title: 'has had more than one of a hundred queries fail for half a minute',
    advice: 'See which queries fail, and in the log of the server why.',
    raiseAfter: halfAMinute,
    clearAfter: halfAMinute,
  },
  cache_tier_down: {
    severity: 'warning',
    title: 'has failed for half a minute and is left alone',
    advice:
      'See whether Redis is reachable and answers in time; meanwhile the tiers further out and the source do its work.',
    raiseAfter: halfAMinute,
    clearAfter: halfAMinute,
  },
  cache_low_hit_ratio: {
    // What is behind it may be able to take it.
    severity: 'info',
    title: 'has answered less than half of many lookups for three minutes',
    advice: 'Hold more entries, keep them for longer, or do without the cache.',
    raiseAfter: threeMinutes,
    clearAfter: threeMinutes,
  },
  cache_stampede: {
    severity: 'info',
    title: 'has had crowds of callers wait for the same loads for half a minute',
    advice:
      'Serve what is stale while it is loaded, with staleMs, or load it before its time, with earlyRefresh.',
    raiseAfter: halfAMinute,
    clearAfter: halfAMinute,
  },
  cache_backlog: {
    severity: 'warning',
    title: 'has written back too slowly for half a minute',
    advice:
      'See why the source is slow or refuses; until then writes wait, and a crash would lose what is pending.',
    raiseAfter: halfAMinute,
    clearAfter: halfAMinute,
  },
  http_retry_budget: {
    severity: 'warning',
    title: 'has failed so often for half a minute that its retry budget is used up',
    advice: 'See why the other side fails; until it is well, give your users less instead of asking it more.',
    raiseAfter: halfAMinute,
    clearAfter: halfAMinute,
  },
  http_queue_saturated: {
    severity: 'warning',
    title: 'has had all its connections in use for half a minute, and as many requests wait for one',
    advice:
      'See why the other side is slow; raise connections.perOrigin where it can take more, else ask it less.',
    raiseAfter: halfAMinute,
    clearAfter: halfAMinute,
  },
  http_slow_endpoint: {
    severity: 'warning',
    title: 'has answered more than one of twenty requests slowly for half a minute',
    advice: 'See with marks of Server-Timing, or in a trace, where the time goes.',
    raiseAfter: halfAMinute,
    clearAfter: halfAMinute,
  },
  http_failing_endpoint: {
    severity: 'warning',
    title: 'has failed more than one of twenty requests for half a minute',
    advice: 'See in the log what fails, and whether what it depends on is well.',
    raiseAfter: halfAMinute,
    clearAfter: halfAMinute,
  },
  http_connections_not_reused: {
    severity: 'info',
    title: 'has sent less than half of many requests over a connection that was there, for three minutes',
    advice: 'Keep connections alive, and read each answer to its end: every new one costs a handshake.',
    raiseAfter: threeMinutes,
    clearAfter: threeMinutes,
  },
  http_compression_useless: {
    severity: 'info',
    title: 'has saved less than a tenth of much that it compressed, for three minutes',
    advice: 'Leave out, by compressible or filter, what is compressed in itself.',
    raiseAfter: threeMinutes,
    clearAfter: threeMinutes,
  },
  http2_flood: {
    severity: 'warning',
    title: 'has sent away a peer that flooded it',
    advice:
      'See in the log of what is in front who it was, and shut them out there; see that it is no client of your own.',
    raiseAfter: 1,
    clearAfter: tenMinutes,
  },
  heap_leak: {
    severity: 'warning',
    title: 'grows as a leak does',
    advice: 'See what keeps the objects that the sites allocate: caches, maps and listeners that only grow.',
    raiseAfter: 1,
    clearAfter: tenMinutes,
  },
  buffer_leak: {
    severity: 'warning',
    title: 'grows as a leak does',
    advice: 'See who keeps buffers: queues, caches, unfinished streams, small slices of large ones.',
    raiseAfter: 1,
    clearAfter: tenMinutes,
  },
  native_leak: {
    severity: 'warning',
    title: 'grows as a leak does',
    advice: 'Look at native add-ons and at what is not closed; try another allocator.',
    raiseAfter: 1,
    clearAfter: tenMinutes,
  },
  resource_leak: {
    severity: 'warning',
    title: 'is given more and more resources that do not end',
    advice: 'See which timers, sockets or requests are begun and never ended.',
    raiseAfter: 1,
    clearAfter: tenMinutes,
  },
  event_loop_stall: {
    severity: 'warning',
    title: 'has blocked the event loop',
    advice:
      'Do less at a time there, or do it in a worker thread; what it waits for synchronously has an asynchronous form.',
    raiseAfter: 1,
    clearAfter: tenMinutes,
  },
  gc_young_generation: {
    severity: 'info',
    title: 'is too small for what is allocated',
    advice: 'Start with a larger --max-semi-space-size.',
    raiseAfter: halfAMinute,
    clearAfter: tenMinutes,
  },
  gc_old_generation: {
    severity: 'warning',
    title: 'is so full that collections take a good part of the time',
    advice: 'Start with a larger --max-old-space-size, or keep less.',
    raiseAfter: halfAMinute,
    clearAfter: tenMinutes,
  },
  gc_pauses: {
    severity: 'info',
    title: 'stop the process for longer than is aimed at',
    advice: 'Keep fewer objects alive.',
    raiseAfter: halfAMinute,
    clearAfter: tenMinutes,
  },
} as const satisfies Readonly<Record<string, FindingDefinition>>;

export type FindingCode = keyof typeof findingDefinitions;
export const findingCodes = Object.keys(findingDefinitions) as FindingCode[];

/** Where the runbook of a code is, in the repository and in the package. */
export function runbookOf(code: FindingCode): string {
  return `docs/runbooks/${code.replaceAll('_', '-')}.md`;
}
