import { batchRunBounds, batchSizeBounds } from '../../toolkit/channel/batch-stats';
import { channelWaitBounds } from '../../toolkit/channel/stats';
import { attribute, metric } from './define';

const meter = 'channel';
const channelName = attribute('channel.name', "The channel's name as its maker gave it", {
  bound: 'channels the application makes',
});
const operation = attribute('channel.operation', 'Which side of the channel the call is on', {
  values: ['send', 'receive'],
});
const failure = attribute('channel.failure', 'Why the call ended without success', {
  values: ['refused', 'timeout', 'aborted', 'closed'],
});
const reason = attribute(
  'batch.flush.reason',
  'Why the batch was begun: it was full, its oldest item had waited, or it was asked for',
  { values: ['size', 'time', 'flush', 'close'] },
);
const outcome = attribute('batch.outcome', 'How the item ended', { values: ['processed', 'failed'] });
const attributes = [channelName] as const;

export const channelMetrics = {
  sent: metric(meter, 'vitals.channel.sent', 'counter', '{message}', 'Messages that the channel took', {
    attributes,
  }),
  received: metric(
    meter,
    'vitals.channel.received',
    'counter',
    '{message}',
    'Messages handed to a receiver',
    { attributes },
  ),
  dropped: metric(
    meter,
    'vitals.channel.dropped',
    'counter',
    '{message}',
    'Messages that the channel took and let go: for others when it was full, or when it was cleared',
    { attributes },
  ),
  blocked: metric(meter, 'vitals.channel.blocked', 'counter', '{call}', 'Calls that had to wait', {
    attributes: [...attributes, operation],
  }),
  failures: metric(
    meter,
    'vitals.channel.failures',
    'counter',
    '{call}',
    'Calls refused because there was no room or the channel was closed, and waits that ended without success',
    { attributes: [...attributes, operation, failure] },
  ),
  length: metric(meter, 'vitals.channel.length', 'gauge', '{message}', 'Messages in the buffer', {
    attributes,
  }),
  capacity: metric(
    meter,
    'vitals.channel.capacity',
    'gauge',
    '{message}',
    'Most messages the buffer holds; 0 where sender and receiver meet',
    { attributes },
  ),
  waiters: metric(meter, 'vitals.channel.waiters', 'gauge', '{call}', 'Calls that wait', {
    attributes: [...attributes, operation],
  }),
  waitTime: metric(
    meter,
    'vitals.channel.wait_time',
    'histogram',
    's',
    'Time of waits, however they ended: of every tenth unless the application says otherwise',
    { attributes: [...attributes, operation], buckets: channelWaitBounds },
  ),
} as const;

/** Batch processors, whose items come through a channel of the same name. */
export const batchMetrics = {
  size: metric(meter, 'vitals.channel.batch.size', 'histogram', '{item}', 'Items per batch', {
    attributes,
    buckets: batchSizeBounds,
  }),
  flushes: metric(meter, 'vitals.channel.batch.flushes', 'counter', '{batch}', 'Batches that were begun', {
    attributes: [...attributes, reason],
  }),
  items: metric(meter, 'vitals.channel.batch.items', 'counter', '{item}', 'Items that ended', {
    attributes: [...attributes, outcome],
  }),
  retries: metric(
    meter,
    'vitals.channel.batch.retries',
    'counter',
    '{attempt}',
    'Attempts to process a batch after the first',
    { attributes },
  ),
  unreported: metric(
    meter,
    'vitals.channel.batch.unreported',
    'counter',
    '{batch}',
    'Failed batches of which the application could not be told, because its callback failed too',
    { attributes },
  ),
  running: metric(meter, 'vitals.channel.batch.running', 'gauge', '{batch}', 'Batches that run', {
    attributes,
  }),
  runTime: metric(
    meter,
    'vitals.channel.batch.run_time',
    'histogram',
    's',
    'Time of batches, all attempts and the pauses between them',
    { attributes, buckets: batchRunBounds },
  ),
} as const;
