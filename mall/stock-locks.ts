import { LockManager } from 'otel-vitals/toolkit/lock';

/** Who wants to change what there is of some products, one after the other for each product. */
export interface StockLocks {
  readonly locks: LockManager;
  /** Runs `work` while no other of this process changes what there is of these products. Rejects with LockTimeoutError. */
  hold<R>(productIds: readonly number[], work: () => Promise<R>): Promise<R>;
}

/**
 * Locks by product, in this process. What keeps the stock right are locks of rows in the database; these keep those who
 * want the same product from waiting there, each with a connection of the pool that readers then lack.
 *
 * @param waitMs how long one lock is waited for
 */
export function createStockLocks(waitMs: number): StockLocks {
  const locks = new LockManager({ name: 'stock', maxLocks: 20_000 });
  return {
    locks,
    async hold(productIds, work) {
      const session = locks.session();
      const held = [];
      try {
        // By rising id, as everybody does: nobody waits for who waits for him.
        for (const id of [...productIds].sort((a, b) => a - b)) {
          held.push(await session.lock(`product:${id}`, { timeoutMs: waitMs }));
        }
        return await work();
      } finally {
        for (const lock of held.reverse()) lock.release();
      }
    },
  };
}
