import { callable, delayMs, nonNegativeInteger, optionalCallable, positiveInteger } from '../options';
import type { ConnectionCallbacks } from './connections';
import type { CommonPoolOptions } from './ledger';

/** Options of {@link ConnectionPool}. All times in milliseconds. */
export interface ConnectionPoolOptions<C extends object> extends CommonPoolOptions {
  /** Opens a connection. */
  readonly create: () => Promise<C> | C;
  /** Closes one. @default nothing */
  readonly destroy?: (connection: C) => unknown;
  /**
   * Asked before an idle connection is handed out. It is dead when this gives false, fails, or takes longer than
   * `pingTimeoutMs`; the caller then gets another. @default all are taken to be alive
   */
  readonly ping?: (connection: C) => unknown;
  /** Most connections open at a time, idle and in use. @default 10 */
  readonly maxActive?: number;
  /** Most connections kept idle; past it the one idle for longest is closed. @default maxActive */
  readonly maxIdle?: number;
  /** Connections that stay open although idle; none is opened ahead of need. @default 0 */
  readonly minIdle?: number;
  /** How long a connection stays idle before it is closed. @default 30000 */
  readonly idleTimeoutMs?: number;
  /** How long a caller waits. @default 30000 */
  readonly acquireTimeoutMs?: number;
  /** Most callers that wait for others to give back; one more is refused at once. @default Infinity */
  readonly maxPending?: number;
  /** @default 30000 */
  readonly createTimeoutMs?: number;
  /** @default 5000 */
  readonly destroyTimeoutMs?: number;
  /** @default 1000 */
  readonly pingTimeoutMs?: number;
  /** A connection used less than this long ago is not pinged; 0 pings before every use but the first. @default 0 */
  readonly pingAfterIdleMs?: number;
}

/** The options with their defaults, checked. */
export interface SettledConnectionOptions<C extends object> extends ConnectionCallbacks<C> {
  readonly maxActive: number;
  readonly maxIdle: number;
  readonly minIdle: number;
  readonly idleTimeoutMs: number;
  readonly acquireTimeoutMs: number;
  readonly maxPending: number;
  readonly pingAfterIdleMs: number;
}

/** @throws TypeError when an option is not as documented */
export function settleConnectionOptions<C extends object>(
  options: ConnectionPoolOptions<C>,
): SettledConnectionOptions<C> {
  const maxActive = positiveInteger('maxActive', options.maxActive ?? 10);
  const maxIdle = nonNegativeInteger('maxIdle', options.maxIdle ?? maxActive);
  const minIdle = nonNegativeInteger('minIdle', options.minIdle ?? 0);
  if (minIdle > Math.min(maxIdle, maxActive)) {
    throw new TypeError(`Expected minIdle to be at most maxIdle and maxActive, got ${minIdle}`);
  }
  const { maxPending = Infinity, pingAfterIdleMs = 0 } = options;
  return {
    maxActive,
    maxIdle,
    minIdle,
    maxPending: maxPending === Infinity ? maxPending : nonNegativeInteger('maxPending', maxPending),
    idleTimeoutMs: delayMs('idleTimeoutMs', options.idleTimeoutMs ?? 30_000),
    acquireTimeoutMs: delayMs('acquireTimeoutMs', options.acquireTimeoutMs ?? 30_000),
    pingAfterIdleMs: pingAfterIdleMs === 0 ? 0 : delayMs('pingAfterIdleMs', pingAfterIdleMs),
    create: callable('create', options.create),
    destroy: optionalCallable('destroy', options.destroy),
    ping: optionalCallable('ping', options.ping),
    createTimeoutMs: delayMs('createTimeoutMs', options.createTimeoutMs ?? 30_000),
    destroyTimeoutMs: delayMs('destroyTimeoutMs', options.destroyTimeoutMs ?? 5000),
    pingTimeoutMs: delayMs('pingTimeoutMs', options.pingTimeoutMs ?? 1000),
  };
}
