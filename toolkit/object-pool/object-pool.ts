import { callable, nonNegativeInteger, optionalCallable, positiveIntegerOrInfinity } from '../options';
import { PoolExhaustedError } from './errors';
import { type CommonPoolOptions, Ledger, ledgerOf, runThen, type Slot } from './ledger';
import type { PoolKind, PoolStats } from './stats';

/** Options of {@link ObjectPool}. The callbacks are synchronous. */
export interface ObjectPoolOptions<T extends object> extends CommonPoolOptions {
  /** Makes an object. What it throws reaches the caller of `acquire`. */
  readonly create: () => T;
  /** Makes a released object as good as new. An object for which it throws is destroyed. @default nothing */
  readonly reset?: (object: T) => void;
  /** Whether an idle object can be handed out; false or a throw destroys it. @default all can */
  readonly validate?: (object: T) => boolean;
  /** Told of each object that leaves the pool. @default nothing */
  readonly destroy?: (object: T) => void;
  /** Most objects there may be, idle and in use. @default Infinity */
  readonly max?: number;
  /** Most objects kept idle; one released beyond is destroyed. @default max, and at most 1024 */
  readonly maxIdle?: number;
  /** Whether to measure how long each object is used; two readings of the clock per use. @default false */
  readonly timeUse?: boolean;
}

const defaultMaxIdle = 1024;

/**
 * A pool of objects that are costly to make or to collect as garbage. Synchronous: nobody waits.
 *
 * The last object released is the first handed out, because it is the likeliest to be in the processor's caches. The
 * pool holds objects in use weakly: one that is dropped without being released is collected, counted as `leaked`, and
 * its place under `max` is free again.
 */
export class ObjectPool<T extends object> {
  readonly name: string;
  /** @internal */
  readonly [ledgerOf]: Ledger<T>;
  readonly #ledger: Ledger<T>;
  readonly #create: () => T;
  readonly #reset: ((object: T) => void) | undefined;
  readonly #validate: ((object: T) => boolean) | undefined;
  readonly #destroy: ((object: T) => void) | undefined;
  readonly #max: number;
  readonly #maxIdle: number;
  // Two arrays in step rather than one of pairs: nothing is allocated per use.
  readonly #idle: T[] = [];
  readonly #idleSlots: Slot[] = [];
  #creating = 0;

  /**
   * @param kind how the pool is called in statistics
   * @throws TypeError when an option is not as documented
   */
  constructor(options: ObjectPoolOptions<T>, kind: PoolKind = 'object') {
    this.#create = callable('create', options.create);
    this.#reset = optionalCallable('reset', options.reset);
    this.#validate = optionalCallable('validate', options.validate);
    this.#destroy = optionalCallable('destroy', options.destroy);
    this.#max = positiveIntegerOrInfinity('max', options.max ?? Infinity);
    this.#maxIdle = nonNegativeInteger('maxIdle', options.maxIdle ?? Math.min(this.#max, defaultMaxIdle));
    const bounds = { limit: this.#max, timeUse: options.timeUse ?? false };
    this.#ledger = new Ledger<T>(this, kind, options, bounds);
    this[ledgerOf] = this.#ledger;
    this.name = this.#ledger.name;
  }

  /**
   * An object, idle or new. It must be given back by {@link release} or {@link discard}.
   *
   * @throws PoolExhaustedError when `max` objects are in use; PoolClosedError; what `create` throws
   */
  acquire(): T {
    const object = this.#take(this.acquire);
    if (object !== undefined) return object;
    this.#ledger.counters.failures.exhausted++;
    throw new PoolExhaustedError(this.name, this.#max);
  }

  /** As {@link acquire}, but gives undefined when `max` objects are in use. */
  tryAcquire(): T | undefined {
    const object = this.#take(this.tryAcquire);
    if (object === undefined) this.#ledger.counters.failures.exhausted++;
    return object;
  }

  /**
   * Gives an object back. A failing `reset` costs the object and not the caller: it is told to `onError`. Giving it back
   * again is found as long as nobody else has it: after that it can't be told from that holder's own release.
   *
   * @throws DoubleReleaseError, ForeignObjectError
   */
  release(object: T): void {
    const slot = this.#ledger.takeIn(object);
    if (this.#reset !== undefined) {
      try {
        this.#reset(object);
      } catch (error) {
        this.#ledger.failed('reset', error);
        this.#drop(object);
        return;
      }
    }
    if (this.#idle.length >= this.#maxIdle || this.#ledger.closed) {
      this.#drop(object);
      return;
    }
    this.#idle.push(object);
    this.#idleSlots.push(slot);
  }

  /**
   * Gives an object back that must not be used again.
   *
   * @throws DoubleReleaseError, ForeignObjectError
   */
  discard(object: T): void {
    this.#ledger.takeIn(object);
    this.#drop(object);
  }

  /** Runs `fn` with an object and gives it back when `fn` has returned, thrown, or its promise has settled. */
  use<R>(fn: (object: T) => R): R {
    const object = this.#take(this.use);
    if (object === undefined) {
      this.#ledger.counters.failures.exhausted++;
      throw new PoolExhaustedError(this.name, this.#max);
    }
    const lending = this.#ledger.lendingOf(object);
    return runThen(
      () => fn(object),
      // fn may have given it back, and another may have it now.
      () => this.#ledger.isStillLent(object, lending) && this.release(object),
    );
  }

  /** Makes objects ahead of need until `count` are idle, or a limit is reached. */
  prefill(count: number): void {
    nonNegativeInteger('count', count);
    this.#ledger.assertOpen();
    const wanted = Math.min(count, this.#maxIdle);
    while (this.#idle.length < wanted && this.#hasRoom()) {
      const object = this.#make();
      this.#idle.push(object);
      this.#idleSlots.push(this.#ledger.slotOf(object)!);
    }
  }

  /** Destroys the idle objects. */
  clear(): void {
    for (let left = this.#idle.length; left > 0; left--) {
      const object = this.#idle.pop();
      if (object === undefined) return;
      this.#idleSlots.pop();
      this.#drop(object);
    }
  }

  /** Counters and sizes, as documented at {@link PoolStats}. */
  stats(): PoolStats {
    return this.#ledger.stats();
  }

  /** Destroys the idle objects and takes the pool out of the statistics. Objects in use are destroyed when released. */
  close(): void {
    if (this.#ledger.closed) return;
    this.#ledger.closed = true;
    this.clear();
    this.#ledger.close();
  }

  #take(above: (...args: never[]) => unknown): T | undefined {
    const ledger = this.#ledger;
    if (ledger.closed) ledger.assertOpen();
    for (let object = this.#idle.pop(); object !== undefined; object = this.#idle.pop()) {
      const slot = this.#idleSlots.pop()!;
      if (this.#validate === undefined || this.#isValid(object)) {
        ledger.takeOut(slot, ledger.traceOf(above));
        ledger.counters.reused++;
        return object;
      }
    }
    if (!this.#hasRoom()) return undefined;
    const object = this.#make();
    ledger.takeOut(ledger.slotOf(object)!, ledger.traceOf(above));
    return object;
  }

  #hasRoom(): boolean {
    return this.#max === Infinity || this.#ledger.counters.size + this.#creating < this.#max;
  }

  #make(): T {
    // Counted while it is made: create may come back here.
    this.#creating++;
    try {
      const object = this.#create();
      this.#ledger.adopt(object);
      return object;
    } catch (error) {
      this.#ledger.counters.failures.create++;
      throw error;
    } finally {
      this.#creating--;
    }
  }

  #isValid(object: T): boolean {
    try {
      if (this.#validate!(object)) return true;
      this.#ledger.counters.failures.validate++;
    } catch (error) {
      this.#ledger.failed('validate', error);
    }
    this.#drop(object);
    return false;
  }

  #drop(object: T): void {
    this.#ledger.counters.destroyed++;
    try {
      this.#destroy?.(object);
    } catch (error) {
      this.#ledger.failed('destroy', error);
    }
  }
}
