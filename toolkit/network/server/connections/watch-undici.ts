import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { ConnectionLedger } from './ledger';
import type { Watched } from './watched';

/** A `Client`, `Pool`, `Agent` or what else dispatches in undici, that of Node.js's own `fetch` included. */
export interface UndiciDispatcher {
  dispatch(...args: never[]): unknown;
  on(event: 'connect', listener: () => void): unknown;
  off(event: 'connect', listener: () => void): unknown;
}

/**
 * Watches a dispatcher of undici. It says that it has connected within the same turn in which the channel
 * `undici:client:connected` carries the socket, so that which socket is whose is known and not guessed.
 */
export function watchUndici(dispatcher: UndiciDispatcher, ledger: ConnectionLedger): Watched {
  const socketOf = new WeakMap<object, Socket>();
  let latest: Socket | undefined;

  const listeners: Readonly<Record<string, (message: never) => void>> = {
    'undici:client:connected': ({ socket }: { socket: Socket }) => {
      latest = socket;
      queueMicrotask(() => {
        latest = undefined;
      });
    },
    'undici:client:sendHeaders': ({ request, socket }: { request: object; socket: Socket }) => {
      if (!ledger.has(socket)) return;
      socketOf.set(request, socket);
      ledger.began(socket);
    },
    'undici:request:trailers': ({ request }: { request: object }) => end(request),
    'undici:request:error': ({ request }: { request: object }) => end(request),
  };
  const end = (request: object): void => {
    const socket = socketOf.get(request);
    if (socket === undefined) return;
    socketOf.delete(request);
    ledger.ended(socket);
  };
  const onConnect = (): void => {
    if (latest === undefined) return;
    ledger.opened(latest as EventEmitter);
    latest = undefined;
  };
  for (const [name, listener] of Object.entries(listeners)) subscribe(name, listener as never);
  dispatcher.on('connect', onConnect);
  return {
    stop() {
      dispatcher.off('connect', onConnect);
      for (const [name, listener] of Object.entries(listeners)) unsubscribe(name, listener as never);
    },
  };
}
