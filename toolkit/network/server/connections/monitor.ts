import type { Agent } from 'node:http';
import type { Server } from 'node:net';
import { nonEmptyString } from '../../../options';
import { registerSource } from '../../../sources';
import { ConnectionLedger } from './ledger';
import { type ConnectionPoolStats, connectionPoolSource } from './stats';
import { watchAgent } from './watch-agent';
import { watchServer } from './watch-server';
import { type UndiciDispatcher, watchUndici } from './watch-undici';
import type { Watched } from './watched';

/**
 * What has connections that can be watched: an agent of `node:http` or https, a dispatcher of undici, or a server of
 * `node:http`, https or http2 (also a {@link Http2Server}, by its `server`).
 */
export type Watchable = Agent | UndiciDispatcher | Server;

/** Options of {@link ConnectionPoolMonitor}. */
export interface ConnectionPoolMonitorOptions {
  /** Names it in statistics, metrics and findings. */
  readonly name: string;
}

/**
 * Counts the connections of agents and servers: idle, active, created, reused and closed. All of it is read from the
 * sockets themselves: that a request reuses one is seen by the socket it goes over, not by a header.
 *
 * Watch an agent or a server when it is made: connections that undici or a server had before are not counted.
 */
export class ConnectionPoolMonitor {
  readonly name: string;
  readonly #books: Books;
  readonly #unregister: () => void;

  /** @throws TypeError when an option is not as documented */
  constructor({ name }: ConnectionPoolMonitorOptions) {
    this.name = nonEmptyString('name', name);
    const books = new Books();
    this.#books = books;
    this.#unregister = registerSource({ ...connectionPoolSource, name, stats: () => books.stats() }, this);
  }

  /**
   * Counts the connections of `target` too; a target that is watched already is left at that.
   *
   * @returns a function that ends that; connections which are open then are counted until they close
   * @throws TypeError when it is none of what can be watched
   */
  watch(target: Watchable): () => void {
    return this.#books.watch(target);
  }

  /** Counters and sizes, as documented at {@link ConnectionPoolStats}. */
  stats(): ConnectionPoolStats {
    return this.#books.stats();
  }

  /** Watches nothing any more, and takes it out of the metrics. */
  close(): void {
    this.#books.stop();
    this.#unregister();
  }
}

interface Kept {
  readonly ledger: ConnectionLedger;
  readonly watched: Watched;
  stopped: boolean;
}

/** What a monitor knows, apart from it, so that one that was dropped can be collected. */
class Books {
  readonly #kept = new Set<Kept>();
  /** Of those that are watched no more and have nothing open. */
  readonly #past = { created: 0, closed: 0, requests: 0, reused: 0, failed: 0 };
  readonly #watching = new Map<Watchable, () => void>();

  watch(target: Watchable): () => void {
    const present = this.#watching.get(target);
    if (present !== undefined) return present;
    const ledger = new ConnectionLedger();
    const watched = watchedBy(target, ledger);
    const kept: Kept = { ledger, watched, stopped: false };
    this.#kept.add(kept);
    const stop = (): void => {
      if (kept.stopped) return;
      kept.stopped = true;
      this.#watching.delete(target);
      watched.stop();
    };
    this.#watching.set(target, stop);
    return stop;
  }

  stop(): void {
    for (const stop of [...this.#watching.values()]) stop();
  }

  stats(): ConnectionPoolStats {
    const sum = { ...this.#past, open: 0, idle: 0, active: 0, pending: 0 };
    for (const kept of this.#kept) {
      const { ledger, watched, stopped } = kept;
      const open = ledger.created - ledger.closed;
      const totals = stopped && open === 0 ? [sum, this.#past] : [sum];
      for (const total of totals) {
        total.created += ledger.created;
        total.closed += ledger.closed;
        total.requests += ledger.requests;
        total.reused += ledger.reused;
        total.failed += ledger.failed;
      }
      if (totals.length > 1) this.#kept.delete(kept);
      const idle = Math.min(open, watched.idle?.() ?? open - ledger.active);
      sum.open += open;
      sum.idle += idle;
      sum.active += open - idle;
      sum.pending += stopped ? 0 : (watched.pending?.() ?? 0);
    }
    return sum;
  }
}

function watchedBy(target: Watchable, ledger: ConnectionLedger): Watched {
  const has = (name: string): boolean =>
    typeof (target as unknown as Record<string, unknown>)?.[name] === 'function';
  if (has('dispatch')) return watchUndici(target as UndiciDispatcher, ledger);
  if (has('createConnection')) return watchAgent(target as Agent, ledger);
  if (has('listen')) return watchServer(target as Server, ledger);
  throw new TypeError(
    `Expected target to be an agent of node:http or undici, or a server, got ${target === null ? 'null' : typeof target}`,
  );
}
