import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort, isPortFree } from './servers/port';
import { startPostgres } from './servers/postgres';
import { findRedis, startRedis } from './servers/redis';
import { ServerStartError } from './servers/server-process';
import type { ShopProcess } from './shop-process';
import { startShopProcess } from './shop-process';

/** Everything that the demo runs. */
export interface Stack {
  readonly shop: ShopProcess;
  readonly metricsUrl: string;
  /** Ends all of it, the shop first. */
  close(): Promise<void>;
}

/** Where the demo tells what it does, and passes on what the shop complains of. */
export interface Output {
  say(line: string): void;
  complain(text: string): void;
}

const host = '127.0.0.1';

/** Starts PostgreSQL, Redis where there is one, and the shop on them. */
export async function startStack({ say, complain }: Output): Promise<Stack> {
  const postgres = await startPostgres();
  say(`PostgreSQL  ${withoutPassword(postgres.url)} (${postgres.origin})`);
  const redis = await redisForDemo(say);
  const metricsHost = process.env['OTEL_EXPORTER_PROMETHEUS_HOST'] || host;
  const metricsPort = await portOr('OTEL_EXPORTER_PROMETHEUS_PORT', 9464, metricsHost, say);
  const shop = await startShopProcess(
    {
      DATABASE_URL: postgres.url,
      REDIS_URL: redis?.url ?? '',
      HOST: host,
      PORT: String(await portOr('PORT', 3000, host, say)),
      OTEL_SERVICE_NAME: process.env['OTEL_SERVICE_NAME'] || 'mall',
      OTEL_EXPORTER_PROMETHEUS_HOST: metricsHost,
      OTEL_EXPORTER_PROMETHEUS_PORT: String(metricsPort),
    },
    complain,
  );
  const metricsUrl = `http://${metricsHost}:${metricsPort}/metrics`;
  say(`shop        ${shop.url} (process ${shop.pid})`);
  say(`metrics     ${metricsUrl}`);
  say('admin       not in this version');
  return {
    shop,
    metricsUrl,
    async close() {
      await shop.close();
      await Promise.all([redis?.close(), postgres.close()]);
    },
  };
}

/** Redis of REDIS_URL, else one started here, installed first where that is possible; undefined when there is none. */
async function redisForDemo(
  say: Output['say'],
): Promise<{ readonly url: string; close(): Promise<void> } | undefined> {
  const given = process.env['REDIS_URL'];
  if (given) {
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

async function setUp(name: string): Promise<void> {
  const script = join(__dirname, '..', '..', 'scripts', 'setup.mjs');
  await once(spawn(process.execPath, [script, name], { stdio: 'inherit' }), 'exit');
}

/** The port that `variable` asks for, else `preset`; a free one where that is taken. */
async function portOr(variable: string, preset: number, on: string, say: Output['say']): Promise<number> {
  const wanted = Number(process.env[variable] || preset);
  if (wanted === 0) return freePort(on);
  if (!Number.isInteger(wanted) || wanted < 0 || wanted > 65_535) {
    throw new ServerStartError(
      `${variable}: expected a port from 0 to 65535, got "${process.env[variable]}"`,
    );
  }
  if (await isPortFree(wanted, on)) return wanted;
  say(`port ${wanted} is taken, using a free one (${variable} chooses)`);
  return freePort(on);
}

function withoutPassword(text: string): string {
  const url = new URL(text);
  if (url.password) url.password = '***';
  return url.href;
}
