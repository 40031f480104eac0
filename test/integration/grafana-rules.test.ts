import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { stringify } from 'yaml';
import { ruleFiles } from '../../grafana/src/rules';
import { removeFolder, temporaryFolder } from '../../mall/demo/servers/lifetime';
import { stackConfiguration } from '../helpers/stack-prometheus';

const folder = temporaryFolder('vitals-rules-');
after(() => removeFolder(folder));
const config = stackConfiguration(folder, { shop: ['127.0.0.1:9464'] });

function promtool(...args: string[]): void {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, { encoding: 'utf8' });
  assert.equal(status, 0, `${error?.message ?? ''}${stdout}${stderr}`);
}

const labels = '{job="shop", instance="a:1"}';
const start = `vitals_process_start_time_seconds${labels}`;
/** Whether `alert` fires at `at`, given series in promtool's notation, a value a minute. */
function alertTest(
  alert: string,
  series: Record<string, string>,
  at: string,
  fires: boolean,
  match = 'instance="a:1"',
): void {
  const file = join(folder, 'test.yml');
  writeFileSync(
    file,
    stringify({
      rule_files: [join(folder, 'rules', '*.yml')],
      evaluation_interval: '30s',
      tests: [
        {
          interval: '1m',
          input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
          promql_expr_test: [
            {
              expr: `count(ALERTS{alertname="${alert}", alertstate="firing"${match && `, ${match}`}}) or vector(0)`,
              eval_time: at,
              exp_samples: [{ labels: '{}', value: fires ? 1 : 0 }],
            },
          ],
        },
      ],
    }),
  );
  promtool('test', 'rules', file);
}

test('promtool accepts the configuration and the rules that the stack mounts', () => {
  promtool('check', 'config', config);
});

/** What a series does for some minutes: a gauge has this value, a counter rises by it each minute. */
type Course = Readonly<Record<string, number>>;

interface Case {
  readonly alert: string;
  readonly severity?: string;
  /** Series, without `job` and `instance`, while there is a fault, and while all is just well. */
  readonly fault: Course;
  readonly well: Course;
  /** Minutes of a fault that are too short, and those after which it fires. */
  readonly short: number;
  readonly fires: number;
  /** Minutes after its end in which it resolves. */
  readonly resolves?: number;
}

const stage = 'cache_name="c", cache_tier="l1", cache_operation="get"';
const cases: readonly Case[] = [
  ...both('VitalsEventLoopDelay', 'nodejs_eventloop_delay_p99_seconds', [0.11, 0.1, 3, 8], [0.51, 0.5, 1, 4]),
  {
    alert: 'VitalsEventLoopBusy',
    fault: { nodejs_eventloop_utilization_ratio: 0.91 },
    well: { nodejs_eventloop_utilization_ratio: 0.9 },
    short: 8,
    fires: 13,
  },
  {
    alert: 'VitalsEventLoopStalls',
    fault: { vitals_eventloop_stall_duration_seconds_count: 7 },
    well: { vitals_eventloop_stall_duration_seconds_count: 6 },
    short: 3,
    fires: 15,
  },
  ...both('VitalsHeapNearLimit', 'vitals_heap_live_bytes', [66, 65, 8, 13], [76, 75, 1, 4], {
    vitals_heap_old_generation_limit_bytes: 100,
  }),
  ...both(
    'VitalsHeapExhaustion',
    'vitals_heap_time_to_exhaustion_seconds',
    [86399, 86400, 3, 8],
    [3599, 3600, 3, 8],
  ),
  ...both('VitalsGcPauses', 'v8js_gc_duration_seconds_sum', [3.1, 2.9, 10, 25], [9.1, 8.9, 4, 12]),
  ...both('VitalsMemoryNearLimit', 'process_memory_usage_bytes', [81, 80, 8, 13], [91, 90, 1, 4], {
    vitals_process_memory_limit_bytes: 100,
  }),
  ...both(
    'VitalsFileDescriptorsNearLimit',
    'process_unix_file_descriptor_count',
    [71, 70, 8, 13],
    [91, 90, 1, 4],
    { vitals_process_file_descriptor_limit: 100 },
  ),
  {
    alert: 'VitalsFindingCritical',
    fault: { 'vitals_findings{finding_code="heap_headroom", finding_severity="critical"}': 1 },
    well: { 'vitals_findings{finding_code="heap_headroom", finding_severity="critical"}': 0 },
    short: 0,
    fires: 1,
  },
  {
    alert: 'VitalsFindingWarning',
    fault: { 'vitals_findings{finding_code="pool_leak", finding_severity="warning"}': 1 },
    well: { 'vitals_findings{finding_code="pool_leak", finding_severity="warning"}': 0 },
    short: 3,
    fires: 7,
  },
  {
    alert: 'VitalsErrorBudget',
    severity: 'critical',
    fault: {
      http_server_request_duration_seconds_count: 980,
      'http_server_request_duration_seconds_count{error_type="500"}': 20,
    },
    well: {
      http_server_request_duration_seconds_count: 999,
      'http_server_request_duration_seconds_count{error_type="500"}': 1,
    },
    short: 1,
    fires: 70,
    resolves: 40,
  },
  {
    alert: 'VitalsLatencyBudget',
    severity: 'critical',
    fault: {
      http_server_request_duration_seconds_count: 1000,
      'http_server_request_duration_seconds_bucket{le="0.5"}': 800,
    },
    well: {
      http_server_request_duration_seconds_count: 1000,
      'http_server_request_duration_seconds_bucket{le="0.5"}': 991,
    },
    short: 1,
    fires: 70,
    resolves: 40,
  },
  {
    alert: 'VitalsPoolFull',
    fault: {
      'vitals_pool_size{pool_name="p", pool_state="used"}': 10,
      'vitals_pool_limit{pool_name="p"}': 10,
      'vitals_pool_pending{pool_name="p"}': 1,
    },
    well: {
      'vitals_pool_size{pool_name="p", pool_state="used"}': 10,
      'vitals_pool_limit{pool_name="p"}': 10,
      'vitals_pool_pending{pool_name="p"}': 0,
    },
    short: 1,
    fires: 4,
  },
  ...counted('VitalsPoolTimeouts', 'vitals_pool_timeouts_total{pool_name="p"}', 2),
  ...counted('VitalsPoolLeak', 'vitals_pool_leaked_total{pool_name="p"}', 0),
  {
    alert: 'VitalsWorkerQueueFull',
    fault: {
      'vitals_worker_pool_queue_size{worker_pool_name="w"}': 91,
      'vitals_worker_pool_queue_limit{worker_pool_name="w"}': 100,
    },
    well: {
      'vitals_worker_pool_queue_size{worker_pool_name="w"}': 90,
      'vitals_worker_pool_queue_limit{worker_pool_name="w"}': 100,
    },
    short: 1,
    fires: 4,
  },
  ...counted(
    'VitalsWorkerTasksRejected',
    'vitals_worker_pool_rejected_total{worker_pool_name="w", worker_pool_reason="full"}',
    2,
  ),
  ...counted('VitalsWorkersCrash', 'vitals_worker_pool_workers_crashed_total{worker_pool_name="w"}', 2),
  {
    alert: 'VitalsChannelBacklog',
    fault: {
      'vitals_channel_length{channel_name="c"}': 91,
      'vitals_channel_capacity{channel_name="c"}': 100,
    },
    well: { 'vitals_channel_length{channel_name="c"}': 90, 'vitals_channel_capacity{channel_name="c"}': 100 },
    short: 3,
    fires: 7,
  },
  ...counted('VitalsMessagesDropped', 'vitals_channel_dropped_total{channel_name="c"}', 2),
  ...counted(
    'VitalsBatchItemsFail',
    'vitals_channel_batch_items_total{channel_name="c", batch_outcome="failed"}',
    2,
  ),
  {
    alert: 'VitalsLockContention',
    fault: {
      'vitals_lock_contended_total{lock_name="l"}': 910,
      'vitals_lock_acquired_total{lock_name="l"}': 1000,
    },
    well: {
      'vitals_lock_contended_total{lock_name="l"}': 900,
      'vitals_lock_acquired_total{lock_name="l"}': 1000,
    },
    short: 3,
    fires: 15,
  },
  {
    alert: 'VitalsDatabasePoolFull',
    fault: {
      'db_client_connection_pending_requests{db_client_connection_pool_name="d"}': 1,
      'db_client_connection_count{db_client_connection_pool_name="d", db_client_connection_state="used"}': 10,
      'db_client_connection_limit{db_client_connection_pool_name="d"}': 10,
    },
    well: {
      'db_client_connection_pending_requests{db_client_connection_pool_name="d"}': 1,
      'db_client_connection_count{db_client_connection_pool_name="d", db_client_connection_state="used"}': 9,
      'db_client_connection_limit{db_client_connection_pool_name="d"}': 10,
    },
    short: 1,
    fires: 4,
  },
  ...counted(
    'VitalsDatabasePoolTimeouts',
    'db_client_connection_timeouts_total{db_client_connection_pool_name="d"}',
    2,
  ),
  {
    alert: 'VitalsDatabaseErrors',
    fault: {
      'db_client_operation_duration_seconds_count{db_system_name="postgresql"}': 940,
      'db_client_operation_duration_seconds_count{db_system_name="postgresql", error_type="23505"}': 60,
    },
    well: {
      'db_client_operation_duration_seconds_count{db_system_name="postgresql"}': 950,
      'db_client_operation_duration_seconds_count{db_system_name="postgresql", error_type="23505"}': 50,
    },
    short: 1,
    fires: 10,
  },
  {
    alert: 'VitalsSlowQueries',
    fault: { 'vitals_db_slow_queries_total{db_system_name="postgresql"}': 7 },
    well: { 'vitals_db_slow_queries_total{db_system_name="postgresql"}': 6 },
    short: 3,
    fires: 15,
  },
  {
    alert: 'VitalsCacheTierDown',
    fault: { 'vitals_cache_tier_available{cache_name="c", cache_tier="l2"}': 0 },
    well: { 'vitals_cache_tier_available{cache_name="c", cache_tier="l2"}': 1 },
    short: 0,
    fires: 3,
  },
  {
    alert: 'VitalsCacheHitsLow',
    fault: {
      [`vitals_cache_operations_total{${stage}, cache_result="hit"}`]: 490,
      [`vitals_cache_operations_total{${stage}, cache_result="miss"}`]: 510,
    },
    well: {
      [`vitals_cache_operations_total{${stage}, cache_result="hit"}`]: 500,
      [`vitals_cache_operations_total{${stage}, cache_result="miss"}`]: 500,
    },
    short: 10,
    fires: 30,
    resolves: 15,
  },
  {
    alert: 'VitalsCacheLoadsFail',
    fault: {
      'vitals_cache_loads_total{cache_name="c", cache_load_result="ok"}': 940,
      'vitals_cache_loads_total{cache_name="c", cache_load_result="error"}': 60,
    },
    well: {
      'vitals_cache_loads_total{cache_name="c", cache_load_result="ok"}': 950,
      'vitals_cache_loads_total{cache_name="c", cache_load_result="error"}': 50,
    },
    short: 1,
    fires: 10,
  },
  {
    alert: 'VitalsCacheBacklog',
    fault: {
      'vitals_cache_writeback_queue_size{cache_name="c"}': 91,
      'vitals_cache_writeback_queue_limit{cache_name="c"}': 100,
    },
    well: {
      'vitals_cache_writeback_queue_size{cache_name="c"}': 90,
      'vitals_cache_writeback_queue_limit{cache_name="c"}': 100,
    },
    short: 1,
    fires: 4,
  },
  {
    alert: 'VitalsScrapeSlow',
    fault: {
      'vitals_self_scrape_duration_seconds_bucket{le="1"}': 0,
      'vitals_self_scrape_duration_seconds_bucket{le="2.5"}': 10,
      'vitals_self_scrape_duration_seconds_bucket{le="+Inf"}': 10,
    },
    well: {
      'vitals_self_scrape_duration_seconds_bucket{le="1"}': 10,
      'vitals_self_scrape_duration_seconds_bucket{le="2.5"}': 10,
      'vitals_self_scrape_duration_seconds_bucket{le="+Inf"}': 10,
    },
    short: 1,
    fires: 25,
    resolves: 15,
  },
  { ...counted('VitalsCardinalityOverflow', 'vitals_self_overflow_total', 5)[0]!, resolves: 20 },
  {
    ...counted(
      'VitalsProfileUploadsFail',
      'vitals_profile_upload_failures_total{profile_type="wall"}',
      10,
    )[0]!,
    resolves: 15,
  },
];

/** An alert of two levels over one series; each level as its value in a fault, when well, and the minutes. */
function both(
  alert: string,
  series: string,
  warning: readonly [number, number, number, number],
  critical: readonly [number, number, number, number],
  more: Course = {},
): Case[] {
  return [['warning', warning] as const, ['critical', critical] as const].map(
    ([severity, [fault, well, short, fires]]) => ({
      alert,
      severity,
      fault: { [series]: fault, ...more },
      well: { [series]: well, ...more },
      short,
      fires,
    }),
  );
}

/** An alert for a counter that should not rise at all. */
function counted(alert: string, series: string, short: number): Case[] {
  return [{ alert, fault: { [series]: 1 }, well: { [series]: 0 }, short, fires: short + 8, resolves: 10 }];
}

const isCounter = (series: string): boolean =>
  /_(total|count|sum|bucket)(\{|$)/.test(series) &&
  !series.startsWith('process_') &&
  !series.startsWith('db_client_connection_count');

/** A series in promtool's notation through several courses. */
function values(
  series: string,
  courses: readonly { readonly course: Course; readonly minutes: number }[],
): string {
  let at = 0;
  const parts: string[] = [];
  for (const { course, minutes } of courses) {
    const value = course[series]!;
    if (isCounter(series)) {
      parts.push(`${at}+${value}x${minutes - 1}`);
      at += value * minutes;
    } else parts.push(`${value}x${minutes - 1}`);
  }
  return parts.join(' ');
}

const named = (series: string): string =>
  series.includes('{')
    ? series.replace('{', '{job="shop", instance="a:1", ')
    : `${series}{job="shop", instance="a:1"}`;

function testOf(
  { alert, severity, fault }: Case,
  name: string,
  courses: readonly { readonly course: Course; readonly minutes: number }[],
  at: number,
  fires: boolean,
) {
  const matchers = [
    `alertname="${alert}"`,
    'alertstate="firing"',
    ...(severity === undefined ? [] : [`severity="${severity}"`]),
  ];
  return {
    name: `${alert} ${severity ?? ''} ${name}`,
    interval: '1m',
    input_series: Object.keys(fault).map(series => ({
      series: named(series),
      values: values(series, courses),
    })),
    promql_expr_test: [
      {
        expr: `(count(ALERTS{${matchers.join(', ')}}) > bool 0) or vector(0)`,
        eval_time: `${at}m`,
        exp_samples: [{ labels: '{}', value: fires ? 1 : 0 }],
      },
    ],
  };
}

test('each alert fires, not for what is just well, not for what is too short, and resolves', () => {
  const tests = cases.flatMap(one => {
    const { fault, well, short, fires, resolves = 12 } = one;
    const before = { course: well, minutes: 12 };
    return [
      testOf(one, 'fires', [before, { course: fault, minutes: fires + 5 }], 12 + fires, true),
      testOf(one, 'is not for what is well', [{ course: well, minutes: 90 }], 88, false),
      ...(short === 0
        ? []
        : [
            testOf(
              one,
              'is not for what is short',
              [before, { course: fault, minutes: short }, { course: well, minutes: 60 }],
              12 + short,
              false,
            ),
          ]),
      testOf(
        one,
        'resolves',
        [before, { course: fault, minutes: fires + 5 }, { course: well, minutes: resolves + 60 }],
        12 + fires + 5 + resolves,
        false,
      ),
    ];
  });
  const file = join(folder, 'cases.yml');
  writeFileSync(
    file,
    stringify({ rule_files: [join(folder, 'rules', '*.yml')], evaluation_interval: '1m', tests }),
  );
  promtool('test', 'rules', file);
});

test('every alert has its case, but those that are tried by themselves', () => {
  const tried = new Set([
    ...cases.map(({ alert }) => alert),
    'VitalsTargetDown',
    'VitalsServiceAbsent',
    'VitalsRestartLoop',
    'VitalsWatchdog',
  ]);
  const names = Object.values(ruleFiles()).flatMap(rules =>
    rules.groups.flatMap(group => group.rules.flatMap(rule => ('alert' in rule ? [rule.alert] : []))),
  );
  assert.deepEqual(
    names.filter(name => !tried.has(name)),
    [],
  );
});

test('a service of which no process reports any more fires once, for the service', () => {
  const series = { [start]: '100x30 _x60', [start.replace('a:1', 'b:1')]: '100x30 _x60' };
  alertTest('VitalsServiceAbsent', series, '40m', true, 'job="shop"');
  alertTest('VitalsServiceAbsent', { ...series, [start]: '100x90' }, '40m', false, 'job="shop"');
});

test('errors of a Redis that a cache does without are not told beside it, those of a database are', () => {
  const failing = (system: string) =>
    Object.fromEntries(
      [`db_system_name="${system}"`, `db_system_name="${system}", error_type="x"`].map(
        label =>
          [
            `db_client_operation_duration_seconds_count{job="shop", instance="a:1", ${label}}`,
            '0+50x40',
          ] as const,
      ),
    );
  const down = {
    'vitals_cache_tier_available{job="shop", instance="a:1", cache_name="c", cache_tier="l2"}': '0x40',
  };
  alertTest('VitalsDatabaseErrors', failing('redis'), '20m', true);
  alertTest('VitalsDatabaseErrors', { ...failing('redis'), ...down }, '20m', false);
  alertTest('VitalsDatabaseErrors', { ...failing('postgresql'), ...down }, '20m', true);
});

test('the watchdog always fires', () => {
  alertTest('VitalsWatchdog', { up: '1x5' }, '5m', true, '');
});

test('a target of ours that is down for a minute fires, also after its own metrics have gone stale', () => {
  const series = { [`up${labels}`]: '1x5 0x60', [start]: '100x5 _x60' };
  alertTest('VitalsTargetDown', series, '8m', true);
  alertTest('VitalsTargetDown', series, '50m', true);
});

test('a target that is back within the minute does not fire, and one that recovers stops firing', () => {
  alertTest('VitalsTargetDown', { [`up${labels}`]: '1x5 0 1x10', [start]: '100x20' }, '7m', false);
  alertTest('VitalsTargetDown', { [`up${labels}`]: '1x5 0x5 1x10', [start]: '100x20' }, '15m', false);
});

test('a target that never was ours is not judged', () => {
  alertTest('VitalsTargetDown', { [`up${labels}`]: '0x20' }, '10m', false);
});

test('three restarts within ten minutes fire, two do not, and quiet resolves', () => {
  alertTest('VitalsRestartLoop', { [start]: '1x3 2x2 3x2 4x30' }, '10m', true);
  alertTest('VitalsRestartLoop', { [start]: '1x3 2x2 3x30' }, '10m', false);
  alertTest('VitalsRestartLoop', { [start]: '1x3 2x2 3x2 4x30' }, '30m', false);
});
