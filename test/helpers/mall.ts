import assert from 'node:assert/strict';
import { Client } from 'pg';
import { readConfig } from '../../mall/config';
import { presetBehaviour } from '../../mall/payment/behaviour';
import { buildGateway } from '../../mall/payment/gateway';
import { type PostgresDatabase, startPostgres } from './postgres';
import { type RedisServer, startRedis } from './redis';

/** The servers that shops of a test stand on. */
export interface MallServers {
  readonly postgres: PostgresDatabase;
  readonly redis: RedisServer;
  /** Settings of a shop on them, on a free port. */
  env(more?: NodeJS.ProcessEnv): NodeJS.ProcessEnv;
  config(more?: NodeJS.ProcessEnv): ReturnType<typeof readConfig>;
  // biome-ignore lint/suspicious/noExplicitAny: rows of many forms, each asserted by its test
  sql(statement: string, values?: unknown[]): Promise<any[]>;
  close(): Promise<void>;
}

export async function startMallServers(): Promise<MallServers> {
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  const env = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    PORT: '0',
    LOG_LEVEL: 'silent',
    ...more,
  });
  return {
    postgres,
    redis,
    env,
    config: more => readConfig(env(more)),
    async sql(statement, values = []) {
      const client = new Client({ connectionString: postgres.url });
      await client.connect();
      const { rows } = await client.query(statement, values).finally(() => client.end());
      return rows;
    },
    close: async () => void (await Promise.all([postgres.close(), redis.close()])),
  };
}

/** What a shop answers to one request. */
export async function call(base: string, method: string, path: string, body?: object) {
  const response = await fetch(base + path, {
    method,
    ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const text = await response.text();
  // biome-ignore lint/suspicious/noExplicitAny: answers of many forms, each asserted by its test
  const json: any = /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : text;
  return { status: response.status, headers: response.headers, body: json };
}

/** The id of a new cart with so many pieces of each product. */
export async function cartOf(base: string, items: Record<number, number>): Promise<string> {
  const { body } = await call(base, 'POST', '/carts');
  for (const [product, quantity] of Object.entries(items)) {
    const { status } = await call(base, 'PUT', `/carts/${body.id}/items/${product}`, { quantity });
    assert.equal(status, 200);
  }
  return body.id;
}

export const checkout = (base: string, cart: string, card?: string) =>
  call(base, 'POST', `/carts/${cart}/checkout`, { email: 'ada@example.org', ...(card && { card }) });

/** A payment gateway in this process, and what it knows. */
export async function startGateway(behaviour = {}, port = 0) {
  const app = buildGateway({ ...presetBehaviour, latencyMs: 1, ...behaviour }, 'silent');
  const url = await app.listen({ host: '127.0.0.1', port });
  return {
    url,
    port: Number(new URL(url).port),
    behave: (more: object) => call(url, 'PUT', '/behaviour', more),
    charge: async (key: string) => (await call(url, 'GET', `/charges/${key}`)).body,
    close: () => app.close(),
  };
}
