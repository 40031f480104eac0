import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Server as NetServer, Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import type { ConnectionLedger } from './ledger';
import type { Watched } from './watched';

interface Stream extends EventEmitter {
  readonly session?: object | null;
}

/** Watches a server of `node:http`, https or http2. Of HTTP/2 a session is the connection, and a stream a request. */
export function watchServer(server: NetServer, ledger: ConnectionLedger): Watched {
  const isHttp2 = typeof (server as { updateSettings?: unknown }).updateSettings === 'function';
  const onSocket = (socket: Socket & { readonly alpnProtocol?: string | false | null }): void => {
    if (isHttp2 && socket.alpnProtocol === 'h2') return;
    ledger.opened(socket);
  };
  const onSession = (session: EventEmitter): void => ledger.opened(session);
  const onStream = (stream: Stream): void => {
    const { session } = stream;
    if (!session) return;
    ledger.began(session);
    stream.once('close', () => ledger.ended(session));
  };
  const onRequest = (message: unknown): void => {
    const {
      server: of,
      socket,
      response,
    } = message as {
      server: NetServer;
      socket: Socket;
      response: ServerResponse;
    };
    if (of !== server) return;
    ledger.began(socket);
    response.once('close', () => ledger.ended(socket));
  };

  const event = server instanceof TlsServer ? 'secureConnection' : 'connection';
  // In clear text an HTTP/2 server has sessions only.
  const hasSockets = !isHttp2 || server instanceof TlsServer;
  if (hasSockets) server.on(event, onSocket);
  if (isHttp2) server.on('session', onSession).on('stream', onStream);
  subscribe('http.server.request.start', onRequest);
  return {
    stop() {
      server.off(event, onSocket).off('session', onSession).off('stream', onStream);
      unsubscribe('http.server.request.start', onRequest);
    },
  };
}
