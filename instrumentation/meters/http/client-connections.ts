import type { Socket } from 'node:net';
import type { ClientHost } from './client-host';

interface Connection {
  readonly host: ClientHost;
  readonly version: string;
  /** `performance.now()` when it was established; `undefined` until then. */
  openedAt: number | undefined;
  /** Requests on it now; more than one over HTTP/2 and with pipelining. */
  running: number;
  /** Requests it has carried. */
  carried: number;
}

/** The connections that requests go over, each known by its socket. */
export interface ClientConnections {
  /** Takes in a socket; one that still connects counts once it has. Does nothing if the socket is known. */
  add(socket: Socket, host: ClientHost, version?: string): void;
  /** A request goes out over the socket. */
  began(socket: Socket): void;
  /** That request has ended. */
  ended(socket: Socket): void;
  /** HTTP version spoken on the socket. */
  version(socket: Socket | undefined): string;
}

export function createClientConnections(now: () => number = () => performance.now()): ClientConnections {
  // Of this meter alone, so that two of them in one process do not take each other's connections.
  const key = Symbol('otel-vitals.http-client.connection');
  type Known = Socket & { [key]?: Connection };

  const opened = (connection: Connection): void => {
    connection.openedAt = now();
    connection.host.open++;
    const { active, idle } = connection.host.connections;
    (connection.running > 0 ? active : idle).value++;
  };

  // Shared by all sockets and told apart by `this`, so that a connection costs no closure.
  function onConnect(this: Known): void {
    const connection = this[key];
    if (connection !== undefined && connection.openedAt === undefined) opened(connection);
  }

  function onClose(this: Known): void {
    const connection = this[key];
    if (connection?.openedAt === undefined) return;
    const { host, running, openedAt } = connection;
    host.open--;
    (running > 0 ? host.connections.active : host.connections.idle).value--;
    host.connectionDuration.record((now() - openedAt) / 1000);
    connection.openedAt = undefined;
  }

  return {
    add(socket: Known, host, version = '1.1') {
      if (socket[key] !== undefined || socket.destroyed) return;
      const connection: Connection = { host, version, openedAt: undefined, running: 0, carried: 0 };
      socket[key] = connection;
      socket.on('close', onClose);
      if (socket.connecting) socket.once('connect', onConnect);
      else opened(connection);
    },
    began(socket: Known) {
      const connection = socket[key];
      if (connection === undefined) return;
      const { host } = connection;
      if (connection.carried++ > 0) host.reused.value++;
      if (connection.running++ > 0 || connection.openedAt === undefined) return;
      host.connections.idle.value--;
      host.connections.active.value++;
    },
    ended(socket: Known) {
      const connection = socket[key];
      if (connection === undefined || --connection.running > 0 || connection.openedAt === undefined) return;
      const { active, idle } = connection.host.connections;
      active.value--;
      idle.value++;
    },
    version: (socket: Known | undefined) => socket?.[key]?.version ?? '1.1',
  };
}
