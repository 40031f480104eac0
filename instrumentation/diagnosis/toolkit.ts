import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type LockStats, lockSource } from '../../toolkit/lock/stats';
import { type PoolStats, poolSource } from '../../toolkit/object-pool/stats';
import { liveSources, type Source } from '../../toolkit/sources';
import { guarded } from '../guard';
import type { Log } from '../log';
import { watchCaches } from './caches';
import { watchDatabases } from './databases';
import type { Findings } from './findings';
import { watchHttpClients } from './http-clients';
import { watchNetworkServers } from './network-servers';
import { watchQueues } from './queues';
import { createRises } from './rises';

/** Callers behind one lock from which it is a convoy and no chance meeting. */
const convoy = 10;

/** What `otel-vitals:pool.leak` and `otel-vitals:lock.held` carry. */
interface HeldTooLong {
  readonly pool?: string;
  readonly lock?: string;
  readonly heldMs: number;
  readonly stack: string;
}

/** Finds what is wrong with the toolkit's pools, locks, queues, databases, caches, HTTP clients and HTTP servers. */
export function watchToolkit(findings: Findings, log: Log): { look(): void; stop(): void } {
  const told = {
    'otel-vitals:pool.leak': guarded(log, 'a leak', ({ pool, heldMs, stack }: HeldTooLong) =>
      findings.report('pool_leak', String(pool), { held_ms: Math.round(heldMs), stack }),
    ),
    'otel-vitals:lock.held': guarded(log, 'a held lock', ({ lock, heldMs, stack }: HeldTooLong) =>
      findings.report('lock_held', String(lock), { held_ms: Math.round(heldMs), stack }),
    ),
  };
  for (const [name, listener] of Object.entries(told)) subscribe(name, listener as never);

  const queues = watchQueues(findings, log);
  const databases = watchDatabases(findings, log);
  const caches = watchCaches(findings, log);
  const httpClients = watchHttpClients(findings, log);
  const httpServers = watchNetworkServers(findings, log);
  const turnedAwayFrom = createRises();
  const lookAtPool = guarded(log, 'looking at a pool', (source: Source<PoolStats>): void => {
    const { used, limit, pending = 0, failures } = source.stats();
    const turnedAway = turnedAwayFrom(source, failures.exhausted + failures.timeout);
    // Where callers were turned away all of it was in use, whatever it is at this moment.
    if (limit === undefined || !(turnedAway > 0 || (used >= limit && pending > 0))) return;
    findings.report('pool_exhausted', source.name, { used, limit, pending, turned_away: turnedAway });
  });
  const lookAtLock = guarded(log, 'looking at a lock', (source: Source<LockStats>): void => {
    const modes = Object.values(source.stats().modes);
    const waiters = modes.reduce((sum, mode) => sum + mode.waiters, 0);
    if (waiters >= convoy) findings.report('lock_convoy', source.name, { waiters });
  });
  return {
    look() {
      for (const source of liveSources<PoolStats>(poolSource.kind, poolSource.layout)) lookAtPool(source);
      for (const source of liveSources<LockStats>(lockSource.kind, lockSource.layout)) lookAtLock(source);
      queues.look();
      databases.look();
      caches.look();
      httpClients.look();
      httpServers.look();
    },
    stop() {
      for (const [name, listener] of Object.entries(told)) unsubscribe(name, listener as never);
    },
  };
}
