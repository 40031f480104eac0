import assert from 'node:assert/strict';
import type { WorkerPoolStats } from '../../toolkit/worker-pool';

/** The laws that a worker pool's statistics obey at any moment. */
export function assertWorkerPoolLaws(stats: WorkerPoolStats): void {
  const { accepted, outcomes, queued, queueLimit, workers, min, max, waitTime, runTime } = stats;
  const { starting, idle, busy } = workers;
  const text = JSON.stringify(stats);
  const ended = Object.values(outcomes).reduce((sum, one) => sum + one, 0);
  assert.equal(accepted, ended + queued + busy, text);
  assert.equal(waitTime.count, runTime.count + busy, text);
  assert.equal(stats.workersStarted, stats.workersEnded + starting + idle + busy, text);
  assert.ok(stats.workersCrashed <= stats.workersEnded, text);
  assert.ok(starting + idle + busy <= max && min <= max, text);
  // Beyond those for which a thread starts; one that then did not start leaves its task.
  assert.ok(queued <= queueLimit + starting + stats.workersCrashed, text);
  assert.ok(idle === 0 || queued === 0, `idle workers while tasks wait: ${text}`);
  const numbers = [starting, idle, busy, queued, stats.abandoned ?? 0, ...Object.values(stats.rejected)];
  assert.ok(
    numbers.every(number => number >= 0),
    text,
  );
}

/** Resolves once `met` holds. */
export async function until(met: () => boolean): Promise<void> {
  while (!met()) await new Promise(resolve => setTimeout(resolve, 1));
}
