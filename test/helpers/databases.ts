import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { type ConnectionStats, DatabaseManager, type DatabaseManagerOptions } from '../../toolkit/database';

/** A manager of the database at `url`, whose knex says nothing of the faults that a test makes. */
export function managerOf(
  url: string,
  options: Partial<Omit<DatabaseManagerOptions, 'knex'>> = {},
): DatabaseManager {
  const silent = (): void => {};
  const log = { warn: silent, error: silent, debug: silent, deprecate: silent };
  return new DatabaseManager({ name: 'shop', ...options, knex: { client: 'pg', connection: url, log } });
}

/** The laws that the statistics of connections obey at any moment. */
export function assertConnectionLaws(stats: ConnectionStats): void {
  const text = JSON.stringify(stats);
  const { closed } = stats;
  assert.equal(stats.open, stats.inUse + stats.idle, text);
  assert.equal(
    stats.opened,
    stats.open + closed.idle + closed.lifetime + closed.broken + closed.shutdown,
    text,
  );
  assert.equal(stats.acquired, stats.released + stats.inUse, text);
  assert.equal(
    stats.requested,
    stats.acquired + stats.acquireTimeouts + stats.acquireFailures + stats.waiting,
    text,
  );
  assert.equal(stats.waitTime.count, stats.acquired, text);
  assert.ok(stats.open <= stats.max && stats.idle >= 0 && stats.inUse >= 0, text);
  assert.ok(stats.mostInUse >= stats.inUse && stats.mostInUse <= stats.max, text);
}

/** That the books say what the pool itself says. Holds when nothing is under way. */
export function assertBooksAreTrue(manager: DatabaseManager): void {
  const { pool } = manager.knex.client as {
    pool: Record<'numUsed' | 'numFree' | 'numPendingAcquires', () => number>;
  };
  const { connections } = manager.stats();
  assertConnectionLaws(connections);
  assert.deepEqual(
    { inUse: connections.inUse, idle: connections.idle, waiting: connections.waiting },
    { inUse: pool.numUsed(), idle: pool.numFree(), waiting: pool.numPendingAcquires() },
  );
}

/** Waits until something is so. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > end) assert.fail(`Expected ${what} within ${timeoutMs} ms`);
    await delay(10);
  }
}
