import { type PoolFailures, type PoolStats, poolSource } from '../../toolkit/object-pool/stats';
import { poolMetrics as m } from '../catalogue/object-pool';
import { meterSources, seriesOf } from './sources';

const { counter, gauge, histogram } = seriesOf<PoolStats>();
const failures = ['exhausted', 'aborted', 'closed', 'create', 'validate', 'reset', 'destroy'] as const;

/** A pool has the series of a failure from its first on, but for those that an alert is about. */
const failure = (what: keyof PoolFailures) =>
  counter(m.failures, { 'pool.failure': what }, ({ failures }) =>
    failures[what] > 0 || what === 'exhausted' ? failures[what] : undefined,
  );

/** The toolkit's pools of objects, buffers and connections. */
export const meterObjectPool = meterSources<PoolStats>(
  poolSource,
  (name, { kind }) => ({ 'pool.name': name, 'pool.kind': kind }),
  [
    counter(m.acquired, {}, stats => stats.acquired),
    counter(m.reused, {}, stats => stats.reused),
    counter(m.released, {}, stats => stats.released),
    counter(m.created, {}, stats => stats.created),
    counter(m.destroyed, {}, stats => stats.destroyed),
    counter(m.leaked, {}, stats => stats.leaked),
    ...(['idle', 'used'] as const).flatMap(state => [
      gauge(m.size, { 'pool.state': state }, stats => stats[state]),
      gauge(m.memory, { 'pool.state': state }, stats => stats.memory?.[state]),
    ]),
    gauge(m.limit, {}, stats => stats.limit),
    gauge(m.pending, {}, stats => stats.pending),
    histogram(m.waitTime, {}, stats => stats.waitTime),
    histogram(m.useTime, {}, stats => stats.useTime),
    counter(m.timeouts, {}, stats => (stats.pending === undefined ? undefined : stats.failures.timeout)),
    ...failures.map(failure),
  ],
);
