import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type BoardQuery, fillIn, queriesOf, readBoards } from '../helpers/boards';
import { type DemoRun, startDemo } from '../helpers/demo';
import { type StackPrometheus, startStackPrometheus } from '../helpers/stack-prometheus';

/** What a healthy shop does not have, and why an empty graph of it is right. */
const mayBeEmpty: readonly [metric: RegExp, reason: string][] = [
  [/vitals_gc_forced="true"/, 'the shop asks for no collection'],
  [/vitals_findings/, 'nothing is wrong with the shop'],
  [/vitals_heap_time_to_exhaustion/, 'its heap does not leak'],
  [/vitals_(auto)?profile_/, 'nobody takes a profile of it'],
  [
    /vitals_cache_(size|refreshes|filtered|load_locks|writeback|invalidations|repairs)/,
    'its cache needs none of it',
  ],
  [/\bk6_/, 'the load of the demo is not of k6'],
  [/\bALERTS\{/, 'nothing fires for a shop that is well'],
  [/vitals_profile_upload/, 'there is no Pyroscope'],
  [/vitals_(pool|shared_queue)_/, 'it has no object pools, and no queue between threads'],
  [/vitals_lock_wait_time/, 'it sells so little that nobody waits for another who buys the same'],
  [/vitals_http_client_cache/, 'its client of the payment gateway keeps no answers'],
  [/http_client_connection_duration/, 'its connections to the payment gateway stay open'],
  [
    /vitals_http2?_(response_compression|endpoint|connection|sessions|streams)/,
    'it does not use these parts either',
  ],
  [/db_client_connection_create_time/, 'its pool is opened at its start'],
  [/vitals_(db_slow_queries|http_server_slow_requests)/, 'it is quick'],
  [/^sum by \((db_system_name, )?error_type\)/, 'nothing fails'],
  [/histogram_quantile\(.*vitals_eventloop_stall/, 'on a quiet machine nothing blocks the shop for 100 ms'],
];
/** Metrics of the demo that come late: a major collection of V8's own needs a heap that has grown. */
const deadlineMs = 120_000;
const pollMs = 2000;

let demo: DemoRun;
let prometheus: StackPrometheus;

before(async () => {
  demo = startDemo({
    command: [process.execPath, '--import', 'tsx', 'mall/demo/run.ts'],
    timeoutMs: 900_000,
  });
  const [, host] = await demo.printed(/^metrics +http:\/\/(\S+)\/metrics$/m);
  prometheus = await startStackPrometheus({ mall: [host!] });
});
after(async () => {
  demo?.signalGroup('SIGINT');
  await Promise.all([demo?.exit, prometheus?.close()]);
});

const values = {
  job: 'mall',
  service: '.+',
  instance: '.+',
  __rate_interval: '20s',
  __range: '10m',
  __interval: '5s',
  scenario: '.*',
};

async function empty(queries: readonly BoardQuery[]): Promise<string[]> {
  const answers = await Promise.all(
    queries.map(async ({ where, expr }) => {
      const samples = await prometheus.query(fillIn(expr, values));
      return samples.some(({ value }) => !Number.isNaN(value)) ? [] : [`${where}: ${expr}`];
    }),
  );
  return answers.flat();
}

test('a reason for an empty graph still has a graph', () => {
  const expressions = readBoards()
    .flatMap(queriesOf)
    .map(({ expr }) => expr);
  for (const [metric, reason] of mayBeEmpty)
    assert.ok(
      expressions.some(expr => metric.test(expr)),
      reason,
    );
});

for (const board of readBoards()) {
  test(`${board.title}: a Prometheus that scrapes the demo has data for every graph but those with a reason`, async () => {
    const wanted = queriesOf(board).filter(({ expr }) => !mayBeEmpty.some(([metric]) => metric.test(expr)));
    let missing: string[] = [];
    for (const end = Date.now() + deadlineMs; Date.now() < end; await wait(pollMs)) {
      missing = await empty(wanted);
      if (missing.length === 0) break;
    }
    assert.deepEqual(missing, []);
  });
}

test('nothing fires for a shop that is well, but the watchdog', async () => {
  const { alerts } = (await prometheus.api('alerts')) as {
    alerts: { labels: { alertname: string }; state: string }[];
  };
  const firing = alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname);
  assert.deepEqual(firing, ['VitalsWatchdog']);
});
