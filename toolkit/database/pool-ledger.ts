import { FixedHistogram, type HistogramSnapshot } from '../histogram';
import type { Trace } from '../hold-watch';
import type { Leaks } from './leaks';
import type { RecentWindow } from './window';

/** Why a connection was closed. */
export interface ClosedConnections {
  /** It was idle for `idleTimeoutMs`. */
  readonly idle: number;
  /** It was older than `lifetimeMs`. */
  readonly lifetime: number;
  /** It was found dead, or its query could not be ended. */
  readonly broken: number;
  /** The manager was closed. */
  readonly shutdown: number;
}

/**
 * Connections since the manager was made, and now. Times in milliseconds. They are exact at any moment:
 *
 * - `open = inUse + idle`, and `opened = open + closed.idle + closed.lifetime + closed.broken + closed.shutdown`
 * - `acquired = released + inUse`
 * - `requested = acquired + acquireTimeouts + acquireFailures + waiting`
 */
export interface ConnectionStats {
  readonly open: number;
  readonly inUse: number;
  readonly idle: number;
  /** Most there may be. */
  readonly max: number;
  readonly opened: number;
  readonly openFailures: number;
  readonly closed: ClosedConnections;
  /** Calls that asked for a connection. */
  readonly requested: number;
  readonly acquired: number;
  readonly released: number;
  /** Calls that wait now. */
  readonly waiting: number;
  /** Calls that got none in time. */
  readonly acquireTimeouts: number;
  /** Calls that got none because none could be opened, or because the pool was closed. */
  readonly acquireFailures: number;
  /** Calls that had to wait for another to give back, because all were in use; those that gave up included. */
  readonly waitCount: number;
  /** How long those that are over waited, in all. */
  readonly waitDurationMs: number;
  /** Mean time to open a connection; 0 where none was. */
  readonly meanConnectMs: number;
  /** Connections that were held for longer than `leakDetection.afterMs`, as far as they were watched. */
  readonly leaks: number;
  /** Most connections that were in use at a time. */
  readonly mostInUse: number;
  /** Time from asking to getting, in seconds. */
  readonly waitTime: HistogramSnapshot;
}

/** Bucket bounds of waiting for a connection, in seconds. */
export const connectionWaitBounds = [
  1e-4, 5e-4, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

type CloseReason = keyof ClosedConnections;

/** What is known of an open connection. */
interface Slot {
  used: boolean;
  hold: number;
  sinceMs: number;
  readonly expiresMs: number;
}

/** A call that asked for a connection. */
export interface ConnectionRequest {
  readonly at: number;
  readonly waits: boolean;
  readonly trace: Trace | undefined;
}

/** The books of a pool: what its events say, in numbers. */
export class PoolLedger {
  readonly #slots = new Map<object, Slot>();
  readonly #opening = new Map<number, number>();
  readonly #window: RecentWindow;
  readonly #clock: () => number;
  readonly #leaks: Leaks;
  readonly #lifetime: () => number;
  readonly #waitTime = new FixedHistogram(connectionWaitBounds);
  readonly #max: number;
  /** Why the connection that is validated now is not fit. */
  #closing: CloseReason = 'broken';
  #opened = 0;
  #openFailures = 0;
  #connectMs = 0;
  #requested = 0;
  #waiting = 0;
  #acquired = 0;
  #released = 0;
  #acquireTimeouts = 0;
  #acquireFailures = 0;
  #waitCount = 0;
  #waitMs = 0;
  mostInUse = 0;
  readonly #closed: Record<CloseReason, number> = { idle: 0, lifetime: 0, broken: 0, shutdown: 0 };

  /** @param lifetime how long a connection that is opened now may live, in milliseconds */
  constructor(max: number, window: RecentWindow, leaks: Leaks, lifetime: () => number, clock: () => number) {
    this.#max = max;
    this.#window = window;
    this.#leaks = leaks;
    this.#lifetime = lifetime;
    this.#clock = clock;
  }

  opening(id: number): void {
    this.#opening.set(id, this.#clock());
  }

  openFailed(id: number): void {
    this.#opening.delete(id);
    this.#openFailures++;
    this.#window.advance(this.#clock());
    this.#window.now.connectFailures++;
  }

  openedOne(id: number, connection: object): void {
    const now = this.#clock();
    this.#connectMs += now - (this.#opening.get(id) ?? now);
    this.#opening.delete(id);
    this.#opened++;
    this.#slots.set(connection, { used: false, hold: 0, sinceMs: 0, expiresMs: now + this.#lifetime() });
  }

  /**
   * @param waits whether all connections are in use, and no more may be opened
   * @param trace the stack of the call, where it is watched
   */
  asked(waits: boolean, trace: Trace | undefined): ConnectionRequest {
    this.#requested++;
    this.#waiting++;
    if (waits) this.#waitCount++;
    return { at: this.#clock(), waits, trace };
  }

  got(request: ConnectionRequest, connection: object): void {
    const now = this.#clock();
    const waitedMs = this.#answered(request, now);
    this.#acquired++;
    this.#waitTime.record(waitedMs / 1000);
    this.#window.setInUse(this.inUse, now);
    this.#window.now.acquired++;
    this.#window.now.waitMs += waitedMs;
    const slot = this.#slots.get(connection);
    if (slot === undefined) return;
    slot.sinceMs = now;
    slot.used = true;
    if (this.inUse > this.mostInUse) this.mostInUse = this.inUse;
    const { watch } = this.#leaks;
    if (watch !== undefined) slot.hold = watch.start(request.trace);
  }

  gotNone(request: ConnectionRequest, timedOut: boolean): void {
    const now = this.#clock();
    this.#answered(request, now);
    if (timedOut) {
      this.#acquireTimeouts++;
      this.#window.advance(now);
      this.#window.now.acquireTimeouts++;
    } else this.#acquireFailures++;
  }

  /** Takes back a connection; a second time says nothing. */
  gaveBack(connection: object): void {
    const slot = this.#slots.get(connection);
    if (slot === undefined || !slot.used) return;
    slot.used = false;
    this.#released++;
    this.#leaks.watch?.end(slot.hold);
    slot.hold = 0;
    this.#window.setInUse(this.inUse, this.#clock());
  }

  isExpired(connection: object): boolean {
    const slot = this.#slots.get(connection);
    return slot !== undefined && this.#clock() >= slot.expiresMs;
  }

  /** Runs what closes connections for a reason that their events do not say. */
  closingFor<R>(reason: CloseReason, close: () => R): R {
    this.#closing = reason;
    try {
      return close();
    } finally {
      this.#closing = 'broken';
    }
  }

  closedOne(connection: object, shutdown: boolean): void {
    // Closed under its user, who gives it back to nobody.
    this.gaveBack(connection);
    const reason = this.#closing !== 'broken' ? this.#closing : this.#reasonOf(connection, shutdown);
    this.#closed[reason]++;
    this.#slots.delete(connection);
  }

  #reasonOf(connection: object, shutdown: boolean): CloseReason {
    if (shutdown) return 'shutdown';
    return (connection as { __knex__disposed?: unknown }).__knex__disposed === undefined &&
      this.isExpired(connection)
      ? 'lifetime'
      : 'broken';
  }

  /** Ends watching what is held. */
  close(): void {
    this.#leaks.watch?.close();
  }

  get inUse(): number {
    return this.#acquired - this.#released;
  }

  /** Connections that have been in use for longer than `ms`. */
  heldFor(ms: number): number {
    const before = this.#clock() - ms;
    let held = 0;
    for (const { used, sinceMs } of this.#slots.values()) if (used && sinceMs <= before) held++;
    return held;
  }

  get waiting(): number {
    return this.#waiting;
  }

  stats(): ConnectionStats {
    const { idle, lifetime, broken, shutdown } = this.#closed;
    const open = this.#opened - idle - lifetime - broken - shutdown;
    return {
      open,
      inUse: this.inUse,
      idle: open - this.inUse,
      max: this.#max,
      opened: this.#opened,
      openFailures: this.#openFailures,
      closed: { idle, lifetime, broken, shutdown },
      requested: this.#requested,
      acquired: this.#acquired,
      released: this.#released,
      waiting: this.#waiting,
      acquireTimeouts: this.#acquireTimeouts,
      acquireFailures: this.#acquireFailures,
      waitCount: this.#waitCount,
      waitDurationMs: this.#waitMs,
      meanConnectMs: this.#opened === 0 ? 0 : this.#connectMs / this.#opened,
      leaks: this.#leaks.count,
      mostInUse: this.mostInUse,
      waitTime: this.#waitTime.snapshot(),
    };
  }

  #answered(request: ConnectionRequest, now: number): number {
    this.#waiting--;
    const waitedMs = now - request.at;
    if (request.waits) this.#waitMs += waitedMs;
    return waitedMs;
  }
}
