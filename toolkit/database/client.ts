import type { Knex } from 'knex';
import type { Trace } from '../hold-watch';
import { within } from '../within';
import type { Books } from './books';
import { DatabaseAcquireTimeoutError, DatabaseClosedError, DatabaseConnectTimeoutError } from './errors';
import {
  closedBy,
  closeNow,
  type DialectClass,
  type DialectClient,
  isDisposed,
  type QueryObject,
  type TarnPool,
} from './knex-types';
import type { SettledOptions } from './options';
import type { PoolLedger } from './pool-ledger';
import { CountedRun, limited } from './run-query';
import { withTimeouts } from './settings';
import { databaseNameKey } from './stats';

/** What a client shares with its manager. */
export interface ClientState {
  closed: boolean;
  /** Kept alive for the callbacks in it. */
  readonly options: SettledOptions;
}

/** The trace of the call that asks a pool for a connection, while it does. */
interface Asking {
  trace: Trace | undefined;
}

/** The client of knex for a dialect, which keeps the books of its pool and of its queries. */
export function managedClient(Dialect: DialectClass, books: Books, state: ClientState): DialectClass {
  const { ledger, leaks, options } = books;
  const asking: Asking = { trace: undefined };
  let root: DialectClient;

  class ManagedClient extends Dialect {
    constructor(config: Knex.Config) {
      super(withTimeouts(config, options));
      root = this;
    }

    /** Also run for the pool that `initialize()` makes after `destroy()`. */
    override initializePool(config?: object): void {
      super.initializePool(config);
      if (this.pool !== undefined) keepBooks(this.pool, ledger);
    }

    override validateConnection(connection: object): boolean | Promise<boolean> {
      return !ledger.isExpired(connection) && super.validateConnection(connection);
    }

    override acquireConnection(): Promise<object> {
      if (state.closed) return Promise.reject(new DatabaseClosedError(options.name));
      const trace = asking.trace ?? leaks.watch?.sample(this.acquireConnection);
      const request = ledger.asked(isExhausted(this.pool), trace);
      return super.acquireConnection().then(
        connection => {
          ledger.got(request, connection);
          return connection;
        },
        error => {
          ledger.gotNone(request, isTimeout(error));
          throw failureOf(error);
        },
      );
    }

    override releaseConnection(connection: object): Promise<unknown> {
      ledger.gaveBack(connection);
      return super.releaseConnection(connection);
    }

    override transaction(container: unknown, config: unknown, outer: unknown) {
      const transaction = super.transaction(container, config, outer);
      // It asks for its connection in a later turn, when the stack is gone.
      const trace = outer ? undefined : leaks.sampleTransaction(this.transaction, ledger);
      if (trace === undefined) return transaction;
      const acquire = transaction.acquireConnection;
      transaction.acquireConnection = (given, run) => {
        if (given?.connection === undefined) asking.trace = trace;
        try {
          return acquire.call(transaction, given, run);
        } finally {
          asking.trace = undefined;
        }
      };
      return transaction;
    }

    override query(connection: object, query: QueryObject | string): Promise<unknown> {
      // In a transaction knex goes on with a connection that was closed here, with ROLLBACK at the least.
      const ended = closedBy(connection);
      if (ended !== undefined) return Promise.reject(ended);
      const it: QueryObject = typeof query === 'string' ? { sql: query } : query;
      const beganMs = options.clock();
      const sent = super.query(connection, it);
      return limited(books, root, connection, it, beganMs, sent);
    }

    override stream(
      connection: object,
      query: QueryObject,
      stream: NodeJS.EventEmitter,
      streamOptions: unknown,
    ): Promise<unknown> {
      const beganMs = options.clock();
      const sent = super.stream(connection, query, stream, streamOptions);
      const run = new CountedRun(books, query.sql, beganMs);
      // Who reads it may leave before its end.
      stream.once('close', () => run.end('ok'));
      sent.then(
        () => run.end('ok'),
        () => run.end('error'),
      );
      return sent;
    }

    override checkVersion(connection: object): Promise<unknown> {
      if (this.dialect !== 'postgresql') return super.checkVersion(connection);
      // knex asks it of a new connection without a time limit, and would lose one that does not answer.
      const late = new DatabaseConnectTimeoutError(options.name, options.connectTimeoutMs);
      const check = within(
        () => super.checkVersion(connection),
        options.connectTimeoutMs,
        () => late,
      );
      return check.catch(error => {
        closeNow(connection, late);
        throw error;
      });
    }
  }
  Object.defineProperty(ManagedClient.prototype, databaseNameKey, { value: options.name });

  function failureOf(error: unknown): unknown {
    if (state.closed) return new DatabaseClosedError(options.name);
    if (!isTimeout(error)) return error;
    const { inUse, waiting } = ledger;
    const pool = { inUse, waiting, max: options.max };
    return new DatabaseAcquireTimeoutError(options.name, options.acquireTimeoutMs, pool, { cause: error });
  }

  return ManagedClient;
}

const isTimeout = (error: unknown): boolean => (error as Error | null)?.name === 'KnexTimeoutError';

/** Whether who asks now must wait for another to give back. */
export function isExhausted(pool: TarnPool | undefined): boolean {
  return pool !== undefined && pool.numFree() === 0 && pool.numUsed() + pool.numPendingCreates() >= pool.max;
}

/** Listens to what a pool tells, and closes idle connections that are dead or too old where it looks for old ones. */
function keepBooks(pool: TarnPool, ledger: PoolLedger): void {
  pool.on('createRequest', (id: number) => ledger.opening(id));
  pool.on('createSuccess', (id: number, connection: object) => ledger.openedOne(id, connection));
  pool.on('createFail', (id: number) => ledger.openFailed(id));
  pool.on('destroyRequest', (_: number, connection: object) => ledger.closedOne(connection, pool.destroyed));

  const check = pool.check.bind(pool);
  pool.check = () => {
    if (typeof pool._destroy === 'function') {
      const unfit = pool.free.filter(({ resource }) => isDisposed(resource) || ledger.isExpired(resource));
      if (unfit.length > 0) pool.free = pool.free.filter(one => !unfit.includes(one));
      for (const one of unfit) {
        one.settle?.();
        // It rejects never: tarn logs what closing failed with.
        void pool._destroy(one.resource);
      }
    }
    ledger.closingFor('idle', check);
  };
}
