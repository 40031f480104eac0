import {
  channelMetrics,
  lockMetrics,
  poolMetrics,
  sharedQueueMetrics,
  workerPoolMetrics,
} from '../../../instrumentation/catalogue';
import { label, max, peak, perInstance, rate, series, sum } from '../promql';

const pool = [...perInstance, label(poolMetrics.size, 'pool.name')];
const workerPool = [...perInstance, label(workerPoolMetrics.workers, 'worker_pool.name')];
const channel = [...perInstance, label(channelMetrics.length, 'channel.name')];
const queue = [...perInstance, label(sharedQueueMetrics.length, 'shared_queue.name')];
const lock = [
  ...perInstance,
  label(lockMetrics.acquired, 'lock.name'),
  label(lockMetrics.acquired, 'lock.mode'),
];

/** Objects in use of those that there may be, where there is a limit. */
export const poolShare = `${max(peak(series(poolMetrics.size, { 'pool.state': '="used"' })), pool)}
  / (${max(series(poolMetrics.limit), pool)} > 0)`;

/** Workers that run a task of those that there may be. */
export const workerShare = `${max(peak(series(workerPoolMetrics.workers, { 'worker_pool.state': '="busy"' })), workerPool)}
  / (${max(series(workerPoolMetrics.limit), workerPool)} > 0)`;

/** Tasks that wait of those that may, where there is a limit. */
export const queueShare = `${max(peak(series(workerPoolMetrics.queueSize)), workerPool)}
  / (${max(series(workerPoolMetrics.queueLimit), workerPool)} > 0)`;

/** Messages in the buffer of those that it holds; channels without a buffer have none. */
export const channelShare = `${max(peak(series(channelMetrics.length)), channel)}
  / (${max(series(channelMetrics.capacity), channel)} > 0)`;

export const sharedQueueShare = `${max(peak(series(sharedQueueMetrics.length)), queue)}
  / (${max(series(sharedQueueMetrics.capacity), queue)} > 0)`;

/** Of the calls that got a lock, how many had found it taken; those that waited in vain are in it too. */
export const contention = `${sum(rate(series(lockMetrics.contended)), lock)}
  / (${sum(rate(series(lockMetrics.acquired)), lock)} > 0)`;
