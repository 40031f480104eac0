import { createClient } from 'redis';

/** The shop's Redis client. */
export type Redis = ReturnType<typeof makeClient>;

const connectWaitMs = 2000;

/**
 * Connects to Redis and keeps reconnecting. The shop starts without it: cached reads go to the database meanwhile,
 * and carts answer 503.
 *
 * @param onTrouble told once per outage
 */
export async function connectRedis(url: string, onTrouble: (error: Error) => void): Promise<Redis> {
  const client = makeClient(url);
  await connect(client, onTrouble);
  return client;
}

/** A second client of the same Redis, for listening only; that it has no connection is told by the first. */
export async function subscriberOf(client: Redis): Promise<Redis> {
  const subscriber = client.duplicate();
  await connect(subscriber, () => {});
  return subscriber;
}

/** Waits a moment for the connection, which may also come later. */
async function connect(client: Redis, onTrouble: (error: Error) => void): Promise<void> {
  let told = false;
  client.on('error', (error: Error) => {
    if (!told) onTrouble(error);
    told = true;
  });
  client.on('ready', () => {
    told = false;
  });
  const connected = client.connect().catch(onTrouble);
  await Promise.race([connected, new Promise(resolve => setTimeout(resolve, connectWaitMs).unref())]);
}

/** Lets commands under way finish where there is a connection. */
export async function closeRedis(client: Redis): Promise<void> {
  if (client.isReady) await client.close();
  else if (client.isOpen) client.destroy();
}

function makeClient(url: string) {
  return createClient({
    url,
    // Without a connection a command fails at once instead of waiting in memory for one.
    disableOfflineQueue: true,
    socket: { connectTimeout: 2000, reconnectStrategy: retries => Math.min(50 * 2 ** retries, 2000) },
  });
}
