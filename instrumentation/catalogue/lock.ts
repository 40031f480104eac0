import { lockHoldBounds, lockWaitBounds } from '../../toolkit/lock/stats';
import { attribute, metric } from './define';

const meter = 'lock';
const lockName = attribute('lock.name', "The lock's name as its maker gave it, of a manager the manager's", {
  bound: 'locks and lock managers the application makes',
});
const mode = attribute('lock.mode', 'How it is held: alone, or of a lock with readers, by them or alone', {
  values: ['exclusive', 'read', 'write'],
});
const outcome = attribute('lock.failure', 'Why the wait ended without the lock', {
  values: ['timeout', 'aborted', 'deadlock'],
});
const attributes = [lockName, mode] as const;

export const lockMetrics = {
  acquired: metric(meter, 'vitals.lock.acquired', 'counter', '{acquisition}', 'Times the lock was taken', {
    attributes,
  }),
  contended: metric(
    meter,
    'vitals.lock.contended',
    'counter',
    '{acquisition}',
    'Calls that found the lock taken and waited',
    { attributes },
  ),
  failures: metric(
    meter,
    'vitals.lock.failures',
    'counter',
    '{acquisition}',
    'Waits that ended without the lock',
    {
      attributes: [...attributes, outcome],
    },
  ),
  held: metric(meter, 'vitals.lock.held', 'gauge', '{holder}', 'Holders of the lock', { attributes }),
  waiters: metric(meter, 'vitals.lock.waiters', 'gauge', '{waiter}', 'Calls that wait for the lock', {
    attributes,
  }),
  waitTime: metric(meter, 'vitals.lock.wait_time', 'histogram', 's', 'Time of waits that ended', {
    attributes,
    buckets: lockWaitBounds,
  }),
  holdTime: metric(
    meter,
    'vitals.lock.hold_time',
    'histogram',
    's',
    'Time the lock was held, where it is measured',
    { attributes, buckets: lockHoldBounds },
  ),
} as const;

const queueName = attribute('shared_queue.name', "The queue's name as its maker gave it", {
  bound: 'queues between threads that the application makes',
});
const side = attribute('shared_queue.side', 'Whether it sleeps for want of a message or of room', {
  values: ['consumer', 'producer'],
});

/** Queues between threads. */
export const sharedQueueMetrics = {
  sent: metric(
    meter,
    'vitals.shared_queue.sent',
    'counter',
    '{message}',
    'Messages that threads put into the queue',
    { attributes: [queueName] },
  ),
  received: metric(
    meter,
    'vitals.shared_queue.received',
    'counter',
    '{message}',
    'Messages that threads took out of the queue',
    { attributes: [queueName] },
  ),
  refused: metric(
    meter,
    'vitals.shared_queue.refused',
    'counter',
    '{message}',
    'Messages not taken because the queue was full',
    { attributes: [queueName] },
  ),
  length: metric(meter, 'vitals.shared_queue.length', 'gauge', '{message}', 'Messages in the queue', {
    attributes: [queueName],
  }),
  capacity: metric(
    meter,
    'vitals.shared_queue.capacity',
    'gauge',
    '{message}',
    'Most messages the queue holds',
    { attributes: [queueName] },
  ),
  waiters: metric(
    meter,
    'vitals.shared_queue.waiters',
    'gauge',
    '{thread}',
    'Threads that sleep in front of the queue',
    { attributes: [queueName, side] },
  ),
} as const;
