import { FixedHistogram, type HistogramSnapshot } from '../histogram';

/** The registered kind of a pool and the layout of {@link PoolStats}, for whoever reads the registry of sources. */
export const poolSource = { kind: 'object_pool', layout: 1 } as const;

/** Which of the toolkit's pools it is. */
export type PoolKind = 'object' | 'buffer' | 'http_response' | 'connection';

/**
 * A pool's counters since it was made, and its present sizes. They are exact at any moment:
 *
 * - `acquired = released + leaked + used`
 * - `created = destroyed + leaked + idle + used`
 * - `reused` are hits, and `acquired - reused` are misses: those for which an object was made
 */
export interface PoolStats {
  readonly kind: PoolKind;
  /** Objects handed out. */
  readonly acquired: number;
  /** Of `acquired`, those for which nothing was created: hits. */
  readonly reused: number;
  /** Objects given back, those given back as broken included. */
  readonly released: number;
  /** Objects made, for a caller or ahead of need. */
  readonly created: number;
  /** Objects that the pool let go: broken, too many, too old, cleared. */
  readonly destroyed: number;
  /** Objects that were dropped in use and collected as garbage; their places are free again. */
  readonly leaked: number;
  /** Objects that wait to be handed out. */
  readonly idle: number;
  /** Objects handed out and not given back. */
  readonly used: number;
  /** Most objects there may be; absent where there is no limit. */
  readonly limit?: number;
  /** Callers that wait; absent for a pool that does not let wait. */
  readonly pending?: number;
  readonly failures: PoolFailures;
  /** Memory of the objects, in bytes; of buffer pools only. */
  readonly memory?: { readonly idle: number; readonly used: number };
  /** Time from asking to getting, in seconds; absent for a pool that does not let wait. */
  readonly waitTime?: HistogramSnapshot;
  /** Time from getting to giving back, in seconds; absent where it is not measured. */
  readonly useTime?: HistogramSnapshot;
}

/** What went wrong, by what it was. */
export interface PoolFailures {
  /** Refused because the limit was reached, or too many waited already. */
  readonly exhausted: number;
  /** Gave up waiting. */
  readonly timeout: number;
  /** Their signal was aborted while they waited. */
  readonly aborted: number;
  /** Refused because the pool was closed, or closed while they waited. */
  readonly closed: number;
  /** `create` failed. */
  readonly create: number;
  /** Objects that `validate` or `ping` found broken, by saying so, failing, or not answering in time. */
  readonly validate: number;
  /** `reset` failed; the object was destroyed. */
  readonly reset: number;
  /** `destroy` failed. */
  readonly destroy: number;
}

/** Bucket bounds of waiting for an object, in seconds. */
export const poolWaitBounds = [
  1e-5, 5e-5, 1e-4, 5e-4, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** Bucket bounds of holding an object, in seconds. */
export const poolUseBounds = [
  1e-5, 1e-4, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

/**
 * The numbers behind {@link PoolStats}. They hold no object and no callback, so that the registry of sources may hold
 * them without keeping a dropped pool alive.
 */
export class PoolCounters {
  acquired = 0;
  reused = 0;
  released = 0;
  created = 0;
  destroyed = 0;
  leaked = 0;
  /** Calls that wait, wherever they are on their way. */
  pending = 0;
  idleBytes = 0;
  usedBytes = 0;
  readonly failures = {
    exhausted: 0,
    timeout: 0,
    aborted: 0,
    closed: 0,
    create: 0,
    validate: 0,
    reset: 0,
    destroy: 0,
  };
  readonly waitTime: FixedHistogram | undefined;
  readonly useTime: FixedHistogram | undefined;

  constructor(
    readonly kind: PoolKind,
    readonly limit: number,
    { timeUse }: { timeUse: boolean },
  ) {
    this.waitTime = kind === 'connection' ? new FixedHistogram(poolWaitBounds) : undefined;
    this.useTime = timeUse ? new FixedHistogram(poolUseBounds) : undefined;
  }

  /** Objects handed out now. */
  get used(): number {
    return this.acquired - this.released - this.leaked;
  }

  /** Objects there are now, idle and used. */
  get size(): number {
    return this.created - this.destroyed - this.leaked;
  }

  snapshot(): PoolStats {
    const { kind, acquired, reused, released, created, destroyed, leaked, used } = this;
    return {
      kind,
      acquired,
      reused,
      released,
      created,
      destroyed,
      leaked,
      idle: this.size - used,
      used,
      ...(this.limit !== Infinity && { limit: this.limit }),
      ...(this.waitTime && { pending: this.pending, waitTime: this.waitTime.snapshot() }),
      ...(this.useTime && { useTime: this.useTime.snapshot() }),
      ...(kind === 'buffer' && { memory: { idle: this.idleBytes, used: this.usedBytes } }),
      failures: { ...this.failures },
    };
  }
}
