import type { RedisClient } from '../../toolkit/cache';

/** A Redis client in memory whose answers a test can hold back or make fail. It stands for the client, not for Redis. */
export class FakeRedis implements RedisClient {
  isReady = true;
  readonly entries = new Map<string, string>();
  readonly calls: string[] = [];
  readonly ttls: number[] = [];
  /** Runs before every answer; throw to fail it, return a promise to delay it. */
  before: (command: string, key: string) => unknown = () => {};

  async get(key: string): Promise<string | null> {
    // Redis has read the value by the time its answer is delayed.
    const value = this.entries.get(key) ?? null;
    await this.#command('get', key);
    return value;
  }

  async set(key: string, value: string, { PX }: { PX: number }): Promise<'OK'> {
    await this.#command('set', key);
    this.entries.set(key, value);
    this.ttls.push(PX);
    return 'OK';
  }

  async del(key: string): Promise<number> {
    await this.#command('del', key);
    return Number(this.entries.delete(key));
  }

  async #command(command: string, key: string): Promise<void> {
    this.calls.push(`${command} ${key}`);
    await this.before(command, key);
  }
}

/** A promise and its resolve function. */
export function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>(settle => {
    resolve = settle;
  });
  return { promise, resolve };
}
