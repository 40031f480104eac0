import type { Samples } from './samples';

const operation = 'db_client_operation_duration_seconds_count';
const poolLabel = 'db_client_connection_pool_name';

/** `host:port/database` of a server, as its pools are named. */
export function placeOf(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  return `${hostname}:${port}${pathname}`;
}

/** How often each operation ran: by its summary, or by its name where it has none, and after a bar by its error. */
export function operations(metrics: Samples, system: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { labels, value } of metrics.of(operation, { db_system_name: system })) {
    const error = labels['error_type'];
    const what = labels['db_query_summary'] ?? labels['db_operation_name']!;
    counts[error === undefined ? what : `${what} | ${error}`] = value;
  }
  return counts;
}

/** What `later` has more of than `earlier`. */
export function added(
  earlier: Readonly<Record<string, number>>,
  later: Readonly<Record<string, number>>,
): Record<string, number> {
  const more = Object.entries(later).map(([key, count]) => [key, count - (earlier[key] ?? 0)] as const);
  return Object.fromEntries(more.filter(([, count]) => count !== 0));
}

/** The numbers of one pool. */
export function pool(metrics: Samples, name: string) {
  const of = (metric: string, labels = {}) =>
    metrics.value(`db_client_connection_${metric}`, { [poolLabel]: name, ...labels });
  return {
    used: of('count', { db_client_connection_state: 'used' }),
    idle: of('count', { db_client_connection_state: 'idle' }),
    pending: of('pending_requests'),
    limit: of('limit'),
    idleMin: of('idle_min'),
    idleMax: of('idle_max'),
    timeouts: of('timeouts_total'),
    created: of('create_time_seconds_count'),
    waited: of('wait_time_seconds_count'),
    returned: of('use_time_seconds_count'),
  };
}

/** Names of the pools that are shown. */
export const poolNames = (metrics: Samples): string[] =>
  metrics.labels('db_client_connection_count', poolLabel);
