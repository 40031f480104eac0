import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { UndiciMissingError } from './errors';

/** What undici calls of a request: its handlers of versions 6 and 7, which save both a wrapper. */
export interface UndiciHandler {
  onConnect(abort: (reason?: Error) => void): void;
  onHeaders(status: number, headers: Buffer[], resume: () => void, statusText: string): boolean;
  onData(chunk: Buffer): boolean;
  onComplete(trailers: Buffer[] | null): void;
  onError(error: Error): void;
}

/** A request as undici takes it. */
export interface UndiciRequest {
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: unknown;
  readonly headersTimeout: number;
  readonly bodyTimeout: number;
}

interface Dispatcher {
  dispatch(request: UndiciRequest, handler: UndiciHandler): boolean;
  close(): Promise<void>;
  destroy(error: Error | null): Promise<void>;
}

export interface UndiciPool extends Dispatcher {
  readonly stats: { readonly connected: number; readonly pending: number; readonly running: number };
}

export interface UndiciClient extends Dispatcher {
  pipelining: number;
}

type ConnectCallback = (error: Error | null, socket: Socket | null) => void;
export type Connector = (options: object, callback: ConnectCallback) => unknown;

/** What is used here of the package. */
export interface Undici {
  readonly Pool: new (origin: string, options: object) => UndiciPool;
  readonly Client: new (origin: string | URL, options: object) => UndiciClient;
  readonly buildConnector: (options: ConnectionOptions & { allowH2: boolean; timeout: number }) => Connector;
  /** From version 7 on. */
  readonly cacheStores?: object;
  readonly util: { parseHeaders(headers: Buffer[]): Record<string, string | string[]> };
}

/** @throws UndiciMissingError */
export function loadUndici(): Undici {
  let undici: Partial<Undici>;
  try {
    undici = require('undici') as unknown as Undici;
  } catch (cause) {
    throw new UndiciMissingError({ cause });
  }
  if (typeof undici.util?.parseHeaders !== 'function') throw new UndiciMissingError();
  return undici as Undici;
}
