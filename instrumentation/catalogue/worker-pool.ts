import { taskOutcomes, taskRunBounds, taskWaitBounds } from '../../toolkit/worker-pool/stats';
import { attribute, metric } from './define';

const meter = 'worker-pool';
const poolName = attribute('worker_pool.name', "The pool's name as its maker gave it", {
  bound: 'worker pools the application makes',
});
const kind = attribute('worker_pool.kind', 'Whether it runs functions on the event loop or has threads', {
  values: ['task', 'thread'],
});
const state = attribute('worker_pool.state', 'What the worker does', {
  values: ['starting', 'idle', 'busy'],
});
const outcome = attribute('worker_pool.outcome', 'How the task ended', { values: taskOutcomes });
const reason = attribute('worker_pool.reason', 'Why the task was not taken on', {
  values: ['full', 'closed', 'aborted'],
});
const attributes = [poolName, kind] as const;

export const workerPoolMetrics = {
  workers: metric(meter, 'vitals.worker_pool.workers', 'gauge', '{worker}', 'Workers there are', {
    attributes: [...attributes, state],
  }),
  limit: metric(meter, 'vitals.worker_pool.workers.limit', 'gauge', '{worker}', 'Most workers there may be', {
    attributes,
  }),
  started: metric(
    meter,
    'vitals.worker_pool.workers.started',
    'counter',
    '{worker}',
    'Workers that were added',
    { attributes },
  ),
  crashed: metric(
    meter,
    'vitals.worker_pool.workers.crashed',
    'counter',
    '{worker}',
    'Threads that ended by themselves or did not start',
    { attributes },
  ),
  queueSize: metric(meter, 'vitals.worker_pool.queue.size', 'gauge', '{task}', 'Tasks that wait', {
    attributes,
  }),
  queueLimit: metric(
    meter,
    'vitals.worker_pool.queue.limit',
    'gauge',
    '{task}',
    'Most tasks that may wait, where there is a limit',
    { attributes },
  ),
  tasks: metric(meter, 'vitals.worker_pool.tasks', 'counter', '{task}', 'Accepted tasks that ended', {
    attributes: [...attributes, outcome],
  }),
  abandoned: metric(
    meter,
    'vitals.worker_pool.abandoned',
    'gauge',
    '{task}',
    'Functions on the event loop that were given up and still run',
    { attributes },
  ),
  waitTime: metric(
    meter,
    'vitals.worker_pool.task.wait_time',
    'histogram',
    's',
    'Time from accepting a task to its beginning',
    { attributes, buckets: taskWaitBounds },
  ),
  runTime: metric(
    meter,
    'vitals.worker_pool.task.run_time',
    'histogram',
    's',
    "Time from a task's beginning to its end",
    { attributes, buckets: taskRunBounds },
  ),
  rejected: metric(meter, 'vitals.worker_pool.rejected', 'counter', '{task}', 'Tasks not taken on', {
    attributes: [...attributes, reason],
  }),
} as const;
