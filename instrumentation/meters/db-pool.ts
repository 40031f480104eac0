import { dbPoolMetrics } from '../catalogue/database';
import { errorText } from '../log';
import type { CounterCell, HistogramCell } from '../metrics/cells';
import type { MeterContext } from './context';

/** A pool's numbers at one moment; what it does not have is left out. */
export interface PoolReading {
  readonly used: number;
  readonly idle: number;
  readonly pending?: number;
  readonly limit?: number;
  readonly idleMin?: number;
  readonly idleMax?: number;
}

/** How a kind of pool is read. The functions get the pool, so that nothing here keeps it alive. */
export interface PoolKind<P extends object> {
  /** `undefined` once the pool is closed. */
  read(pool: P): PoolReading | undefined;
  /**
   * `host:port/database`, with what may be shown in a metric and nothing else.
   *
   * @param settle whether a guess must do; else `undefined` says that the name is not known yet
   */
  name(pool: P, settle: boolean): string | undefined;
}

/** Where the events of one pool go; each is a no-op once the pool is closed, and none throws. All times in seconds. */
export interface TrackedPool {
  created(seconds: number): void;
  waited(seconds: number): void;
  used(seconds: number): void;
  timedOut(): void;
}

export interface Pools {
  /** Shows a pool for as long as it is open and alive; the same pool again gives the same object. Never throws. */
  track<P extends object>(pool: P, kind: PoolKind<P>): TrackedPool;
}

/** Binds the pool metrics to whoever opens pools; see the hooks in `libraries/`. */
export function createPools(context: MeterContext): { pools: Pools; dispose: () => void } {
  const open = new Set<Tracked>();
  const failed = (error: unknown): void =>
    context.log.warnOnce('db-pool', `a connection pool could not be read: ${errorText(error)}`);
  const known = new WeakMap<object, Tracked>();
  const instruments = bind(context);

  const sweep = (): void => {
    for (const tracked of open) {
      if (tracked.isClosed()) close(tracked);
    }
  };
  const close = (tracked: Tracked): void => {
    open.delete(tracked);
    tracked.close();
  };
  const freeName = (base: string): string => {
    // A closed pool gives its name back at once, not at the next collection.
    sweep();
    const taken = new Set([...open].map(other => other.name));
    let name = base;
    for (let i = 2; taken.has(name); i++) name = `${base}#${i}`;
    return name;
  };

  const dispose = context.registry.onCollect(() => {
    for (const tracked of open) {
      if (!tracked.collect()) close(tracked);
    }
  });

  const pools: Pools = {
    track(pool, kind) {
      const found = known.get(pool);
      if (found !== undefined && !found.closed) return found;
      const tracked = new Tracked(
        new WeakRef(pool),
        kind as unknown as PoolKind<object>,
        instruments,
        freeName,
        failed,
      );
      known.set(pool, tracked);
      open.add(tracked);
      // Names go by the order of opening, as far as they are known by then, and not by that of use.
      tracked.settle();
      return tracked;
    },
  };
  return {
    pools,
    dispose: () => {
      dispose();
      for (const tracked of open) close(tracked);
    },
  };
}

type Instruments = ReturnType<typeof bind>;

function bind({ registry }: MeterContext) {
  return {
    count: registry.instrument(dbPoolMetrics.count),
    pending: registry.instrument(dbPoolMetrics.pending),
    limit: registry.instrument(dbPoolMetrics.limit),
    idleMin: registry.instrument(dbPoolMetrics.idleMin),
    idleMax: registry.instrument(dbPoolMetrics.idleMax),
    timeouts: registry.instrument(dbPoolMetrics.timeouts),
    createTime: registry.instrument(dbPoolMetrics.createTime),
    waitTime: registry.instrument(dbPoolMetrics.waitTime),
    useTime: registry.instrument(dbPoolMetrics.useTime),
  };
}

const gauges = ['pending', 'limit', 'idleMin', 'idleMax'] as const;

class Tracked implements TrackedPool {
  name: string | undefined;
  #series: Series | undefined;
  closed = false;

  constructor(
    readonly ref: WeakRef<object>,
    readonly kind: PoolKind<object>,
    readonly instruments: Instruments,
    readonly freeName: (base: string) => string,
    readonly failed: (error: unknown) => void,
  ) {}

  created(seconds: number): void {
    this.#named(true)?.createTime().record(seconds);
  }

  waited(seconds: number): void {
    this.#named(true)?.waitTime().record(seconds);
  }

  used(seconds: number): void {
    this.#named(true)?.useTime().record(seconds);
  }

  timedOut(): void {
    this.#named(true)?.timeouts().add();
  }

  /** Takes the name, if it is known already. */
  settle(): void {
    this.#named(false);
  }

  isClosed(): boolean {
    return this.closed || this.#read() === undefined;
  }

  /** Brings the series up to date; false once the pool is closed or gone. */
  collect(): boolean {
    const reading = this.#read();
    if (reading === undefined) return false;
    this.#named(reading.used + reading.idle > 0)?.set(reading);
    return true;
  }

  close(): void {
    this.closed = true;
    this.#series?.remove();
    this.#series = undefined;
  }

  #named(settle: boolean): Series | undefined {
    if (this.#series !== undefined || this.closed) return this.#series;
    const pool = this.ref.deref();
    if (pool === undefined) return undefined;
    try {
      const base = this.kind.name(pool, settle);
      if (base === undefined) return undefined;
      this.name = this.freeName(base);
      this.#series = new Series(this.name, this.instruments);
    } catch (error) {
      this.#giveUp(error);
    }
    return this.#series;
  }

  #read(): PoolReading | undefined {
    const pool = this.ref.deref();
    if (pool === undefined) return undefined;
    try {
      return this.kind.read(pool);
    } catch (error) {
      this.#giveUp(error);
      return undefined;
    }
  }

  /** A pool that is not what it seemed to be must neither fail its users nor hide the others. */
  #giveUp(error: unknown): void {
    this.close();
    this.failed(error);
  }
}

/** The series of one pool name; those of events are made when the first event comes. */
class Series {
  readonly #made = new Map<string, { cell: { value?: number }; remove: () => void }>();

  constructor(
    readonly name: string,
    readonly instruments: Instruments,
  ) {}

  createTime = (): HistogramCell => this.#event('createTime');
  waitTime = (): HistogramCell => this.#event('waitTime');
  useTime = (): HistogramCell => this.#event('useTime');
  timeouts = (): CounterCell => this.#number('timeouts');

  set(reading: PoolReading): void {
    for (const state of ['used', 'idle'] as const) this.#number('count', state).set(reading[state]);
    for (const key of gauges) {
      const value = reading[key];
      if (value !== undefined) this.#number(key).set(value);
    }
    // From the start, so that the first timeout is an increase that a query can see.
    if (reading.limit !== undefined) this.#number('timeouts');
  }

  remove(): void {
    for (const { remove } of this.#made.values()) remove();
  }

  #event(key: 'createTime' | 'waitTime' | 'useTime'): HistogramCell {
    const instrument = this.instruments[key];
    const cell = instrument.with({ 'db.client.connection.pool.name': this.name });
    this.#made.set(key, { cell: {}, remove: () => instrument.remove(cell) });
    this[key] = () => cell;
    return cell;
  }

  #number(key: 'count' | 'timeouts' | (typeof gauges)[number], state?: 'used' | 'idle'): CounterCell {
    const at = `${key} ${state}`;
    const found = this.#made.get(at);
    if (found !== undefined) return found.cell as CounterCell;
    const pool = { 'db.client.connection.pool.name': this.name };
    const instrument = this.instruments[key] as Instruments['count'];
    const cell = instrument.with(
      state === undefined ? pool : { ...pool, 'db.client.connection.state': state },
    );
    this.#made.set(at, { cell, remove: () => instrument.remove(cell) });
    return cell;
  }
}
