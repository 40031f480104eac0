import {
  batchMetrics,
  cacheMetrics,
  channelMetrics,
  dbOperationMetrics,
  dbPoolMetrics,
  lockMetrics,
  poolMetrics,
  workerPoolMetrics,
} from '../../../instrumentation/catalogue';
import { everywhere, label, seriesOf } from '../promql';
import { thresholds } from '../thresholds';
import { alert, type RuleFile } from './rule';

const who = '{{ $labels.job }} {{ $labels.instance }}';
const by = (...labels: string[]): string => `by (job, instance, ${labels.join(', ')})`;
/** How much a counter rose in five minutes, by some of its labels. */
const risen = (selector: string, group: string): string => `sum ${group} (increase(${selector}[5m]))`;

const pool = label(poolMetrics.size, 'pool.name');
const workers = label(workerPoolMetrics.workers, 'worker_pool.name');
const channel = label(channelMetrics.length, 'channel.name');
const lock = label(lockMetrics.acquired, 'lock.name');
const db = label(dbPoolMetrics.count, 'db.client.connection.pool.name');
const system = label(dbOperationMetrics.duration, 'db.system.name');

/** What is full, so that callers wait, are refused, or lose what they sent. */
export function saturationRules(): RuleFile {
  const used = { 'pool.state': '="used"' } as const;
  const queries = `sum ${by(system)} (rate(${seriesOf(dbOperationMetrics.duration, '_count')}[5m]))`;
  const failedQueries = `sum ${by(system)} (rate(${seriesOf(dbOperationMetrics.duration, '_count', { 'error.type': '!=""' })}[5m]))`;
  const redisGivenUp = `min ${by(system)} (label_replace(min_over_time(${everywhere(cacheMetrics.available)}[10m]), "${system}", "redis", "", "")) == 0`;
  return {
    groups: [
      {
        name: 'otel-vitals-pools',
        rules: [
          alert({
            name: 'PoolFull',
            severity: 'warning',
            expr: `max ${by(pool)} (${everywhere(poolMetrics.size, used)}) / (max ${by(pool)} (${everywhere(poolMetrics.limit)}) > 0) >= ${thresholds.poolShare.critical} and on (job, instance, ${pool}) max ${by(pool)} (${everywhere(poolMetrics.pending)}) > 0`,
            for: '2m',
            summary: `all of the pool {{ $labels.${pool} }} of ${who} is in use, and callers wait`,
            description:
              'Look first at who holds for long (use p99 on the board of pools), then at the size of the pool.',
            runbook: 'pool-exhausted',
          }),
          alert({
            name: 'PoolTimeouts',
            severity: 'critical',
            expr: `${risen(everywhere(poolMetrics.timeouts), by(pool))} > 0`,
            for: '2m',
            summary: `callers gave up waiting for the pool {{ $labels.${pool} }} of ${who}`,
            description:
              '{{ $value | humanize }} did within five minutes; most of them are requests that failed.',
            runbook: 'pool-exhausted',
          }),
          alert({
            name: 'PoolLeak',
            severity: 'warning',
            expr: `${risen(everywhere(poolMetrics.leaked), by(pool))} > 0`,
            summary: `{{ $value | humanize }} objects of the pool {{ $labels.${pool} }} of ${who} were dropped in use`,
            description:
              'They were never given back, and collected as garbage. The finding pool_leak has the stack of who asked for them.',
            runbook: 'pool-leak',
          }),
          alert({
            name: 'WorkerQueueFull',
            severity: 'warning',
            expr: `max ${by(workers)} (${everywhere(workerPoolMetrics.queueSize)}) / (max ${by(workers)} (${everywhere(workerPoolMetrics.queueLimit)}) > 0) > ${thresholds.queueShare.critical}`,
            for: '2m',
            summary: `the queue of the worker pool {{ $labels.${workers} }} of ${who} is {{ $value | humanizePercentage }} full`,
            description:
              'Tasks are about to be refused. Raise the most workers where CPUs are free; else shed load earlier.',
            runbook: 'queue-saturated',
          }),
          alert({
            name: 'WorkerTasksRejected',
            severity: 'critical',
            expr: `${risen(everywhere(workerPoolMetrics.rejected, { 'worker_pool.reason': '="full"' }), by(workers))} > 0`,
            for: '2m',
            summary: `the worker pool {{ $labels.${workers} }} of ${who} refuses tasks`,
            description: '{{ $value | humanize }} tasks within five minutes found its queue full.',
            runbook: 'queue-saturated',
          }),
          alert({
            name: 'WorkersCrash',
            severity: 'warning',
            expr: `${risen(everywhere(workerPoolMetrics.crashed), by(workers))} > 0`,
            for: '2m',
            summary: `threads of the worker pool {{ $labels.${workers} }} of ${who} crash`,
            description:
              '{{ $value | humanize }} did within five minutes. Their tasks failed with the exit code; each is replaced.',
            runbook: 'worker-crash',
          }),
          alert({
            name: 'ChannelBacklog',
            severity: 'warning',
            expr: `max ${by(channel)} (${everywhere(channelMetrics.length)}) / (max ${by(channel)} (${everywhere(channelMetrics.capacity)}) > 0) > ${thresholds.queueShare.critical}`,
            for: '5m',
            summary: `the channel {{ $labels.${channel} }} of ${who} is {{ $value | humanizePercentage }} full`,
            description: 'Its receivers are slower than its senders: these wait, or messages are dropped.',
            runbook: 'queue-saturated',
          }),
          alert({
            name: 'MessagesDropped',
            severity: 'critical',
            expr: `${risen(everywhere(channelMetrics.dropped), by(channel))} > 0`,
            for: '2m',
            summary: `the channel {{ $labels.${channel} }} of ${who} drops messages`,
            description: '{{ $value | humanize }} were lost within five minutes.',
            runbook: 'sends-dropped',
          }),
          alert({
            name: 'BatchItemsFail',
            severity: 'critical',
            expr: `${risen(everywhere(batchMetrics.items, { 'batch.outcome': '="failed"' }), by(channel))} > 0`,
            for: '2m',
            summary: `batches of {{ $labels.${channel} }} of ${who} fail`,
            description:
              '{{ $value | humanize }} items failed within five minutes, after all attempts. onFailed has been given them.',
            runbook: 'batch-failures',
          }),
          alert({
            name: 'LockContention',
            severity: 'warning',
            expr: `sum ${by(lock)} (rate(${everywhere(lockMetrics.contended)}[5m])) / (sum ${by(lock)} (rate(${everywhere(lockMetrics.acquired)}[5m])) > 1) > ${thresholds.lockContention.critical}`,
            for: '5m',
            summary: `{{ $value | humanizePercentage }} of those who want the lock {{ $labels.${lock} }} of ${who} wait for another`,
            description: 'Each waits for the one before: /debug/pprof/mutex names the calls.',
            runbook: 'lock-convoy',
          }),
        ],
      },
      {
        name: 'otel-vitals-database',
        rules: [
          alert({
            name: 'DatabasePoolFull',
            severity: 'warning',
            expr: `max ${by(db)} (${everywhere(dbPoolMetrics.pending)}) > 0 and on (job, instance, ${db}) max ${by(db)} (${everywhere(dbPoolMetrics.count, { 'db.client.connection.state': '="used"' })}) >= on (job, instance, ${db}) max ${by(db)} (${everywhere(dbPoolMetrics.limit)})`,
            for: '2m',
            summary: `all connections of ${who} to {{ $labels.${db} }} are in use, and {{ $value }} queries wait`,
            description:
              'Look first at what holds connections for long (use p99 on the board Database), then at the size of the pool.',
            runbook: 'db-pool-too-small',
          }),
          alert({
            name: 'DatabasePoolTimeouts',
            severity: 'critical',
            expr: `${risen(everywhere(dbPoolMetrics.timeouts), by(db))} > 0`,
            for: '2m',
            summary: `${who} gets no connection to {{ $labels.${db} }} in time`,
            description:
              '{{ $value | humanize }} waits ran out within five minutes; most are requests that failed.',
            runbook: 'db-pool-too-small',
          }),
          alert({
            name: 'DatabaseErrors',
            severity: 'critical',
            // A Redis that a cache does without has an alert of its own, and its errors are in the rate for a while after.
            expr: `${failedQueries} / (${queries} > 0.1) > ${thresholds.failedShare.warning} unless on (job, instance, ${system}) ${redisGivenUp}`,
            for: '2m',
            summary: `{{ $value | humanizePercentage }} of what ${who} asks of {{ $labels.${system} }} fails`,
            description: 'The board Database has the codes of the errors.',
            runbook: 'db-error-rate',
          }),
          alert({
            name: 'SlowQueries',
            severity: 'warning',
            expr: `60 * sum ${by(system)} (rate(${everywhere(dbOperationMetrics.slow)}[5m])) > ${thresholds.slowQueriesPerMinute.warning}`,
            for: '5m',
            summary: `${who} has {{ $value | humanize }} slow operations a minute on {{ $labels.${system} }}`,
            description:
              'They take longer than VITALS_SLOW_QUERY_MS. The board Database names the ten slowest kinds.',
            runbook: 'db-slow-query',
          }),
        ],
      },
    ],
  };
}
