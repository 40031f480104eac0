import { HttpClientClosedError } from './errors';
import type { Exchange } from './exchange';
import type { SettledClientOptions } from './options';
import { Origins } from './origins';
import { ClientCounters } from './stats';
import { loadUndici, type Undici } from './undici';

/** What the parts of a client share. */
export class Engine {
  readonly counters = new ClientCounters();
  readonly undici: Undici;
  readonly origins: Origins;
  /** Those that wait to be repeated, which no connection knows of. */
  readonly delayed = new Set<Exchange>();
  destroyed = false;
  #active = 0;
  #onIdle: (() => void) | undefined;

  /** @throws UndiciMissingError */
  constructor(readonly settled: SettledClientOptions) {
    this.undici = loadUndici();
    this.origins = new Origins(this.undici, settled, this.counters);
  }

  /** Ends all that is under way. */
  async destroy(): Promise<void> {
    this.destroyed = true;
    for (const exchange of [...this.delayed]) exchange.fail(new HttpClientClosedError(exchange.facts));
    await this.origins.destroy(new Error('The client was closed'));
  }

  /** Exchanges under way. */
  get active(): number {
    return this.#active;
  }

  enter(): void {
    this.#active++;
  }

  exit(): void {
    if (--this.#active === 0) this.#onIdle?.();
  }

  /** Resolves when no exchange is under way. */
  idle(): Promise<void> {
    return new Promise(resolve => {
      if (this.#active === 0) resolve();
      else this.#onIdle = resolve;
    });
  }
}
