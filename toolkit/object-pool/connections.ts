import { within } from '../within';
import { ConnectionCreateError, PoolCallbackTimeoutError } from './errors';
import type { Ledger } from './ledger';

/** What the application does with connections, and how long each may take, in milliseconds. */
export interface ConnectionCallbacks<C extends object> {
  readonly create: () => Promise<C> | C;
  readonly destroy: ((connection: C) => unknown) | undefined;
  readonly ping: ((connection: C) => unknown) | undefined;
  readonly createTimeoutMs: number;
  readonly destroyTimeoutMs: number;
  readonly pingTimeoutMs: number;
}

/** The application's callbacks as the pool calls them: bounded in time, counted, and never failing unheard. */
export class Connections<C extends object> {
  readonly #callbacks: ConnectionCallbacks<C>;
  readonly #ledger: Ledger<C>;
  /** Ends creations under way. */
  readonly #creating = new Set<(cause: unknown) => void>();

  constructor(callbacks: ConnectionCallbacks<C>, ledger: Ledger<C>) {
    this.#callbacks = callbacks;
    this.#ledger = ledger;
  }

  /** A new connection, entered in the books; rejects with a ConnectionCreateError. One that comes too late is closed. */
  create(): Promise<C> {
    const { create, createTimeoutMs } = this.#callbacks;
    return new Promise<C>((resolve, reject) => {
      let open = true;
      const close = (): void => {
        open = false;
        clearTimeout(timer);
        this.#creating.delete(fail);
      };
      const fail = (cause: unknown): void => {
        if (!open) return;
        close();
        this.#ledger.counters.failures.create++;
        reject(new ConnectionCreateError(this.#ledger.name, { cause }));
      };
      const timer = setTimeout(
        () => fail(new PoolCallbackTimeoutError(this.#ledger.name, 'create', createTimeoutMs)),
        createTimeoutMs,
      );
      this.#creating.add(fail);
      new Promise<C>(done => done(create())).then(connection => {
        if (!open) {
          void this.#close(connection);
          return;
        }
        try {
          this.#ledger.adopt(connection);
          close();
          resolve(connection);
        } catch (error) {
          fail(error);
        }
      }, fail);
    });
  }

  /** Whether a connection can be used; at once where the application's `ping` answers at once. */
  ping(connection: C): boolean | Promise<boolean> {
    const { ping } = this.#callbacks;
    if (ping === undefined) return true;
    try {
      const answer = ping(connection);
      if (answer === true || answer === undefined) return true;
      if (answer !== null && typeof answer === 'object' && 'then' in answer) return this.#judge(answer);
      return this.#says(answer);
    } catch (error) {
      this.#ledger.failed('validate', error);
      return false;
    }
  }

  async #judge(answer: object): Promise<boolean> {
    const { pingTimeoutMs } = this.#callbacks;
    const late = (): unknown => new PoolCallbackTimeoutError(this.#ledger.name, 'ping', pingTimeoutMs);
    try {
      return this.#says(await within<unknown>(() => answer, pingTimeoutMs, late));
    } catch (error) {
      this.#ledger.failed('validate', error);
      return false;
    }
  }

  #says(answer: unknown): boolean {
    if (answer !== false) return true;
    this.#ledger.counters.failures.validate++;
    return false;
  }

  /** Books a connection out for good, at once: that it is closed may take long. */
  leave(connection: C): void {
    const slot = this.#ledger.slotOf(connection)!;
    if (slot.gone) return;
    slot.gone = true;
    this.#ledger.counters.destroyed++;
  }

  /** Closes a connection of the books; never rejects. */
  destroy(connection: C): Promise<void> {
    this.leave(connection);
    return this.#close(connection);
  }

  /** Fails the creations under way; connections that still come are closed. */
  stopCreating(cause: unknown): void {
    for (const fail of [...this.#creating]) fail(cause);
  }

  async #close(connection: C): Promise<void> {
    const { destroy, destroyTimeoutMs } = this.#callbacks;
    if (destroy === undefined) return;
    const late = (): unknown => new PoolCallbackTimeoutError(this.#ledger.name, 'destroy', destroyTimeoutMs);
    try {
      await within(() => destroy(connection), destroyTimeoutMs, late);
    } catch (error) {
      this.#ledger.failed('destroy', error);
    }
  }
}
