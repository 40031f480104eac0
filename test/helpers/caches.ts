import { createClient as createClient6 } from 'redis';
import { createClient as createClient4 } from 'redis4';
import { createClient as createClient5 } from 'redis5';
import type { RedisClient, RedisSubscriber, TieredCacheOptions } from '../../toolkit/cache';
import { TieredCache } from '../../toolkit/cache';

/** A client of a test's Redis. */
export type Client = RedisClient &
  RedisSubscriber & {
    connect(): Promise<unknown>;
    isOpen: boolean;
    isReady: boolean;
    sendCommand(args: readonly string[]): Promise<unknown>;
  };

const options = (url: string) => ({
  url,
  disableOfflineQueue: true,
  socket: { reconnectStrategy: () => 5, connectTimeout: 1000 },
});

/** Clients of node-redis, by its major version. */
export const clientsOf: Readonly<Record<'4' | '5' | '6', (url: string) => Client>> = {
  4: url => createClient4(options(url)) as unknown as Client,
  5: url => createClient5(options(url)) as unknown as Client,
  6: url => createClient6(options(url)) as unknown as Client,
};

/** A connected client, which a test closes by {@link endClient}. */
export async function connect(url: string, version: '4' | '5' | '6' = '6'): Promise<Client> {
  const client = clientsOf[version](url);
  // Every failure also reaches the caller of the command that met it.
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Ends a client without waiting for anything. */
export function endClient(client: { isOpen: boolean }): void {
  const { destroy, disconnect } = client as { destroy?: () => void; disconnect?: () => Promise<void> };
  if (!client.isOpen) return;
  if (destroy) destroy.call(client);
  else void disconnect?.call(client);
}

/** A source whose values are counted up, which notes what was asked of it. */
export class CountingSource {
  readonly values = new Map<string, number>();
  readonly calls: string[] = [];
  /** Runs before every call; throw to fail it. */
  before: (call: string, key: string) => unknown = () => {};

  readonly load = async (key: string): Promise<number | undefined> => {
    await this.#call('load', key);
    return this.values.get(key);
  };
  readonly write = async (key: string, value: number): Promise<void> => {
    await this.#call('write', key);
    this.values.set(key, value);
  };
  readonly remove = async (key: string): Promise<void> => {
    await this.#call('remove', key);
    this.values.delete(key);
  };

  async #call(call: string, key: string): Promise<void> {
    this.calls.push(`${call} ${key}`);
    await this.before(call, key);
  }
}

/** Caches that a test made, to be closed by it. */
export class Caches {
  readonly #made: TieredCache<never>[] = [];

  make<V>(options: TieredCacheOptions<V>): TieredCache<V> {
    const cache = new TieredCache<V>(options);
    this.#made.push(cache as unknown as TieredCache<never>);
    return cache;
  }

  async close(): Promise<void> {
    await Promise.all(this.#made.splice(0).map(cache => cache.close({ timeoutMs: 1000 })));
  }
}
