import { batchMetrics, channelMetrics, sharedQueueMetrics } from '../../../instrumentation/catalogue';
import type { Section } from '../board';
import { timeseries } from '../panels';
import { label, max, peak, perInstance, quantile, rate, series, sum } from '../promql';
import { thresholds } from '../thresholds';
import { channelShare, sharedQueueShare } from './ratios';

const m = channelMetrics;
const name = label(m.length, 'channel.name');
const operation = label(m.waiters, 'channel.operation');
const failure = label(m.failures, 'channel.failure');
const flushReason = label(batchMetrics.flushes, 'batch.flush.reason');
const outcome = label(batchMetrics.items, 'batch.outcome');
const byChannel = [...perInstance, name];
const legend = `{{instance}} {{${name}}}`;

const queue = label(sharedQueueMetrics.length, 'shared_queue.name');
const side = label(sharedQueueMetrics.waiters, 'shared_queue.side');
const byQueue = [...perInstance, queue];
const queueLegend = `{{instance}} {{${queue}}}`;

/** Channels between parts of an application, the batches that come out of them, and queues between threads. */
export const channels: Section = {
  title: 'Channels, batches and queues between threads',
  panels: [
    timeseries({
      title: 'Full, as a share of the capacity',
      description:
        'Messages in the buffer divided by what it holds. Normal: low, a buffer is for peaks. Near 100 %: the receivers are too slow, and senders wait or messages are dropped.',
      unit: 'percentunit',
      width: 8,
      max: 1,
      thresholds: thresholds.queueShare,
      queries: [
        { expr: channelShare, legend },
        { expr: sharedQueueShare, legend: queueLegend },
      ],
    }),
    timeseries({
      title: 'Sent and received',
      description: 'Messages a second. Normal: both alike. Sent above received for long: a backlog grows.',
      unit: 'ops',
      width: 8,
      queries: [
        { expr: sum(rate(series(m.sent)), byChannel), legend: `${legend} sent` },
        { expr: sum(rate(series(m.received)), byChannel), legend: `${legend} received` },
        { expr: sum(rate(series(sharedQueueMetrics.sent)), byQueue), legend: `${queueLegend} sent` },
        { expr: sum(rate(series(sharedQueueMetrics.received)), byQueue), legend: `${queueLegend} received` },
      ],
    }),
    timeseries({
      title: 'Lost and refused',
      description:
        'Messages a second that were dropped or not taken, and calls that ended without success. Normal: none. Dropped messages are gone: make the receivers faster, or let the senders wait.',
      unit: 'ops',
      width: 8,
      queries: [
        { expr: sum(rate(series(m.dropped)), byChannel), legend: `${legend} dropped` },
        {
          expr: sum(rate(series(m.failures)), [...byChannel, operation, failure]),
          legend: `${legend} {{${operation}}} {{${failure}}}`,
        },
        { expr: sum(rate(series(sharedQueueMetrics.refused)), byQueue), legend: `${queueLegend} refused` },
      ],
    }),
    timeseries({
      title: 'Calls that wait',
      description:
        'Senders that wait for room and receivers that wait for a message. Normal: receivers wait, senders do not. Senders that wait: backpressure, the receivers are the limit.',
      unit: 'short',
      width: 8,
      decimals: 0,
      queries: [
        {
          expr: max(peak(series(m.waiters)), [...byChannel, operation]),
          legend: `${legend} {{${operation}}}`,
        },
        {
          expr: max(peak(series(sharedQueueMetrics.waiters)), [...byQueue, side]),
          legend: `${queueLegend} {{${side}}}`,
        },
      ],
    }),
    timeseries({
      title: 'Wait p99 and waits a second',
      description:
        'The 99th percentile of waits, however they ended, and on the right how many calls had to wait. Normal: senders never wait. A receiver that waits has nothing to do.',
      unit: 's',
      width: 8,
      queries: [
        {
          expr: quantile(0.99, m.waitTime, [...byChannel, operation]),
          legend: `${legend} {{${operation}}} p99`,
        },
        {
          expr: sum(rate(series(m.blocked)), [...byChannel, operation]),
          legend: `${legend} {{${operation}}} waits`,
          unit: 'ops',
        },
      ],
    }),
    timeseries({
      title: 'Batches by reason',
      description:
        'Batches a second by why they were begun, and on the right those that run now. Normal: size, under load. Time: traffic is too low to fill one within the interval.',
      unit: 'ops',
      width: 8,
      queries: [
        {
          expr: sum(rate(series(batchMetrics.flushes)), [...byChannel, flushReason]),
          legend: `${legend} {{${flushReason}}}`,
        },
        { expr: max(series(batchMetrics.running), byChannel), legend: `${legend} running`, unit: 'short' },
      ],
    }),
    timeseries({
      title: 'Batch size and duration',
      description:
        'Median of items per batch, and on the right the 99th percentile of how long a batch takes with all its attempts. Normal: size near its maximum under load, duration far under the interval.',
      unit: 'short',
      width: 12,
      queries: [
        { expr: quantile(0.5, batchMetrics.size, byChannel), legend: `${legend} items` },
        { expr: quantile(0.99, batchMetrics.runTime, byChannel), legend: `${legend} p99`, unit: 's' },
      ],
    }),
    timeseries({
      title: 'Items by outcome, retries',
      description:
        'Items a second by how they ended, attempts after the first, and failed batches that could not be reported. Normal: processed alone. Failed: what the batches are for refuses them; unreported ones are lost without a trace.',
      unit: 'ops',
      width: 12,
      queries: [
        {
          expr: sum(rate(series(batchMetrics.items)), [...byChannel, outcome]),
          legend: `${legend} {{${outcome}}}`,
        },
        { expr: sum(rate(series(batchMetrics.retries)), byChannel), legend: `${legend} retries` },
        { expr: sum(rate(series(batchMetrics.unreported)), byChannel), legend: `${legend} unreported` },
      ],
    }),
  ],
};
