import type { Knex } from 'knex';

/** What is used here of the pool of knex: https://github.com/vincit/tarn.js */
export interface TarnPool {
  readonly max: number;
  readonly destroyed: boolean;
  free: { readonly resource: object; settle?(): void }[];
  /** Absent from older versions. */
  readonly pendingAcquires?: readonly { reject(error: Error): void }[];
  readonly used: readonly { readonly resource: object }[];
  numFree(): number;
  numUsed(): number;
  numPendingCreates(): number;
  acquire(): { readonly promise: Promise<object>; abort(): void };
  release(connection: object): boolean;
  check(): void;
  _destroy?(connection: object): Promise<unknown>;
  on(event: string, listener: (...args: never[]) => void): void;
}

/** A query as knex gives it to its client; `sql` has the driver's placeholders once it has been sent. */
export interface QueryObject {
  sql: string;
  readonly bindings?: readonly unknown[];
  readonly timeout?: number | false;
}

/** A transaction of knex, as far as it is looked into. */
export interface TransactionObject {
  acquireConnection(
    config: { readonly connection?: unknown } | undefined,
    run: (connection: object) => unknown,
  ): unknown;
}

/** What is used here of knex' client; all dialects share it. */
export interface DialectClient {
  readonly dialect: string;
  readonly driverName: string;
  readonly canCancelQuery: boolean;
  readonly pool: TarnPool | undefined;
  initializePool(config?: object): void;
  validateConnection(connection: object): boolean | Promise<boolean>;
  acquireConnection(): Promise<object>;
  releaseConnection(connection: object): Promise<unknown>;
  transaction(container: unknown, config: unknown, outer: unknown): TransactionObject;
  query(connection: object, query: QueryObject | string): Promise<unknown>;
  stream(
    connection: object,
    query: QueryObject,
    stream: NodeJS.EventEmitter,
    options: unknown,
  ): Promise<unknown>;
  cancelQuery(connection: object): Promise<unknown>;
  checkVersion(connection: object): Promise<unknown>;
}

export type DialectClass = new (config: Knex.Config) => DialectClient;

/** Whether a connection is known to be dead; drivers' events and knex set it. */
export function isDisposed(connection: object): boolean {
  return Boolean((connection as { __knex__disposed?: unknown }).__knex__disposed);
}

const reasons = new WeakMap<object, Error>();

/** Why {@link closeNow} closed a connection. */
export function closedBy(connection: object): Error | undefined {
  return reasons.get(connection);
}

/** Closes a connection without a word to the server, whatever it is doing, and lets nobody have it again. */
export function closeNow(connection: object, reason: Error): void {
  const it = connection as {
    __knex__disposed?: unknown;
    /** Of pg. */
    connection?: { stream?: { destroy?(): void } };
    /** Of mysql and mysql2. */
    destroy?(): void;
  };
  it.__knex__disposed ??= reason;
  reasons.set(connection, reason);
  const stream = it.connection?.stream;
  if (typeof stream?.destroy === 'function') stream.destroy();
  else it.destroy?.();
}
