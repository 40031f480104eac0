import type { EventEmitter } from 'node:events';

interface Use {
  requests: number;
  active: number;
}

/** The books of connections, each known by its socket or, of HTTP/2, its session. */
export class ConnectionLedger {
  created = 0;
  closed = 0;
  requests = 0;
  reused = 0;
  failed = 0;
  readonly #uses = new Map<object, Use>();
  #active = 0;

  get active(): number {
    return this.#active;
  }

  has(connection: object): boolean {
    return this.#uses.has(connection);
  }

  /**
   * A connection is there, until it closes.
   *
   * @param before requests that it is known to have carried
   */
  opened(connection: EventEmitter, before = 0): void {
    if (this.#uses.has(connection)) return;
    this.created++;
    this.#uses.set(connection, { requests: before, active: 0 });
    connection.once('close', () => {
      const use = this.#uses.get(connection)!;
      this.#uses.delete(connection);
      this.closed++;
      if (use.active > 0) this.#active--;
    });
  }

  /** A request goes over a connection; one that is not known is passed over. */
  began(connection: object): void {
    const use = this.#uses.get(connection);
    if (use === undefined) return;
    this.requests++;
    if (use.requests++ > 0) this.reused++;
    if (use.active++ === 0) this.#active++;
  }

  /** That request has ended. */
  ended(connection: object): void {
    const use = this.#uses.get(connection);
    if (use === undefined || use.active === 0) return;
    if (--use.active === 0) this.#active--;
  }
}
