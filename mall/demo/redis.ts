import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createClient } from 'redis';
import { findRedis, startRedis } from './servers/redis';
import { ServerStartError } from './servers/server-process';

/** The Redis that the demo runs on. */
export interface DemoRedis {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Redis of REDIS_URL, else one started here, installed first where that is possible; undefined when there is none.
 *
 * @throws {@link ServerStartError} when REDIS_URL leads to none
 */
export async function redisForDemo(say: (line: string) => void): Promise<DemoRedis | undefined> {
  const given = process.env['REDIS_URL'];
  if (given) {
    await mustAnswer(given);
    say(`Redis       ${withoutPassword(given)} (REDIS_URL)`);
    return { url: given, close: async () => {} };
  }
  if (findRedis() === undefined) await setUp('redis-server');
  try {
    const redis = await startRedis();
    say(`Redis       ${redis.url} (process ${redis.pid})`);
    return redis;
  } catch (error) {
    if (!(error instanceof ServerStartError)) throw error;
    say(`Redis       none: ${error.message}; the shop runs without`);
    return undefined;
  }
}

/** A shop without the Redis it was given would answer, but half of it with 503. */
async function mustAnswer(url: string): Promise<void> {
  if (!URL.canParse(url) || !/^rediss?:$/.test(new URL(url).protocol)) {
    throw new ServerStartError('REDIS_URL: expected a URL such as redis://127.0.0.1:6379');
  }
  const client = createClient({ url, socket: { connectTimeout: 5000, reconnectStrategy: false } });
  // What went wrong is what `connect` rejects with.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.ping();
  } catch (cause) {
    const reason =
      cause instanceof Error ? cause.message || (cause as { code?: string }).code : String(cause);
    throw new ServerStartError(`cannot use the Redis of REDIS_URL: ${reason}`, { cause });
  } finally {
    if (client.isOpen) client.destroy();
  }
}

async function setUp(name: string): Promise<void> {
  const script = join(__dirname, '..', '..', 'scripts', 'setup.mjs');
  await once(spawn(process.execPath, [script, name], { stdio: 'inherit' }), 'exit');
}

/** A server's URL as it may be shown. */
export function withoutPassword(text: string): string {
  const url = new URL(text);
  if (url.password) url.password = '***';
  return url.href;
}
