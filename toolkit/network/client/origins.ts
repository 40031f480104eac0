import type { HttpCallFacts } from './errors';
import { HttpOriginLimitError } from './errors';
import type { SettledClientOptions } from './options';
import { Origin } from './origin';
import type { ClientCounters } from './stats';
import type { Undici } from './undici';

/** The origins that are connected to; those used last stay. */
export class Origins {
  readonly #origins = new Map<string, Origin>();
  /** Those that were let go and still close their connections. */
  readonly #leaving = new Set<Origin>();
  #uses = 0;

  constructor(
    private readonly undici: Undici,
    private readonly options: SettledClientOptions,
    private readonly counters: ClientCounters,
  ) {}

  /** @throws HttpOriginLimitError where all of as many as may be are in use */
  use(name: string, facts: () => HttpCallFacts): Origin {
    let origin = this.#origins.get(name);
    if (origin === undefined) {
      if (this.#origins.size >= this.options.connections.maxOrigins) this.#makeRoom(facts);
      origin = new Origin(this.undici, name, this.options, this.counters.connections);
      this.#origins.set(name, origin);
      this.counters.origins.set(name, origin.view);
    }
    origin.usedAt = ++this.#uses;
    origin.users++;
    return origin;
  }

  #makeRoom(facts: () => HttpCallFacts): void {
    let oldest: Origin | undefined;
    for (const origin of this.#origins.values()) {
      if (origin.idle && (oldest === undefined || origin.usedAt < oldest.usedAt)) oldest = origin;
    }
    if (oldest === undefined) throw new HttpOriginLimitError(facts(), this.options.connections.maxOrigins);
    this.#origins.delete(oldest.origin);
    this.counters.origins.delete(oldest.origin);
    this.#leave(oldest, oldest.close());
  }

  #leave(origin: Origin, closing: Promise<void>): void {
    this.#leaving.add(origin);
    const gone = (): void => void this.#leaving.delete(origin);
    closing.then(gone, gone);
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#origins.values(), origin => origin.close()));
  }

  /** Ends all connections under their requests, which fail with `error`. */
  async destroy(error: Error): Promise<void> {
    await Promise.all(
      Array.from([...this.#origins.values(), ...this.#leaving], origin => origin.destroy(error)),
    );
  }
}
