import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionPool } from '../../../toolkit/object-pool';
import { deferred } from '../../helpers/fake-redis';
import { assertPoolLaws } from '../../helpers/pools';

interface Connection {
  readonly id: number;
}

const turns = async (n = 5): Promise<void> => {
  for (let i = 0; i < n; i++) await new Promise(resolve => setImmediate(resolve));
};

/** A pool whose connections are all idle and, as its ping tells in this way, dead. */
async function poolOfDead(max: number, says: (alive: boolean) => unknown) {
  let made = 0;
  const destroyed: number[] = [];
  const pool = new ConnectionPool<Connection>({
    name: 'db',
    maxActive: max,
    pingTimeoutMs: 20,
    create: async () => ({ id: ++made }),
    destroy: ({ id }) => void destroyed.push(id),
    ping: ({ id }) => says(id > max),
  });
  const all = await Promise.all(Array.from({ length: max }, () => pool.acquire()));
  for (const one of all) pool.release(one);
  return { pool, destroyed };
}

const answers: Record<string, (alive: boolean) => unknown> = {
  'at once': alive => alive,
  later: alive => new Promise(resolve => setTimeout(resolve, 2, alive)),
  'by never answering': alive => alive || new Promise(() => {}),
};

for (const [how, says] of Object.entries(answers)) {
  test(`callers are served in the order of asking although idle connections turn out dead, ${how}`, async () => {
    for (const max of [1, 2, 5]) {
      const { pool, destroyed } = await poolOfDead(max, says);
      const order: string[] = [];
      const callers = [...'ABCDEFGH'];
      await Promise.all(
        callers.map(async caller => {
          const connection = await pool.acquire();
          order.push(caller);
          await turns(1);
          pool.release(connection);
        }),
      );
      assert.deepEqual(order, callers, `of ${max} connections`);
      assertPoolLaws(pool.stats());
      await pool.close();
      assert.equal(destroyed.length, pool.stats().created);
    }
  });
}

test('the connection that is open first goes to who has waited longest, whichever was begun first', async () => {
  const opening: ((connection: Connection) => void)[] = [];
  const create = (): Promise<Connection> => new Promise(resolve => opening.push(resolve));
  const pool = new ConnectionPool({ name: 'db', maxActive: 3, create });
  const order: string[] = [];
  const asked = [...'ABC'].map(async caller => {
    order.push(`${caller}${(await pool.acquire()).id}`);
  });
  await turns();
  for (const id of [2, 1, 0]) {
    opening[id]!({ id });
    await turns();
  }
  await Promise.all(asked);
  assert.deepEqual(order, ['A2', 'B1', 'C0']);
});

test('a connection that is alive goes to the first who waits, and not to who came when it was asked', async () => {
  const pings: ReturnType<typeof deferred<boolean>>[] = [];
  const ping = ({ id }: Connection): Promise<boolean> => {
    pings[id] = deferred<boolean>();
    return pings[id].promise;
  };
  let made = 0;
  const pool = new ConnectionPool({ name: 'db', maxActive: 2, create: () => ({ id: made++ }), ping });
  for (const one of [await pool.acquire(), await pool.acquire()]) pool.release(one);
  const order: string[] = [];
  for (const caller of 'AB') void pool.acquire().then(({ id }) => order.push(`${caller}${id}`));
  await turns();
  pings[0]!.resolve(true);
  await turns();
  assert.deepEqual(order, ['A0']);
  pings[1]!.resolve(true);
  await turns();
  assert.deepEqual(order, ['A0', 'B1']);
});

test('a connection whose caller gives up while it is pinged stays, and goes to the next', async () => {
  let ping = deferred<boolean>();
  const destroyed: Connection[] = [];
  const pool = new ConnectionPool({
    name: 'db',
    maxActive: 1,
    create: () => ({ id: 1 }),
    destroy: connection => destroyed.push(connection),
    ping: () => ping.promise,
  });
  const connection = await pool.acquire();
  pool.release(connection);
  for (const others of [0, 1]) {
    ping = deferred<boolean>();
    const controller = new AbortController();
    const aborted = assert.rejects(pool.acquire({ signal: controller.signal }), {
      code: 'POOL_ACQUIRE_ABORTED',
    });
    const next = others === 1 ? pool.acquire() : undefined;
    await turns();
    controller.abort();
    await aborted;
    ping.resolve(true);
    await turns();
    assert.deepEqual([destroyed, pool.stats().idle, pool.stats().used], [[], 1 - others, others]);
    assert.equal(await next, others === 1 ? connection : undefined);
    assertPoolLaws(pool.stats());
  }
});

test('a connection that was discarded is neither used nor idle from that moment on, however long it takes to close', async () => {
  const pool = new ConnectionPool({
    name: 'db',
    create: () => ({ id: 1 }),
    destroy: () => new Promise(() => {}),
  });
  pool.discard(await pool.acquire());
  const { used, idle, created, destroyed } = pool.stats();
  assert.deepEqual([used, idle, created, destroyed], [0, 0, 1, 1]);
});
