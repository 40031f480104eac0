import { type LockMode, type LockModeStats, type LockStats, lockSource } from '../../toolkit/lock/stats';
import { lockMetrics as m } from '../catalogue/lock';
import { meterSources, seriesOf } from './sources';

const { counter, gauge, histogram } = seriesOf<LockStats>();
const modes = ['exclusive', 'read', 'write'] as const satisfies readonly LockMode[];
const failures = { timeout: 'timeouts', aborted: 'aborted', deadlock: 'deadlocks' } as const;

/** Reads one number of one mode, where the lock has that mode. */
const of =
  <K extends keyof LockModeStats>(mode: LockMode, key: K) =>
  (stats: LockStats): LockModeStats[K] | undefined =>
    stats.modes[mode]?.[key];

/** The toolkit's locks. */
export const meterLock = meterSources<LockStats>(
  lockSource,
  name => ({ 'lock.name': name }),
  modes.flatMap(mode => {
    const at = { 'lock.mode': mode };
    return [
      counter(m.acquired, at, of(mode, 'acquired')),
      counter(m.contended, at, of(mode, 'contended')),
      gauge(m.held, at, of(mode, 'held')),
      gauge(m.waiters, at, of(mode, 'waiters')),
      histogram(m.waitTime, at, of(mode, 'waitTime')),
      histogram(m.holdTime, at, of(mode, 'holdTime')),
      ...Object.entries(failures).map(([failure, key]) =>
        counter(m.failures, { ...at, 'lock.failure': failure }, of(mode, key)),
      ),
    ];
  }),
);
