import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type App, repository, startApp } from '../helpers/app';
import { type BoardQuery, fillIn, panelsOf, queriesOf, readBoards } from '../helpers/boards';
import { type StackPrometheus, startStackPrometheus } from '../helpers/stack-prometheus';

const fixture = join(repository, 'test', 'fixtures', 'apps', 'use-runtime', 'app.js');
const pollMs = 2000;
/** Twelve rounds of scrapes: rates need two, the windows of the agent's own percentiles and shares some more. */
const deadlineMs = 60_000;

const captures = mkdtempSync(join(tmpdir(), 'vitals-board-'));
const boards = readBoards();
let app: App;
let instance: string;
let prometheus: StackPrometheus;

before(async () => {
  // A small heap, so that V8 runs major collections of its own within seconds.
  app = startApp(fixture, {
    nodeArgs: ['--max-old-space-size=128', '--require', join(repository, 'instrumentation')],
    // Its blocks are a finding, and a fault that the auto-profiler takes a profile of, again and again.
    env: {
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
    },
    timeoutMs: 180_000,
  });
  instance = new URL(await app.metricsUrl()).host;
  prometheus = await startStackPrometheus({ 'use-runtime': [instance] });
});

after(async () => {
  app?.kill('SIGKILL');
  await prometheus?.close();
  rmSync(captures, { recursive: true, force: true });
});

/** How Grafana escapes what was chosen in a variable of several values, for `=~` inside of a PromQL string. */
function chosen(value: string): string {
  return value.replace(/\\/g, '\\\\\\\\').replace(/[$^*{}[\]'+?.()|]/g, '\\\\$&');
}

const windows = { __rate_interval: '20s', __range: '10m', __interval: '5s' };

async function withoutData(
  queries: readonly BoardQuery[],
  values: Record<string, string>,
): Promise<string[]> {
  const answers = await Promise.all(
    queries.map(async ({ where, expr }) => {
      const samples = await prometheus.query(fillIn(expr, values));
      return samples.some(({ value }) => !Number.isNaN(value)) ? [] : [`${where}: ${fillIn(expr, values)}`];
    }),
  );
  return answers.flat();
}

for (const board of boards) {
  test(`${board.title}: every expression gives data on a Prometheus that scrapes an application under the preload`, async () => {
    const values = { ...windows, job: '.+', instance: '.+' };
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
    const job = chosen('use-runtime');
    assert.deepEqual(
      await withoutData(queriesOf(board), { ...windows, job, instance: `(${chosen(instance)}|x)` }),
      [],
    );
    const dots = instance.replaceAll('.', '#');
    for (const { where, expr } of queriesOf(board)) {
      if (where.startsWith('variable')) continue;
      const filled = fillIn(expr, { ...windows, job, instance: chosen(dots) });
      assert.deepEqual(await prometheus.query(filled), [], where);
    }
  });
}

test('a percentage is a share of one: no ratio of the board is above one or below zero', async () => {
  const values = { ...windows, job: '.+', instance: '.+' };
  const shares = boards.flatMap(panelsOf).filter(({ fieldConfig }) => {
    const { unit, max, custom } = fieldConfig?.defaults ?? {};
    return unit === 'percentunit' && (max === 1 || custom?.axisSoftMax === 1);
  });
  assert.ok(shares.length >= 10);
  for (const { title, targets = [] } of shares) {
    for (const { expr } of targets) {
      for (const { value } of await prometheus.query(fillIn(expr, values))) {
        assert.ok(value >= 0 && value <= 1.01, `${title}: ${value}`);
      }
    }
  }
});

test('the rules that the stack mounts are loaded and evaluated without an error, and nothing fires', async () => {
  const { groups } = (await prometheus.api('rules')) as {
    groups: {
      name: string;
      rules: { name: string; health: string; lastError?: string; alerts?: unknown[] }[];
    }[];
  };
  const rules = groups.flatMap(group => group.rules);
  assert.ok(rules.length >= 2);
  for (const rule of rules) {
    assert.equal(rule.health, 'ok', `${rule.name}: ${rule.lastError}`);
    assert.deepEqual(rule.alerts, [], rule.name);
  }
});
