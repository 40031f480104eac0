import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Agent, ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionLedger } from './ledger';
import type { Watched } from './watched';

type Connected = (error: Error | null, socket?: Socket) => void;
type Connect = (options: unknown, connected?: Connected) => Socket | undefined;

/** Watches an agent of `node:http` or https: its sockets when they are made, and when a request is sent over one. */
export function watchAgent(agent: Agent, ledger: ConnectionLedger): Watched {
  const holder = agent as unknown as { createConnection: Connect };
  const isOwn = Object.hasOwn(holder, 'createConnection');
  const connect = holder.createConnection;
  let watching = true;

  const attempted = new WeakSet<Socket>();
  const track = (socket: Socket | undefined): void => {
    if (socket === undefined || socket === null || attempted.has(socket) || !watching) return;
    attempted.add(socket);
    if (!socket.connecting) {
      ledger.opened(socket);
      return;
    }
    const fail = (): void => {
      ledger.failed++;
    };
    socket.once('close', fail);
    socket.once((socket as { encrypted?: boolean }).encrypted ? 'secureConnect' : 'connect', () => {
      socket.off('close', fail);
      ledger.opened(socket);
    });
  };
  const ours: Connect = function (this: unknown, options, connected) {
    const socket = connect.call(
      this,
      options,
      connected &&
        ((error, made) => {
          track(made);
          connected(error, made);
        }),
    );
    track(socket);
    return socket;
  };
  holder.createConnection = ours;

  const socketsIn = (lists: Agent['sockets']): Socket[] =>
    Object.values(lists).flatMap(list => (list ?? []) as Socket[]);
  // Whoever is there has carried a request, or does.
  for (const socket of [...socketsIn(agent.sockets), ...socketsIn(agent.freeSockets)]) {
    attempted.add(socket);
    if (!socket.connecting && !socket.destroyed) ledger.opened(socket, 1);
  }

  const onStart = (message: unknown): void => {
    const { request } = message as { request: ClientRequest & { readonly agent?: Agent } };
    if (request.agent !== agent) return;
    const carried = (socket: Socket): void => {
      // It may be called before the connection is there.
      if (ledger.has(socket)) ledger.began(socket);
      else
        socket.once((socket as { encrypted?: boolean }).encrypted ? 'secureConnect' : 'connect', () =>
          ledger.began(socket),
        );
      request.once('close', () => ledger.ended(socket));
    };
    if (request.socket) carried(request.socket);
    else request.once('socket', carried);
  };
  subscribe('http.client.request.start', onStart);
  return {
    idle: () => socketsIn(agent.freeSockets).filter(socket => ledger.has(socket)).length,
    pending: () => Object.values(agent.requests).reduce((sum, list) => sum + (list?.length ?? 0), 0),
    stop() {
      watching = false;
      unsubscribe('http.client.request.start', onStart);
      // Unless somebody has laid another over it since.
      if (holder.createConnection !== ours) return;
      if (isOwn) holder.createConnection = connect;
      else Reflect.deleteProperty(holder, 'createConnection');
    },
  };
}
