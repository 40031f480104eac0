import { type ChannelStats, channelSource } from '../../toolkit/channel/stats';
import { liveSources, type Source } from '../../toolkit/sources';
import { type WorkerPoolStats, workerPoolSource } from '../../toolkit/worker-pool/stats';
import { guarded } from '../guard';
import type { Log } from '../log';
import type { Findings } from './findings';
import { createRises } from './rises';

/** Finds queues of worker pools and channels that are full, and channels that drop what is sent. */
export function watchQueues(findings: Findings, log: Log): { look(): void } {
  const turnedAwayFrom = createRises();
  const droppedBy = createRises();

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
    const { length, capacity, send, receive, dropped } = source.stats();
    const turnedAway = turnedAwayFrom(source, send.refused + send.timeouts);
    const droppedNow = droppedBy(source, dropped);
    if (droppedNow > 0) {
      findings.report('sends_dropped', source.name, { dropped: droppedNow, length, capacity });
    }
    // Without a buffer there is nothing to be full: a sender then always waits for a receiver.
    if (capacity === 0 || (turnedAway === 0 && !(length >= capacity && send.waiting > 0))) return;
    findings.report('queue_saturated', source.name, {
      queued: length,
      limit: capacity,
      turned_away: turnedAway,
      senders_waiting: send.waiting,
      receivers_waiting: receive.waiting,
    });
  });

  return {
    look() {
      for (const source of liveSources<WorkerPoolStats>(workerPoolSource.kind, workerPoolSource.layout)) {
        lookAtWorkerPool(source);
      }
      for (const source of liveSources<ChannelStats>(channelSource.kind, channelSource.layout)) {
        lookAtChannel(source);
      }
    },
  };
}
