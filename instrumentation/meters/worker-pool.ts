import { taskOutcomes, type WorkerPoolStats, workerPoolSource } from '../../toolkit/worker-pool/stats';
import { workerPoolMetrics as m } from '../catalogue/worker-pool';
import { meterSources, seriesOf } from './sources';

const { counter, gauge, histogram } = seriesOf<WorkerPoolStats>();
const states = ['starting', 'idle', 'busy'] as const;
const reasons = ['full', 'closed', 'aborted'] as const;

/** The toolkit's pools of tasks and of threads. */
export const meterWorkerPool = meterSources<WorkerPoolStats>(
  workerPoolSource,
  (name, { kind }) => ({ 'worker_pool.name': name, 'worker_pool.kind': kind }),
  [
    ...states.map(state => gauge(m.workers, { 'worker_pool.state': state }, stats => stats.workers[state])),
    gauge(m.limit, {}, stats => stats.max),
    counter(m.started, {}, stats => stats.workersStarted),
    counter(m.crashed, {}, stats => (stats.kind === 'thread' ? stats.workersCrashed : undefined)),
    gauge(m.queueSize, {}, stats => stats.queued),
    gauge(m.queueLimit, {}, stats => (stats.queueLimit === Infinity ? undefined : stats.queueLimit)),
    // Shown from the first on; completed and failed from the beginning, for a ratio of the two.
    ...taskOutcomes.map(outcome =>
      counter(m.tasks, { 'worker_pool.outcome': outcome }, ({ outcomes }) =>
        outcomes[outcome] > 0 || outcome === 'completed' || outcome === 'failed'
          ? outcomes[outcome]
          : undefined,
      ),
    ),
    gauge(m.abandoned, {}, stats => stats.abandoned),
    histogram(m.waitTime, {}, stats => stats.waitTime),
    histogram(m.runTime, {}, stats => stats.runTime),
    ...reasons.map(reason =>
      counter(m.rejected, { 'worker_pool.reason': reason }, ({ rejected }) =>
        rejected[reason] > 0 || reason === 'full' ? rejected[reason] : undefined,
      ),
    ),
  ],
);
