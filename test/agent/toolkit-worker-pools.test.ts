import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { preload, repository, runApp, startApp } from '../helpers/app';
import { samplesFrom } from '../helpers/samples';

const script = join(repository, 'test/fixtures/apps/use-toolkit/worker-pool.js');
const printed = JSON.stringify([[1, 4, 9], [1, 2, 3], 'WORKER_CRASHED', 7]);

test('pools keep a process alive for as long as it has tasks, and not longer, though nobody closes them', async () => {
  for (const nodeArgs of [[], ['--require', preload]]) {
    const { code, stdout, stderr } = await runApp(script, { nodeArgs });
    assert.deepEqual([code, stdout.trim()], [0, printed], stderr);
  }
});

test('pools show in the metrics by name without a line of code', async () => {
  const app = startApp(script, { args: ['stay'], env: { OTEL_EXPORTER_PROMETHEUS_PORT: '0' } });
  const url = await app.metricsUrl();
  await app.printed(/WORKER_CRASHED/);
  const samples = await samplesFrom(url);
  const images = { worker_pool_name: 'images', worker_pool_kind: 'thread' };
  const mail = { worker_pool_name: 'mail', worker_pool_kind: 'task' };
  const outcome = (pool: typeof images | typeof mail, worker_pool_outcome: string): number | undefined =>
    samples.value('vitals_worker_pool_tasks_total', { ...pool, worker_pool_outcome });
  assert.deepEqual(
    [outcome(images, 'completed'), outcome(images, 'crashed'), outcome(mail, 'completed')],
    [3, 1, 3],
  );
  assert.equal(samples.value('vitals_worker_pool_workers_limit', images), 2);
  assert.equal(samples.value('vitals_worker_pool_workers_crashed_total', images), 1);
  assert.equal(samples.value('vitals_worker_pool_task_run_time_seconds_count', mail), 3);
  assert.equal(samples.value('vitals_self_warnings_total'), 0);
  app.kill('SIGTERM');
  assert.equal((await app.exit).signal, 'SIGTERM');
});

test('the documented example shows what it says: size, priorities, limits, and what was lost at the end', async () => {
  const example = join(repository, 'docs/examples/task-system.cjs');
  const { code, stdout, stderr } = await runApp(example, { nodeArgs: [], timeoutMs: 120_000 });
  assert.equal(code, 0, stderr);
  const figures = new Map(stdout.split('\n').map(line => [line.slice(0, 52).trim(), line.slice(52)]));
  const threads = Math.max(2, availableParallelism());
  const ms = (name: string): number => Number.parseInt(figures.get(name)!, 10);
  const sizes = figures.get('threads: before, in and after the burst')!.split(', ');
  assert.deepEqual([sizes[0], Number(sizes[1]) > 1, sizes[2]], ['1', true, '1'], stdout);
  assert.ok(
    ms('time to the result, urgent (median)') < ms('time to the result, background (median)'),
    stdout,
  );
  assert.deepEqual(
    [
      figures.get('completed, run timeout, queue timeout, dropped'),
      figures.get('refused because the queue was full'),
      figures.get('lost at the end'),
      figures.get('errors by code'),
    ],
    [
      `${303 + threads}, ${1 + threads}, 1, 1`,
      '1',
      'hung',
      'TASK_DROPPED, TASK_QUEUE_FULL, TASK_QUEUE_TIMEOUT, TASK_RUN_TIMEOUT',
    ],
    stdout,
  );
});
