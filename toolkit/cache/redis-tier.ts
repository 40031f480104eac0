import { positiveInteger } from '../options';
import type { TierStats } from './stats';
import { TierCounters } from './stats';

/** What the second tier needs of a client; node-redis 4, 5 and 6 have it. */
export interface RedisClient {
  /** False while disconnected: operations then fail at once instead of queueing up in the client. */
  readonly isReady?: boolean;
  get(key: string): Promise<unknown>;
  set(key: string, value: string, options: { PX: number }): Promise<unknown>;
  del(key: string): Promise<unknown>;
}

/** The second tier: entries as JSON in a Redis that processes share. */
export interface RedisTierOptions {
  /** A node-redis client; connecting, its `error` events and closing stay with its owner. */
  readonly client: RedisClient;
  /** How long an entry is kept, in milliseconds. @default 300000 */
  readonly ttlMs?: number;
  /** How long one operation is waited for, in milliseconds. @default 250 */
  readonly timeoutMs?: number;
  /** Put before every key. @default the cache's name and a colon */
  readonly keyPrefix?: string;
}

/** Redis did not answer within the tier's timeout. */
export class L2TimeoutError extends Error {
  readonly code = 'CACHE_L2_TIMEOUT';
  override readonly name = 'L2TimeoutError';
  constructor(readonly timeoutMs: number) {
    super(`Expected Redis to answer within ${timeoutMs} ms`);
  }
}

/** The Redis client is not connected. */
export class L2UnavailableError extends Error {
  readonly code = 'CACHE_L2_UNAVAILABLE';
  override readonly name = 'L2UnavailableError';
  constructor() {
    super('Expected the Redis client to be ready, got one that is not connected');
  }
}

/** L2: failures are counted and told to `onError`, and never reach the caller: to it they are misses. */
export class RedisTier<V> {
  /** Reads the counters and holds no client, so that it may outlive the tier. */
  readonly stats: () => TierStats;
  readonly #client: RedisClient;
  readonly #ttlMs: number;
  readonly #timeoutMs: number;
  readonly #prefix: string;
  readonly #onError: (error: unknown) => void;
  readonly #counters = new TierCounters();

  constructor(name: string, options: RedisTierOptions, onError: (error: unknown) => void) {
    this.#client = options.client;
    this.#ttlMs = positiveInteger('l2.ttlMs', options.ttlMs ?? 300_000);
    this.#timeoutMs = positiveInteger('l2.timeoutMs', options.timeoutMs ?? 250);
    this.#prefix = options.keyPrefix ?? `${name}:`;
    this.#onError = onError;
    const counters = this.#counters;
    this.stats = () => counters.snapshot({});
  }

  async get(key: string): Promise<{ readonly value: V } | undefined> {
    try {
      const text = await this.#answer(() => this.#client.get(this.#prefix + key));
      // What another program wrote under our key and is not JSON fails to parse, and counts as an error.
      const entry = text == null ? undefined : { value: JSON.parse(String(text)) as V };
      if (entry === undefined) this.#counters.misses++;
      else this.#counters.hits++;
      return entry;
    } catch (error) {
      this.#counters.getErrors++;
      this.#onError(error);
      return undefined;
    }
  }

  async set(key: string, value: V): Promise<void> {
    try {
      const text = JSON.stringify(value);
      await this.#answer(() => this.#client.set(this.#prefix + key, text, { PX: this.#ttlMs }));
      this.#counters.sets++;
    } catch (error) {
      this.#counters.setErrors++;
      this.#onError(error);
    }
  }

  async delete(key: string): Promise<void> {
    try {
      await this.#answer(() => this.#client.del(this.#prefix + key));
      this.#counters.deletes++;
    } catch (error) {
      this.#counters.deleteErrors++;
      this.#onError(error);
    }
  }

  #answer<T>(command: () => Promise<T>): Promise<T> {
    if (this.#client.isReady === false) return Promise.reject(new L2UnavailableError());
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new L2TimeoutError(this.#timeoutMs)), this.#timeoutMs);
      const settle = (): void => clearTimeout(timer);
      // The handlers stay attached after a timeout, so a late failure is not an unhandled rejection.
      command().then(resolve, reject).finally(settle);
    });
  }
}
