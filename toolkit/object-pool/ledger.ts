import { channel } from 'node:diagnostics_channel';
import { type Held, HoldWatch, type HoldWatchOptions, type Trace } from '../hold-watch';
import { listener, nonEmptyString, optionalCallable } from '../options';
import { registerSource } from '../sources';
import { DoubleReleaseError, ForeignObjectError, InvalidObjectError, PoolClosedError } from './errors';
import { PoolCounters, type PoolKind, type PoolStats, poolSource } from './stats';

/** An object of a pool that was held too long. */
export interface PoolLeak extends Held {
  readonly pool: string;
}

/** Finds objects that are acquired and not given back. Off unless it is given. */
export interface LeakDetectionOptions extends HoldWatchOptions {
  /** Told of each, once; the object stays in use. Also published on `otel-vitals:pool.leak`. @default nothing */
  readonly onLeak?: (leak: PoolLeak) => void;
}

/** What all pools take. */
export interface CommonPoolOptions {
  /** Names the pool in statistics and errors. */
  readonly name: string;
  /** Off unless given. */
  readonly leakDetection?: LeakDetectionOptions;
  /** Told of every failure of a callback that no caller hears of. @default nothing */
  readonly onError?: (error: unknown) => void;
  /** Milliseconds of a clock that never goes back. @default performance.now */
  readonly clock?: () => number;
}

/** @internal The books of a pool, for those built on it. */
export const ledgerOf: unique symbol = Symbol('ledger');

/** Subscribers get a {@link PoolLeak} for each object held too long. */
const leakChannel = channel('otel-vitals:pool.leak');

/** What a pool knows of one of its objects. */
export class Slot {
  used = false;
  /** How many times it was handed out. */
  lent = 0;
  /** When it was handed out or, in a connection pool, given back. */
  since = 0;
  hold = 0;
  /** Not handed out yet; in a connection pool only. */
  fresh = true;
  /** Known to be dead; in a connection pool only. */
  broken = false;
  /** Counted as destroyed; in a connection pool only. */
  gone = false;
  /** The answer of a ping under way; in a connection pool only. */
  ping: Promise<boolean> | undefined = undefined;
  /** In a buffer pool, the index of its size class. */
  sizeClass = 0;
  constructor(
    readonly counters: PoolCounters,
    readonly bytes: number,
  ) {}
}

/** An object that is collected while in use was dropped: its place is free again, and the law of numbers holds. */
const collected = new FinalizationRegistry<Slot>(({ used, counters, bytes }) => {
  if (!used) return;
  counters.leaked++;
  counters.usedBytes -= bytes;
});

/**
 * The books of a pool: which objects are its own, which are out, and the counters. Objects in use are held weakly, so
 * that one that the application drops is collected and counted.
 */
export class Ledger<T extends object> {
  readonly name: string;
  readonly counters: PoolCounters;
  readonly now: () => number;
  closed = false;
  readonly #slots = new WeakMap<T, Slot>();
  readonly #watch: HoldWatch | undefined;
  readonly #timed: boolean;
  readonly #onError: (error: unknown) => void;
  readonly #unregister: () => void;

  /**
   * @param owner the pool as the application holds it
   * @param bounds most objects at a time, and whether the time of each use is measured
   */
  constructor(
    owner: object,
    kind: PoolKind,
    { name, leakDetection, onError, clock }: CommonPoolOptions,
    { limit, timeUse }: { limit: number; timeUse: boolean },
  ) {
    this.name = nonEmptyString('name', name);
    this.#onError = listener('onError', onError);
    this.now = optionalCallable('clock', clock) ?? (() => performance.now());
    this.#watch = leakDetection && watchLeaks(this.name, leakDetection, this.now);
    this.counters = new PoolCounters(kind, limit, { timeUse });
    this.#timed = timeUse;
    const { counters } = this;
    this.#unregister = registerSource(
      { ...poolSource, name: this.name, stats: () => counters.snapshot() },
      owner,
    );
  }

  stats(): PoolStats {
    return this.counters.snapshot();
  }

  /** Enters an object that was just made. */
  adopt(object: T, bytes = 0): Slot {
    // What a factory returns may be anything, whatever its type says.
    if (object === null || (typeof object !== 'object' && typeof object !== 'function')) {
      throw new InvalidObjectError(this.name, object === null ? 'null' : typeof object);
    }
    if (this.#slots.has(object)) throw new InvalidObjectError(this.name, 'one that it had given before');
    const slot = new Slot(this.counters, bytes);
    this.#slots.set(object, slot);
    collected.register(object, slot);
    this.counters.created++;
    return slot;
  }

  /**
   * The stack of a call that asks for an object, if this one is to be watched: after a wait it is gone.
   *
   * @param above the public method that the application called
   */
  traceOf(above: (...args: never[]) => unknown): Trace | undefined {
    return this.#watch?.sample(above);
  }

  /** Books an object out to the call that {@link traceOf} was told of. */
  takeOut(slot: Slot, trace: Trace | undefined, now?: number): void {
    slot.used = true;
    slot.lent++;
    this.counters.acquired++;
    if (this.#timed) slot.since = now ?? this.now();
    if (this.#watch !== undefined) slot.hold = this.#watch.start(trace);
  }

  /**
   * Books an object in.
   *
   * @throws ForeignObjectError, DoubleReleaseError
   */
  takeIn(object: T): Slot {
    const slot = this.assertUsed(object);
    slot.used = false;
    this.counters.released++;
    if (this.#timed) this.counters.useTime!.record((this.now() - slot.since) / 1000);
    if (this.#watch !== undefined) this.#watch.end(slot.hold);
    return slot;
  }

  /** @throws ForeignObjectError, DoubleReleaseError */
  assertUsed(object: T): Slot {
    const slot = this.#slots.get(object);
    if (slot === undefined) throw new ForeignObjectError(this.name);
    if (!slot.used) throw new DoubleReleaseError(this.name);
    return slot;
  }

  slotOf(object: T): Slot | undefined {
    return this.#slots.get(object);
  }

  isUsed(object: T): boolean {
    return this.#slots.get(object)?.used === true;
  }

  /** How many times an object was handed out that now is; to be compared by {@link isStillLent}. */
  lendingOf(object: T): number {
    return this.#slots.get(object)!.lent;
  }

  /** Whether it was not given back since, nor given back and handed out to another. */
  isStillLent(object: T, lending: number): boolean {
    const slot = this.#slots.get(object)!;
    return slot.used && slot.lent === lending;
  }

  assertOpen(): void {
    if (!this.closed) return;
    this.counters.failures.closed++;
    throw new PoolClosedError(this.name);
  }

  /** Tells of a failure that must reach no caller. */
  failed(what: 'reset' | 'destroy' | 'validate' | 'create', error: unknown): void {
    this.counters.failures[what]++;
    this.#onError(error);
  }

  /** Takes the pool out of the statistics; what is released later is still booked. */
  close(): void {
    this.closed = true;
    this.#watch?.close();
    this.#unregister();
  }
}

function watchLeaks(pool: string, options: LeakDetectionOptions, now: () => number): HoldWatch {
  const onLeak = listener('leakDetection.onLeak', options.onLeak);
  return new HoldWatch(
    options,
    held => {
      const leak: PoolLeak = { pool, ...held };
      leakChannel.publish(leak);
      onLeak(leak);
    },
    now,
  );
}

/** Runs `fn` and then `after`, once what `fn` returned has settled where it is a promise; gives what `fn` gave. */
export function runThen<R>(fn: () => R, after: () => void): R {
  let result: R;
  try {
    result = fn();
  } catch (error) {
    after();
    throw error;
  }
  if (typeof (result as { then?: unknown } | null | undefined)?.then === 'function') {
    return Promise.resolve(result).finally(after) as R;
  }
  after();
  return result;
}
