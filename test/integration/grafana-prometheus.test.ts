import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type App, repository, startApp } from '../helpers/app';
import { type BoardJson, type BoardQuery, fillIn, panelsOf, queriesOf, readBoards } from '../helpers/boards';
import { serveK6Series } from '../helpers/k6-exposition';
import { type PostgresDatabase, startPostgres } from '../helpers/postgres';
import { type RedisServer, startRedis } from '../helpers/redis';
import { type StackPrometheus, startStackPrometheus } from '../helpers/stack-prometheus';

const pollMs = 2000;
/** Twelve rounds of scrapes: rates need two, the windows of the agent's own percentiles and shares some more. */
const deadlineMs = 60_000;

const captures = mkdtempSync(join(tmpdir(), 'vitals-board-'));
const boards = readBoards();
/** By job: an application for the Runtime board, and one for the others. */
const apps = new Map<string, App>();
const instances = new Map<string, string>();
const jobOf = (board: BoardJson): string =>
  ['Runtime', 'Profiles'].includes(board.title) ? 'use-runtime' : 'use-boards';
/** Their blocks are a finding, and a fault that the auto-profiler takes a profile of, again and again. */
const diagnosed = {
  VITALS_ADMIN: 'true',
  VITALS_ADMIN_PORT: '0',
  VITALS_CAPTURE_DIR: captures,
  VITALS_AUTOPROFILE: 'true',
  VITALS_AUTOPROFILE_RULES: 'stall',
  VITALS_AUTOPROFILE_STALL: 'max=150',
  VITALS_AUTOPROFILE_INTERVAL_MS: '1000',
  VITALS_AUTOPROFILE_WARMUP_MS: '0',
  VITALS_AUTOPROFILE_COOLDOWN_MS: '0',
  VITALS_AUTOPROFILE_BUDGET: '1000',
  VITALS_AUTOPROFILE_DURATION_MS: '500',
};
let postgres: PostgresDatabase;
let redis: RedisServer;
let prometheus: StackPrometheus;
let k6: { readonly host: string; close(): Promise<void> };

before(async () => {
  [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  // A small heap, so that V8 runs major collections of its own within seconds.
  start('use-runtime', ['--max-old-space-size=128'], {
    // Where there is no Pyroscope, its uploads fail.
    PYROSCOPE_SERVER_ADDRESS: 'http://127.0.0.1:1',
    PYROSCOPE_FLUSH_INTERVAL_MS: '2000',
    PYROSCOPE_WALL_SAMPLING_DURATION_MS: '2000',
  });
  start('use-boards', [], {
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    VITALS_SLOW_QUERY_MS: '50',
    VITALS_SLOW_REQUEST_MS: '20',
  });
  for (const [job, app] of apps) instances.set(job, new URL(await app.metricsUrl()).host);
  k6 = await serveK6Series();
  prometheus = await startStackPrometheus({
    ...Object.fromEntries([...instances].map(([job, instance]) => [job, [instance]])),
    k6: [k6.host],
  });
});

function start(name: string, nodeArgs: string[], env: Record<string, string>): void {
  const app = startApp(join(repository, 'test', 'fixtures', 'apps', name, 'app.js'), {
    nodeArgs: [...nodeArgs, '--require', join(repository, 'instrumentation')],
    timeoutMs: 240_000,
    env: { ...diagnosed, ...env },
  });
  apps.set(name, app);
}

after(async () => {
  for (const app of apps.values()) app.kill('SIGKILL');
  await prometheus?.close();
  await Promise.all([postgres?.close(), redis?.close(), k6?.close()]);
  rmSync(captures, { recursive: true, force: true });
});

/** How Grafana escapes what was chosen in a variable of several values, for `=~` inside of a PromQL string. */
function chosen(value: string): string {
  return value.replace(/\\/g, '\\\\\\\\').replace(/[$^*{}[\]'+?.()|]/g, '\\\\$&');
}

const windows = { __rate_interval: '20s', __range: '10m', __interval: '5s', scenario: '.*' };

/** What these applications do not have, and why an empty graph of it is right. */
const mayBeEmpty: readonly [metric: RegExp, reason: string][] = [
  [/vitals_heap_time_to_exhaustion/, 'their heap does not leak'],
  [/\bALERTS\{/, 'none of their faults lasts for as long as an alert wants'],
];

async function withoutData(
  queries: readonly BoardQuery[],
  values: Record<string, string>,
): Promise<string[]> {
  const answers = await Promise.all(
    queries.map(async ({ where, expr }) => {
      if (mayBeEmpty.some(([metric]) => metric.test(expr))) return [];
      const samples = await prometheus.query(fillIn(expr, values));
      return samples.some(({ value }) => !Number.isNaN(value)) ? [] : [`${where}: ${fillIn(expr, values)}`];
    }),
  );
  return answers.flat();
}

for (const board of boards) {
  test(`${board.title}: every expression gives data on a Prometheus that scrapes an application under the preload`, async () => {
    const values = { ...windows, job: jobOf(board), service: '.+', instance: '.+' };
    const queries = queriesOf(board);
    assert.ok(queries.length > 0);
    let missing: string[] = [];
    for (const end = Date.now() + deadlineMs; Date.now() < end; await wait(pollMs)) {
      missing = await withoutData(queries, values);
      if (missing.length === 0) break;
    }
    assert.deepEqual(missing, []);
  });

  test(`${board.title}: what is chosen in the variables selects that process and no other`, async () => {
    const job = chosen(jobOf(board));
    const instance = instances.get(jobOf(board))!;
    const service = '.+';
    assert.deepEqual(
      await withoutData(queriesOf(board), {
        ...windows,
        job,
        service,
        instance: `(${chosen(instance)}|x)`,
      }),
      [],
    );
    const dots = instance.replaceAll('.', '#');
    for (const { where, expr } of queriesOf(board)) {
      // A run of k6 is of no process, and a budget of all of a job.
      if (where.startsWith('variable') || /\bk6_|\bjob:vitals/.test(expr)) continue;
      const filled = fillIn(expr, { ...windows, job, service, instance: chosen(dots) });
      assert.deepEqual(await prometheus.query(filled), [], where);
    }
  });
}

test('a percentage is a share of one: no ratio of the board is above one or below zero', async () => {
  const values = { ...windows, job: '.+', service: '.+', instance: '.+' };
  const shares = boards.flatMap(panelsOf).filter(({ fieldConfig }) => {
    const { unit, max, custom } = fieldConfig?.defaults ?? {};
    return unit === 'percentunit' && (max === 1 || custom?.axisSoftMax === 1);
  });
  assert.ok(shares.length >= 10);
  for (const { title, targets = [] } of shares) {
    for (const { expr } of targets) {
      if (expr === undefined) continue;
      for (const { value } of await prometheus.query(fillIn(expr, values))) {
        assert.ok(value >= 0 && value <= 1.01, `${title}: ${value}`);
      }
    }
  }
});

test('the rules that the stack mounts are loaded and evaluated without an error', async () => {
  const { groups } = (await prometheus.api('rules')) as {
    groups: {
      name: string;
      rules: { name: string; health: string; lastError?: string }[];
    }[];
  };
  const rules = groups.flatMap(group => group.rules);
  assert.ok(rules.length >= 2);
  for (const rule of rules) {
    assert.equal(rule.health, 'ok', `${rule.name}: ${rule.lastError}`);
  }
});
