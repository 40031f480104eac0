import assert from 'node:assert/strict';
import { BufferPool, ConnectionPool, HttpResponsePool, ObjectPool } from '../../toolkit/object-pool';
import { assertPoolLaws } from '../helpers/pools';
import { type Chance, crowd, type Part, Tally } from './part';

const never = (): Promise<never> => new Promise(() => {});

/** Factories that throw, hang and give broken objects, and users that throw, give back twice, or never. */
export function poolsPart(chance: Chance): Part {
  const tally = new Tally('pools', [
    'FAULT',
    'POOL_EXHAUSTED',
    'POOL_DOUBLE_RELEASE',
    'POOL_FOREIGN_OBJECT',
    'POOL_CLOSED',
    'POOL_ACQUIRE_TIMEOUT',
    'POOL_ACQUIRE_ABORTED',
    'POOL_CREATE_FAILED',
    'POOL_QUEUE_FULL',
  ]);
  const create = (): { uses: number } => {
    chance.fault(0.02);
    return { uses: 0 };
  };
  const objects = new ObjectPool({
    name: 'soak objects',
    create,
    validate: () => !chance.of(0.05),
    reset: () => chance.fault(0.02),
    max: 20,
    timeUse: true,
  });
  const buffers = new BufferPool({ name: 'soak buffers', maxIdleBytes: 200_000, zero: 'release' });
  const responses = new HttpResponsePool({ name: 'soak responses', maxBodyBytes: 4096 });
  const makeConnections = (name: string): ConnectionPool<object> =>
    new ConnectionPool<object>({
      name,
      create: async () => {
        await chance.pause();
        chance.fault(0.05);
        return chance.of(0.02) ? never() : {};
      },
      ping: async () => {
        await chance.pause();
        chance.fault(0.03);
        return chance.of(0.02) ? never() : !chance.of(0.03);
      },
      destroy: () => chance.fault(0.1),
      maxActive: 4,
      maxPending: 30,
      idleTimeoutMs: 40,
      acquireTimeoutMs: 25,
      createTimeoutMs: 15,
      pingTimeoutMs: 10,
    });
  const connections = makeConnections('soak connections');
  const pools = [objects, buffers, responses, connections];

  const useObjects = async (): Promise<void> => {
    if (chance.of(0.1)) return objects.release({ uses: 0 });
    if (chance.of(0.1)) {
      const object = objects.acquire();
      objects.release(object);
      return objects.release(object);
    }
    return objects.use(async object => {
      object.uses++;
      await chance.pause();
      chance.fault(0.05);
    });
  };
  const useMemory = async (): Promise<void> => {
    await buffers.use(1 + chance.below(100_000), async buffer => {
      buffer.fill(1);
      await chance.pause();
    });
    const response = responses.acquire();
    response.write('x'.repeat(chance.below(8000)));
    await chance.pause();
    responses.release(response);
  };
  /** One that is closed while it is used, or dropped with objects that are never given back. */
  const makeAndLeave = async (i: number): Promise<void> => {
    const pool = new ObjectPool({ name: `soak short ${i % 3}`, create: () => ({}) });
    const other = makeConnections(`soak short ${i % 3}`);
    pool.acquire();
    pool.release(pool.acquire());
    await other.use(() => chance.pause()).catch(() => {});
    if (chance.of(0.5)) return;
    pool.close();
    await other.close({ timeoutMs: 100 });
    pool.acquire();
  };

  return {
    tally,
    async round() {
      await Promise.all([
        crowd(60, () => tally.of(useObjects)),
        crowd(10, () => tally.of(useMemory)),
        crowd(40, () =>
          tally.of(() =>
            connections.use(
              async () => {
                await chance.pause();
                chance.fault(0.05);
              },
              { signal: chance.signal(0.2) },
            ),
          ),
        ),
        crowd(2, i => tally.of(() => makeAndLeave(i))),
      ]);
    },
    check() {
      for (const pool of pools) assertPoolLaws(pool.stats());
    },
    settled() {
      for (const pool of pools) assert.equal(pool.stats().used, 0, JSON.stringify(pool.stats()));
      assert.equal(connections.stats().pending, 0);
    },
    async close() {
      objects.close();
      buffers.close();
      responses.close();
      await connections.close();
    },
  };
}
