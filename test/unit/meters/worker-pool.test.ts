import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MeterContext } from '../../../instrumentation/meters/context';
import { meterWorkerPool } from '../../../instrumentation/meters/worker-pool';
import { HistogramCell } from '../../../instrumentation/metrics/cells';
import { MetricRegistry } from '../../../instrumentation/metrics/registry';
import { TaskPool } from '../../../toolkit/worker-pool';

/** All series that are shown, as `name{values of the attributes}` and value; of histograms count and sum. */
function shown(registry: MetricRegistry): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const instrument of registry.read()) {
    for (const cell of instrument.cells()) {
      const value = cell instanceof HistogramCell ? [cell.count, cell.sum] : cell.value;
      const name = instrument.metric.name.replace('vitals.worker_pool.', '');
      if (value !== undefined) found.set(`${name}{${Object.values(cell.attributes).join(' ')}}`, value);
    }
  }
  return found;
}

test('a worker pool shows its workers, queue, tasks by outcome, times and refusals', async () => {
  const registry = new MetricRegistry(2000, error => assert.fail(String(error)));
  const stop = meterWorkerPool({ registry } as MeterContext);
  let now = 0;
  const pool = new TaskPool({ name: 'mail', max: 2, maxQueue: 1, clock: () => now });
  const open: ((error?: Error) => void)[] = [];
  const task = (): Promise<void> =>
    new Promise((resolve, reject) => open.push(error => (error ? reject(error) : resolve())));
  const tasks = [pool.run(task), pool.run(task), pool.run(task)];
  await assert.rejects(pool.run(task), { code: 'TASK_QUEUE_FULL' });
  const before = shown(registry);
  const expectedBefore: Record<string, unknown> = {
    'workers{mail task busy}': 2,
    'workers{mail task idle}': 0,
    'workers.limit{mail task}': 2,
    'workers.started{mail task}': 2,
    'queue.size{mail task}': 1,
    'queue.limit{mail task}': 1,
    'rejected{mail task full}': 1,
    'abandoned{mail task}': 0,
    'task.wait_time{mail task}': [2, 0],
  };
  for (const [key, value] of Object.entries(expectedBefore)) assert.deepEqual(before.get(key), value, key);
  now = 500;
  open[0]!();
  await tasks[0];
  open[1]!(new Error('no'));
  await assert.rejects(tasks[1]!);
  open[2]!();
  await tasks[2];
  const after = shown(registry);
  const expectedAfter: Record<string, unknown> = {
    'workers{mail task idle}': 2,
    'tasks{mail task completed}': 2,
    'tasks{mail task failed}': 1,
    'task.wait_time{mail task}': [3, 0.5],
    'task.run_time{mail task}': [3, 1],
    'queue.size{mail task}': 0,
  };
  for (const [key, value] of Object.entries(expectedAfter)) assert.deepEqual(after.get(key), value, key);
  assert.equal(after.has('workers.crashed{mail task}'), false);
  assert.equal(after.has('tasks{mail task dropped}'), false);
  await pool.close();
  assert.equal(shown(registry).has('workers{mail task idle}'), false);
  stop();
});
