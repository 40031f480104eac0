import { type QueueStats, queueSource } from '../../toolkit/lock/queue-stats';
import { sharedQueueMetrics as m } from '../catalogue/lock';
import { meterSources, seriesOf } from './sources';

const { counter, gauge } = seriesOf<QueueStats>();

/** The toolkit's queues between threads, shown by the thread that made them. */
export const meterSharedQueue = meterSources<QueueStats>(
  queueSource,
  name => ({ 'shared_queue.name': name }),
  [
    counter(m.sent, {}, stats => stats.sent),
    counter(m.received, {}, stats => stats.received),
    counter(m.refused, {}, stats => stats.refused),
    gauge(m.length, {}, stats => stats.length),
    gauge(m.capacity, {}, stats => stats.capacity),
    gauge(m.waiters, { 'shared_queue.side': 'consumer' }, stats => stats.waitingConsumers),
    gauge(m.waiters, { 'shared_queue.side': 'producer' }, stats => stats.waitingProducers),
  ],
);
