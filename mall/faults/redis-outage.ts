import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to Redis that can be cut, for this process alone. */
export interface RedisOutage {
  /** Where the shop finds its Redis. */
  readonly url: string;
  /** Breaks every connection, and each that comes. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

/**
 * Puts a passage before the Redis at `url`, on a loopback port: what goes through it is passed on as it is.
 *
 * @param url begins with `redis:`; TLS would not know the passage by its name
 */
export async function redisOutage(url: string): Promise<RedisOutage> {
  const target = new URL(url);
  const redisAt = { host: target.hostname.replace(/^\[|\]$/g, ''), port: Number(target.port || 6379) };
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer(client => {
    if (isCut) {
      client.destroy();
      return;
    }
    const redis = connect(redisAt);
    for (const [socket, other] of [
      [client, redis],
      [redis, client],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.pipe(other);
      // Either end of it ends both.
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  target.hostname = '127.0.0.1';
  target.port = String((server.address() as AddressInfo).port);
  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: target.href,
    cut() {
      isCut = true;
      breakAll();
    },
    mend() {
      isCut = false;
    },
    async close() {
      breakAll();
      server.close();
      await once(server, 'close');
    },
  };
}
