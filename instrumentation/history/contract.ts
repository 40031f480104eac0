/** Milliseconds between two samples. */
export const sampleIntervalMs = 2000;

/** The charts of the status page. Units: `ms`, `bytes`, `percent`, `per-second` and `count`. */
export const charts = {
  delay: { title: 'Event-loop delay', unit: 'ms', kind: 'line' },
  cpu: { title: 'CPU and event loop', unit: 'percent', kind: 'line' },
  heap: { title: 'Heap by space', unit: 'bytes', kind: 'stack' },
  memory: { title: 'Resident memory', unit: 'bytes', kind: 'line' },
  gc: { title: 'Longest garbage collection pause', unit: 'ms', kind: 'line' },
  gcTime: { title: 'Time in garbage collection, share', unit: 'percent', kind: 'stack' },
  requests: { title: 'Requests by route', unit: 'per-second', kind: 'line' },
  p50: { title: 'Response time by route, median', unit: 'ms', kind: 'line' },
  p99: { title: 'Response time by route, p99', unit: 'ms', kind: 'line' },
  pools: { title: 'Pools, in use', unit: 'count', kind: 'line' },
  waiting: { title: 'Pools, channels and locks, waiting', unit: 'count', kind: 'line' },
  caches: { title: 'Cache hits', unit: 'percent', kind: 'line' },
} as const satisfies Readonly<Record<string, Chart>>;

export interface Chart {
  readonly title: string;
  readonly unit: 'ms' | 'bytes' | 'percent' | 'per-second' | 'count';
  readonly kind: 'line' | 'stack';
}

export type ChartId = keyof typeof charts;

/** A chart and one of its lines, such as `heap/old_space`. */
export type SeriesName = `${ChartId}/${string}`;

/** What the main thread measured in one interval. */
export interface HistorySample {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly names: readonly SeriesName[];
  /** One for each name. */
  readonly values: readonly number[];
}

/** The samples of the last half hour, by column; `null` where a line has no value. */
export interface History {
  readonly intervalMs: number;
  /** Number of the last sample; to be given as `after` for what comes next. */
  readonly last: number;
  /** Milliseconds since the epoch. */
  readonly at: readonly number[];
  readonly series: Readonly<Record<string, readonly (number | null)[]>>;
}
