import { type ChannelStats, channelSource } from '../../toolkit/channel/stats';
import { type QueueStats, queueSource } from '../../toolkit/lock/queue-stats';
import { liveSources, type Source } from '../../toolkit/sources';
import { type WorkerPoolStats, workerPoolSource } from '../../toolkit/worker-pool/stats';
import { guarded } from '../guard';
import type { Log } from '../log';
import type { Findings } from './findings';
import { createRises } from './rises';

/** Finds queues of worker pools and of threads, and channels, that are full, and channels that drop what is sent. */
export function watchQueues(findings: Findings, log: Log): { look(): void } {
  const turnedAwayFrom = createRises();
  const droppedBy = createRises();
  const receivedFrom = createRises();

  const lookAtWorkerPool = guarded(
    log,
    'looking at a worker pool',
    (source: Source<WorkerPoolStats>): void => {
      const { queued, queueLimit, workers, max, rejected, outcomes } = source.stats();
      const turnedAway = turnedAwayFrom(source, rejected.full + outcomes.queue_timeout);
      // Where tasks were turned away it was full, or too slow, whatever it is at this moment.
      const full = queueLimit > 0 && queued >= queueLimit;
      if (turnedAway === 0 && !full) return;
      findings.report('queue_saturated', source.name, {
        queued,
        // Numbers only, and JSON has no Infinity.
        ...(queueLimit !== Infinity && { limit: queueLimit }),
        turned_away: turnedAway,
        busy: workers.busy,
        workers_limit: max,
      });
    },
  );

  const lookAtChannel = guarded(log, 'looking at a channel', (source: Source<ChannelStats>): void => {
    const { length, capacity, send, receive, dropped, received } = source.stats();
    // Without a buffer nobody is turned away by asking: a sender then always waits for a receiver.
    const turnedAway = turnedAwayFrom(source, (capacity === 0 ? 0 : send.refused) + send.timeouts);
    const droppedNow = droppedBy(source, dropped);
    const receivedNow = receivedFrom(source, received);
    if (droppedNow > 0) {
      findings.report('sends_dropped', source.name, { dropped: droppedNow, length, capacity });
    }
    // Nor is it full: it is when those who wait have waited since the last look.
    const full = capacity === 0 ? receivedNow === 0 : length >= capacity;
    if (turnedAway === 0 && !(full && send.waiting > 0)) return;
    findings.report('queue_saturated', source.name, {
      queued: length,
      limit: capacity,
      turned_away: turnedAway,
      senders_waiting: send.waiting,
      receivers_waiting: receive.waiting,
    });
  });

  const lookAtThreadQueue = guarded(
    log,
    'looking at a queue between threads',
    (source: Source<QueueStats>): void => {
      const { length, capacity, refused, waitingProducers, waitingConsumers } = source.stats();
      const turnedAway = turnedAwayFrom(source, refused);
      if (turnedAway === 0 && !(length >= capacity && waitingProducers > 0)) return;
      findings.report('queue_saturated', source.name, {
        queued: length,
        limit: capacity,
        turned_away: turnedAway,
        senders_waiting: waitingProducers,
        receivers_waiting: waitingConsumers,
      });
    },
  );

  return {
    look() {
      for (const source of liveSources<WorkerPoolStats>(workerPoolSource.kind, workerPoolSource.layout)) {
        lookAtWorkerPool(source);
      }
      for (const source of liveSources<ChannelStats>(channelSource.kind, channelSource.layout)) {
        lookAtChannel(source);
      }
      for (const source of liveSources<QueueStats>(queueSource.kind, queueSource.layout)) {
        lookAtThreadQueue(source);
      }
    },
  };
}
