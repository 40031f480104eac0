import type { Interval, LabelFilter } from './prometheus-text';

/** Vital signs of the shop over an interval, undefined where its metrics do not say. Times in seconds. */
export interface VitalSigns {
  readonly requests: number | undefined;
  readonly p50: number | undefined;
  readonly p99: number | undefined;
  /** Answers of 500 and above, and requests that failed without one. */
  readonly errors: number | undefined;
  readonly heapUsed: number | undefined;
  readonly heapLimit: number | undefined;
  readonly gcPauses: number | undefined;
  readonly gcP99: number | undefined;
  readonly gcTime: number | undefined;
  readonly loopP50: number | undefined;
  readonly loopP99: number | undefined;
  /** Seconds that connections of the pool were in use, all together. */
  readonly poolUse: number | undefined;
  readonly poolOpen: number | undefined;
  readonly poolLimit: number | undefined;
  readonly poolWaitP99: number | undefined;
  readonly cacheLookups: number | undefined;
  readonly memoryHits: number | undefined;
  readonly redisHits: number | undefined;
}

const requests = 'http_server_request_duration_seconds';
const gc = 'v8js_gc_duration_seconds';
const cacheOperations = 'vitals_cache_operations_total';

/** Reads the vital signs out of an interval between two scrapes. */
export function readVitalSigns(interval: Interval): VitalSigns {
  const pool = databasePool(interval);
  const lookups = (cache_tier: string, cache_result: string | RegExp) =>
    interval.increase(cacheOperations, { cache_tier, cache_operation: 'get', cache_result });
  const pauses = { vitals_gc_forced: '' };
  return {
    requests: interval.increase(`${requests}_count`),
    p50: interval.quantile(0.5, requests),
    p99: interval.quantile(0.99, requests),
    errors:
      interval.increase(`${requests}_count`, { error_type: /./ }) ??
      (interval.gauge(`${requests}_count`) === undefined ? undefined : 0),
    heapUsed: interval.gauge('v8js_memory_heap_used_bytes'),
    heapLimit: interval.gauge('vitals_heap_limit_bytes'),
    gcPauses: interval.increase(`${gc}_count`, pauses),
    gcP99: interval.quantile(0.99, gc, pauses),
    gcTime: interval.increase(`${gc}_sum`, pauses),
    loopP50: interval.gauge('nodejs_eventloop_delay_p50_seconds'),
    loopP99: interval.gauge('nodejs_eventloop_delay_p99_seconds'),
    poolUse: interval.increase('db_client_connection_use_time_seconds_sum', pool),
    poolOpen: interval.gauge('db_client_connection_count', pool),
    poolLimit: interval.gauge('db_client_connection_limit', pool),
    poolWaitP99: interval.quantile(0.99, 'db_client_connection_wait_time_seconds', pool),
    cacheLookups: lookups('l1', /./),
    memoryHits: lookups('l1', 'hit'),
    redisHits: lookups('l2', 'hit'),
  };
}

/** The pool of PostgreSQL: Redis clients report their connection under the same names, and it has no limit. */
function databasePool({ after }: Interval): LabelFilter {
  const label = 'db_client_connection_pool_name';
  const name = after.find(sample => sample.name === 'db_client_connection_limit')?.labels[label];
  return name === undefined ? {} : { [label]: name };
}
