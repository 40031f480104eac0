/** From where a value deserves a look, and from where it hurts users; boards and alerts share the numbers. */
export interface Threshold {
  readonly warning: number;
  readonly critical: number;
}

/** Shares are of 1. */
export const thresholds = {
  /** Every request waits this long at least once; a tenth of a second is what people notice. */
  eventLoopDelaySeconds: { warning: 0.1, critical: 0.5 },
  /** Queueing delay grows with 1/(1-utilization): threefold at 0.7, tenfold at 0.9. */
  eventLoopUtilization: { warning: 0.7, critical: 0.9 },
  /** V8 spends its time collecting well before the old generation is full. */
  heapShare: { warning: 0.8, critical: 0.9 },
  /** Of what a collection left: from four fifths on V8 ends a process that does little but collect. */
  liveShare: { warning: 0.65, critical: 0.75 },
  gcPauseShare: { warning: 0.05, critical: 0.15 },
  gcPauseSeconds: { warning: 0.1, critical: 0.5 },
  cpuShare: { warning: 0.8, critical: 0.95 },
  /** The kernel kills at 1, without a word in the application's log. */
  memoryShare: { warning: 0.8, critical: 0.9 },
  fileDescriptorShare: { warning: 0.7, critical: 0.9 },
  /** Restarts within the graph's range on the board, within ten minutes for the alert. */
  restarts: { warning: 1, critical: 3 },
  /** Of requests; a service that promises 99.9 % has none to spare at a tenth of it. */
  errorShare: { warning: 0.01, critical: 0.05 },
  /** 99th percentile of a request. */
  requestSeconds: { warning: 0.5, critical: 2 },
  /** 99th percentile of a database operation. */
  operationSeconds: { warning: 0.1, critical: 1 },
  connectionWaitSeconds: { warning: 0.05, critical: 0.5 },
  /** 99th percentile of a lookup in a cache; what takes longer is no cache. */
  lookupSeconds: { warning: 0.01, critical: 0.1 },
  findings: { warning: 1, critical: 5 },
  /** Callers queue when a peak meets a pool this full. */
  poolShare: { warning: 0.8, critical: 1 },
  queueShare: { warning: 0.5, critical: 0.9 },
  /** Of calls that got the lock: half of them waited for another. */
  lockContention: { warning: 0.5, critical: 0.9 },
  workerUtilization: { warning: 0.8, critical: 0.95 },
  stallsPerMinute: { warning: 6, critical: 30 },
  /** Of loads of a cache, and of queries. */
  failedShare: { warning: 0.05, critical: 0.25 },
  /** Of lookups of the first tier that many ask; less is hardly a cache. */
  cacheHits: { warning: 0.5, critical: 0.2 },
  slowQueriesPerMinute: { warning: 6, critical: 60 },
  /** Prometheus gives a scrape ten seconds unless told otherwise. */
  scrapeSeconds: { warning: 1, critical: 5 },
} as const satisfies Record<string, Threshold>;

/** What a service promises: the share of requests that may fail, and that may take longer than so many seconds. */
export const slo = { errors: 0.001, seconds: 0.5, slow: 0.01 } as const;
