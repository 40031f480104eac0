import { buildApp } from './app';
import type { Config } from './config';
import { connectDatabase } from './database/connect';
import { prepareDatabase } from './database/prepare';
import { closeRedis, connectRedis } from './redis';
import { createShop } from './shop';

/** A shop that takes requests. */
export interface RunningShop {
  readonly url: string;
  /** Finishes the requests under way, then lets go of everything. */
  close(): Promise<void>;
}

/** Starts the shop: database, Redis, routes, and the address it then has. */
export async function startShop(config: Config): Promise<RunningShop> {
  let closing = false;
  const db = connectDatabase(config.databaseUrl, config.databasePoolMax);
  try {
    await prepareDatabase(db);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  const redis =
    config.redisUrl === undefined
      ? undefined
      : await connectRedis(config.redisUrl, error => console.error(`mall: Redis: ${error.message}`));
  const shop = createShop(db, redis);
  const app = await buildApp({
    shop,
    isClosing: () => closing,
    logLevel: config.logLevel,
    healthChecks: [
      { name: 'database', required: true, check: async () => db.raw('SELECT 1') },
      ...(redis ? [{ name: 'redis', required: false, check: async () => redis.ping() }] : []),
    ],
  });
  const letGo = async (): Promise<void> => {
    await app.close();
    shop.close();
    await Promise.all([db.destroy(), redis && closeRedis(redis)]);
  };
  try {
    const url = await app.listen({ host: config.host, port: config.port });
    return {
      url,
      close() {
        closing = true;
        return letGo();
      },
    };
  } catch (error) {
    await letGo();
    throw error;
  }
}
