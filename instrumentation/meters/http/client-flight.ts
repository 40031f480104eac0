import type { Socket } from 'node:net';
import type { CounterCell } from '../../metrics/cells';
import type { Exemplar } from '../../metrics/exemplar';
import type { ClientConnections } from './client-connections';
import type { ClientHost, Outcome } from './client-host';

/** A request that is under way, from its start to the one end it has. */
export class ClientFlight {
  readonly startedAt = performance.now();
  socket: Socket | undefined = undefined;
  status: number | undefined = undefined;
  /** Whether it has got a connection, or ended without one. */
  sent = false;
  #ended = false;
  readonly #active: CounterCell;

  constructor(
    readonly host: ClientHost,
    readonly method: string,
    readonly secure: boolean,
    readonly exemplar: Omit<Exemplar, 'value'> | undefined,
  ) {
    this.#active = host.active(method, secure);
    this.#active.value++;
    host.inFlight++;
    host.usedAt = this.startedAt;
  }

  /** The request goes out over this socket; undici may take a second one for a request that it repeats. */
  on(socket: Socket, connections: ClientConnections): void {
    if (this.#ended || this.socket === socket) return;
    if (this.socket !== undefined) connections.ended(this.socket);
    this.socket = socket;
    connections.began(socket);
  }

  /**
   * Ends it, the first time only. Without an outcome it was no request but an upgrade, which leaves no duration, and
   * a connection that stays in use.
   */
  end(connections: ClientConnections, outcome: Outcome | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#active.value--;
    this.host.inFlight--;
    const { socket } = this;
    this.socket = undefined;
    if (outcome === undefined) return;
    if (socket !== undefined) connections.ended(socket);
    const seconds = (performance.now() - this.startedAt) / 1000;
    this.host.record(seconds, this.method, this.secure, outcome, this.exemplar);
  }
}
