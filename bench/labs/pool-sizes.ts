import { startPostgres } from '../../mall/demo/servers/postgres';
import { median } from '../spawned';
import { built } from '../toolkit/built';
import type { BenchResult } from '../types';
import { againstBefore } from './rows';

const sizes = [1, 2, 5, 10, 25, 50];
const callers = 50;
const queries = 1000;
/** How long each query takes on the server, without needing a CPU, as one that reads from a disk does. */
const queryMs = 5;

/** How long the same work takes with pools of different sizes, and how long a caller waits for a connection. */
export async function run(): Promise<BenchResult[]> {
  const postgres = await startPostgres();
  const rows: BenchResult[] = [];
  let alone: number | undefined;
  try {
    for (const max of sizes) {
      const manager = new built.database.DatabaseManager({
        name: `pool of ${max}`,
        knex: { client: 'pg', connection: postgres.url },
        pool: { min: max, max },
      });
      const { knex } = manager;
      const work = async (n: number): Promise<number> => {
        let left = n;
        const began = performance.now();
        await Promise.all(
          Array.from({ length: callers }, async () => {
            while (left-- > 0)
              await knex.raw('select pg_sleep(?), count(*) from generate_series(1, 2000)', [queryMs / 1000]);
          }),
        );
        return performance.now() - began;
      };
      await work(100);
      const before = manager.stats().connections;
      const took = [await work(queries), await work(queries), await work(queries)];
      const { waitDurationMs, waitCount } = manager.stats().connections;
      const each = median(took) / queries;
      alone ??= each;
      const waited = (waitDurationMs - before.waitDurationMs) / Math.max(1, waitCount - before.waitCount);
      rows.push(
        againstBefore(
          `pool of ${max}, mean wait for a connection ${waited.toFixed(1)} ms`,
          each,
          alone,
          'ms per query',
          undefined,
          'pool of 1',
        ),
      );
      await manager.close();
    }
    return rows;
  } finally {
    await postgres.close();
  }
}
