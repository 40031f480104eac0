import { TimeoutError } from 'tarn';
import type { Trace } from '../hold-watch';
import { abortSignal, delayMs, longestDelayMs } from '../options';
import {
  type ConnectionPoolOptions,
  type SettledConnectionOptions,
  settleConnectionOptions,
} from './connection-options';
import { Connections } from './connections';
import { AcquireAbortedError, AcquireTimeoutError, PoolClosedError, PoolQueueFullError } from './errors';
import { Ledger, type Slot } from './ledger';
import type { PoolStats } from './stats';
import { TarnPool } from './tarn-pool';

/** Options of {@link ConnectionPool.close}. */
export interface CloseConnectionPoolOptions {
  /** How long connections in use are waited for; then they are closed under their users. @default 10000 */
  readonly timeoutMs?: number;
}

/** tarn's own limits are only a net under ours, which say what took too long. */
const netMs = 60_000;
const afterOurs = (ms: number): number => Math.min(Math.ceil(ms) + netMs, longestDelayMs);

/**
 * A pool of connections, or of whatever else is opened and closed asynchronously. Callers wait in order. Built on tarn.
 */
export class ConnectionPool<C extends object> {
  readonly name: string;
  readonly #ledger: Ledger<C>;
  readonly #connections: Connections<C>;
  readonly #tarn: TarnPool<C>;
  readonly #settled: SettledConnectionOptions<C>;
  #closing: Promise<{ readonly forced: number }> | undefined;

  /** @throws TypeError when an option is not as documented */
  constructor(options: ConnectionPoolOptions<C>) {
    const settled = settleConnectionOptions(options);
    this.#settled = settled;
    this.#ledger = new Ledger<C>(this, 'connection', options, { limit: settled.maxActive, timeUse: true });
    this.name = this.#ledger.name;
    this.#connections = new Connections(settled, this.#ledger);
    const tarnOptions = {
      create: () => this.#create(),
      destroy: (connection: C) => this.#connections.destroy(connection),
      // tarn's type says boolean; it takes a promise of one, as its documentation has it.
      validate: (connection: C) => this.#isAlive(connection) as boolean,
      min: settled.minIdle,
      max: settled.maxActive,
      acquireTimeoutMillis: Math.ceil(this.#settled.acquireTimeoutMs),
      createTimeoutMillis: afterOurs(settled.createTimeoutMs),
      destroyTimeoutMillis: afterOurs(settled.destroyTimeoutMs),
      idleTimeoutMillis: Math.ceil(settled.idleTimeoutMs),
      reapIntervalMillis: Math.ceil(Math.min(1000, settled.idleTimeoutMs / 2)),
    };
    this.#tarn = new TarnPool<C>(
      tarnOptions,
      connection => this.#isFit(connection),
      connection => this.#connections.leave(connection),
    );
  }

  /**
   * A connection, for which callers wait in order. It must be given back by {@link release} or {@link discard}.
   *
   * Rejects with AcquireTimeoutError, AcquireAbortedError, PoolQueueFullError, PoolClosedError, or with a
   * ConnectionCreateError as soon as a connection could not be opened for it.
   */
  acquire({ signal }: { readonly signal?: AbortSignal } = {}): Promise<C> {
    const { counters } = this.#ledger;
    try {
      abortSignal(signal);
    } catch (error) {
      return Promise.reject(error);
    }
    const refusal = this.#refusal(signal);
    if (refusal !== undefined) return Promise.reject(refusal);
    const trace = this.#ledger.traceOf(this.acquire);
    const ready = this.#tarn.acquireNow();
    if (ready === undefined) return this.#wait(signal, trace);
    counters.waitTime!.record(0);
    this.#takeOut(ready, trace);
    return Promise.resolve(ready);
  }

  /**
   * Gives a connection back. Giving it back again is found as long as nobody else has it: after that it can't be told from
   * that holder's own release.
   *
   * @throws DoubleReleaseError, ForeignObjectError
   */
  release(connection: C): void {
    const slot = this.#takeIn(connection);
    if (slot === undefined) return;
    if (slot.broken || this.#ledger.closed) {
      this.#tarn.remove(connection);
      return;
    }
    this.#tarn.release(connection);
    this.#tarn.trim(this.#settled.maxIdle);
  }

  /**
   * Gives a connection back that is broken: it is closed, and its place is free for another at once.
   *
   * @throws DoubleReleaseError, ForeignObjectError
   */
  discard(connection: C): void {
    if (this.#takeIn(connection) !== undefined) this.#tarn.remove(connection);
  }

  /**
   * Tells that a connection died, whatever it is doing: for its `close` and `error` events. An idle one is closed at
   * once, one in use when it is given back. Says nothing of one that is gone or not of this pool.
   */
  invalidate(connection: C): void {
    const slot = this.#ledger.slotOf(connection);
    if (slot === undefined || slot.broken) return;
    slot.broken = true;
    this.#tarn.removeFree(connection);
  }

  /** Runs `fn` with a connection and gives it back when `fn` has ended, however it did. */
  async use<R>(
    fn: (connection: C) => Promise<R> | R,
    options?: { readonly signal?: AbortSignal },
  ): Promise<R> {
    const connection = await this.acquire(options);
    const lending = this.#ledger.lendingOf(connection);
    try {
      return await fn(connection);
    } finally {
      // fn may have given it back, and another may have it now.
      if (this.#ledger.isStillLent(connection, lending)) this.release(connection);
    }
  }

  /** Closes the idle connections. */
  clear(): void {
    this.#tarn.trim(0);
  }

  /** Counters and sizes, as documented at {@link PoolStats}. */
  stats(): PoolStats {
    return this.#ledger.stats();
  }

  /**
   * Closes the pool: fails those who wait, waits for connections in use to be given back and closes all. Never rejects.
   * Calling it again gives the same promise.
   *
   * @returns how many connections were closed while in use, because time was up
   */
  close({ timeoutMs = 10_000 }: CloseConnectionPoolOptions = {}): Promise<{ readonly forced: number }> {
    this.#closing ??= this.#close(delayMs('timeoutMs', timeoutMs));
    return this.#closing;
  }

  #wait(signal: AbortSignal | undefined, trace: Trace | undefined): Promise<C> {
    const { counters } = this.#ledger;
    const asked = this.#ledger.now();
    counters.pending++;
    const waiting = this.#tarn.acquire();
    const abort = signal && (() => this.#tarn.rejectOne(waiting, this.#aborted(signal)));
    if (abort) signal.addEventListener('abort', abort, { once: true });
    return waiting.promise.then(
      connection => {
        counters.pending--;
        if (abort) signal.removeEventListener('abort', abort);
        if (this.#ledger.closed) {
          this.#tarn.remove(connection);
          throw this.#failure(new PoolClosedError(this.name));
        }
        const now = this.#ledger.now();
        counters.waitTime!.record((now - asked) / 1000);
        this.#takeOut(connection, trace, now);
        return connection;
      },
      error => {
        counters.pending--;
        if (abort) signal.removeEventListener('abort', abort);
        throw this.#failure(error);
      },
    );
  }

  async #close(timeoutMs: number): Promise<{ readonly forced: number }> {
    this.#ledger.closed = true;
    const reason = new PoolClosedError(this.name);
    this.#connections.stopCreating(reason);
    this.#tarn.rejectAll(reason);
    this.#tarn.trim(0);
    const ended = this.#tarn.destroy();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>(resolve => {
      timer = setTimeout(resolve, timeoutMs, 'late');
    });
    let forced = 0;
    if ((await Promise.race([ended, late])) === 'late') {
      for (const connection of this.#tarn.usedResources()) {
        if (this.#ledger.isUsed(connection)) {
          this.#ledger.takeIn(connection);
          forced++;
        }
        this.#tarn.remove(connection);
      }
      await ended;
    }
    clearTimeout(timer);
    this.#ledger.close();
    return { forced };
  }

  async #create(): Promise<C> {
    try {
      return await this.#connections.create();
    } catch (error) {
      this.#tarn.rejectFirst(error);
      throw error;
    }
  }

  /** Whether a free connection is known at once to be alive: it needs no ping, or that answers at once. */
  #isFit(connection: C): boolean {
    if (this.#settled.ping === undefined) return true;
    const slot = this.#ledger.slotOf(connection)!;
    if (slot.fresh) return true;
    if (slot.broken || slot.ping !== undefined) return false;
    if (this.#settled.pingAfterIdleMs > 0 && this.#ledger.now() - slot.since < this.#settled.pingAfterIdleMs)
      return true;
    const alive = this.#connections.ping(connection);
    // The rest is for isAlive, which tarn calls next.
    if (typeof alive !== 'boolean') slot.ping = alive;
    else if (!alive) slot.broken = true;
    return alive === true;
  }

  #isAlive(connection: C): boolean | Promise<boolean> {
    if (this.#isFit(connection)) return true;
    const slot = this.#ledger.slotOf(connection)!;
    const { ping } = slot;
    slot.ping = undefined;
    return ping === undefined ? false : ping.then(alive => alive && !slot.broken);
  }

  #takeOut(connection: C, trace: Trace | undefined, now?: number): void {
    const slot = this.#ledger.slotOf(connection)!;
    if (slot.fresh) slot.fresh = false;
    else this.#ledger.counters.reused++;
    this.#ledger.takeOut(slot, trace, now);
  }

  /** Books a connection in; undefined for one that `close` took from its user. */
  #takeIn(connection: C): Slot | undefined {
    const known = this.#ledger.slotOf(connection);
    if (known !== undefined && !known.used && this.#ledger.closed) return undefined;
    const slot = this.#ledger.takeIn(connection);
    if (this.#settled.pingAfterIdleMs > 0) slot.since = this.#ledger.now();
    return slot;
  }

  #refusal(signal: AbortSignal | undefined): Error | undefined {
    const { failures } = this.#ledger.counters;
    if (this.#ledger.closed) {
      failures.closed++;
      return new PoolClosedError(this.name);
    }
    if (signal?.aborted) {
      failures.aborted++;
      return this.#aborted(signal);
    }
    if (this.#tarn.isFull() && this.#tarn.numQueued() >= this.#settled.maxPending) {
      failures.exhausted++;
      return new PoolQueueFullError(this.name, this.#settled.maxPending);
    }
    return undefined;
  }

  #failure(error: unknown): unknown {
    const { failures } = this.#ledger.counters;
    if (error instanceof AcquireAbortedError) failures.aborted++;
    else if (error instanceof PoolClosedError) failures.closed++;
    // Those are tarn's, and a creation that failed was counted when it did.
    else if (error instanceof TimeoutError) {
      failures.timeout++;
      return new AcquireTimeoutError(this.name, this.#settled.acquireTimeoutMs, { cause: error });
    }
    return error;
  }

  #aborted(signal: AbortSignal): AcquireAbortedError {
    return new AcquireAbortedError(this.name, { cause: signal.reason });
  }
}
