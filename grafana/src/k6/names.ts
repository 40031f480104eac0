/**
 * What k6 2.x writes with `--out experimental-prometheus-rw` and its default K6_PROMETHEUS_RW_TREND_STATS, and the
 * tags of each that the board uses as labels. Counters end in `_total`, rates in `_rate`, and of a trend there is its
 * 99th percentile, in seconds: https://grafana.com/docs/k6/latest/results-output/real-time/prometheus-remote-write.
 */
export const k6Series = {
  k6_vus: [],
  k6_vus_max: [],
  k6_iterations_total: ['scenario'],
  k6_dropped_iterations_total: ['scenario'],
  k6_iteration_duration_p99: ['scenario'],
  k6_checks_rate: ['scenario', 'check'],
  k6_http_reqs_total: ['scenario', 'name', 'method', 'status', 'expected_response'],
  k6_http_req_duration_p99: ['scenario', 'name', 'method', 'status', 'expected_response'],
  k6_http_req_waiting_p99: ['scenario', 'name', 'method', 'status', 'expected_response'],
  k6_http_req_blocked_p99: ['scenario', 'name', 'method', 'status', 'expected_response'],
  k6_data_sent_total: ['scenario'],
  k6_data_received_total: ['scenario'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

type K6Name = keyof typeof k6Series;

/** A selector of what k6 measured in the scenarios chosen; virtual users belong to no scenario. */
export function k6<Name extends K6Name>(
  name: Name,
  match: Partial<Record<(typeof k6Series)[Name][number], string>> = {},
): string {
  const labels: readonly string[] = k6Series[name];
  const matchers = [
    ...(labels.includes('scenario') ? ['scenario=~"$scenario"'] : []),
    ...Object.entries(match).map(([label, matcher]) => `${label}${matcher}`),
  ];
  return matchers.length === 0 ? name : `${name}{${matchers.join(', ')}}`;
}
