import type { FastifyInstance } from 'fastify';
import type { DatabaseManager } from 'otel-vitals/toolkit/database';
import { buildApp } from './app';
import type { Config } from './config';
import { connectDatabase } from './database/connect';
import { prepareDatabase } from './database/prepare';
import { createFaults } from './faults/faults';
import { redisOutage } from './faults/redis-outage';
import { presetBehaviour } from './payment/behaviour';
import { createPaymentClient } from './payment/client';
import { buildGateway } from './payment/gateway';
import { closeRedis, connectRedis, subscriberOf } from './redis';
import type { HealthCheck } from './routes/health';
import { createShop, type Shop } from './shop';

/** A shop that takes requests. */
export interface RunningShop {
  readonly url: string;
  readonly shop: Shop;
  /** Finishes the requests under way and what they left to be done, then lets go of everything. */
  close(): Promise<void>;
}

/** Undoes what was done, the last first, whatever fails. */
class Undo {
  readonly #steps: (() => Promise<unknown>)[] = [];
  add(step: () => Promise<unknown>): void {
    this.#steps.unshift(step);
  }
  async run(): Promise<void> {
    const failures: unknown[] = [];
    for (const step of this.#steps.splice(0)) await step().catch(error => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }
}

/** Starts the shop: database, Redis, payment, routes, and the address it then has. */
export async function startShop(config: Config): Promise<RunningShop> {
  const undo = new Undo();
  let closing = false;
  try {
    const database = connectDatabase(config.databaseUrl, config.databasePoolMax, config.databaseLeakAfterMs);
    undo.add(() => database.close());
    await prepareDatabase(database);
    const complain = complainer(config.logLevel);
    // Only a shop whose Redis may be made to fail goes a way that can be cut.
    const outage =
      config.faults && config.redisUrl?.startsWith('redis:') ? await redisOutage(config.redisUrl) : undefined;
    if (outage) undo.add(() => outage.close());
    const redisUrl = outage?.url ?? config.redisUrl;
    const redis =
      redisUrl === undefined
        ? undefined
        : await connectRedis(redisUrl, error => complain(new Error(`Redis: ${error.message}`)));
    if (redis) undo.add(() => closeRedis(redis));
    const subscriber = redis && (await subscriberOf(redis));
    if (subscriber) undo.add(() => closeRedis(subscriber));
    const paymentUrl = config.paymentUrl ?? (await ownGateway(undo));
    const payment = createPaymentClient(paymentUrl, config.paymentTimeoutMs);
    undo.add(() => payment.close());
    const shop = createShop({ ...config, database, redis, subscriber, payment, complain });
    undo.add(() => shop.close());
    const faults = config.faults
      ? createFaults({ shop, databaseUrl: config.databaseUrl, paymentUrl, redis: outage, complain })
      : undefined;
    if (faults) undo.add(() => faults.close());
    const healthChecks: HealthCheck[] = [
      { name: 'database', required: true, check: () => answers(database) },
      ...(redis ? [{ name: 'redis', required: false, check: () => redis.ping() }] : []),
      // Without it the shop still shows what it has.
      { name: 'payment', required: false, check: () => payment.check() },
    ];
    const { logLevel } = config;
    const app = await buildApp({ shop, isClosing: () => closing, logLevel, healthChecks, faults });
    undo.add(() => app.close());
    const url = await app.listen({ host: config.host, port: config.port });
    shop.warmUp().catch(error => closing || complain(error));
    return {
      url,
      shop,
      close() {
        closing = true;
        // A reader who does not read must not keep the others' events from being written.
        void shop.pools.reports.close({ timeoutMs: Math.max(1, config.shutdownTimeoutMs / 2) });
        return undo.run();
      },
    };
  } catch (error) {
    await undo.run().catch(() => {});
    throw error;
  }
}

async function answers(database: DatabaseManager): Promise<void> {
  const { healthy, error } = await database.healthCheck({ timeoutMs: 1000 });
  if (!healthy) throw error;
}

/** A payment gateway of our own, for who has none. */
async function ownGateway(undo: Undo): Promise<string> {
  const gateway: FastifyInstance = buildGateway(presetBehaviour);
  undo.add(() => gateway.close());
  return gateway.listen({ host: '127.0.0.1', port: 0 });
}

/** Tells of what goes wrong behind the requests, once for as long as it goes on. */
function complainer(logLevel: string): (error: unknown) => void {
  const everyMs = 10_000;
  const last = new Map<string, number>();
  return error => {
    const message = error instanceof Error ? error.message : String(error);
    const now = Date.now();
    if (logLevel === 'silent' || now - (last.get(message) ?? 0) < everyMs) return;
    if (last.size > 100) last.clear();
    last.set(message, now);
    console.error(`mall: ${message}`);
  };
}
