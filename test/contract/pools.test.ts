import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { PoolStats } from '../../toolkit/object-pool';
import { poolSource } from '../../toolkit/object-pool/stats';
import { liveSources } from '../../toolkit/sources';
import { collectUntil } from '../helpers/garbage';
import { assertPoolLaws, poolSubjects } from '../helpers/pools';

const registered = (name: string) =>
  liveSources<PoolStats>(poolSource.kind, poolSource.layout).filter(source => source.name === name);

for (const [kind, make] of Object.entries(poolSubjects)) {
  describe(`a pool of kind ${kind}`, () => {
    test('hands a released object out again and counts that as reuse', async () => {
      const pool = make('orders');
      const object = await pool.acquire();
      pool.release(object);
      assert.equal(await pool.acquire(), object);
      const { acquired, reused, released, created, used, idle } = pool.stats();
      assert.deepEqual([acquired, reused, released, created, used, idle], [2, 1, 1, 1, 1, 0]);
      pool.release(object);
      await pool.close();
    });

    test('never hands one object to two users', async () => {
      const pool = make('orders');
      const objects = await Promise.all(Array.from({ length: 10 }, () => pool.acquire()));
      assert.equal(new Set(objects).size, 10);
      for (const object of objects) pool.release(object);
      assert.deepEqual([pool.stats().idle, pool.stats().used], [10, 0]);
      await pool.close();
    });

    test('refuses a second release, and one of an object that is not its own, and counts neither', async () => {
      const pool = make('orders');
      const object = await pool.acquire();
      pool.release(object);
      assert.throws(() => pool.release(object), { code: 'POOL_DOUBLE_RELEASE', pool: 'orders' });
      assert.throws(() => pool.release({}), { code: 'POOL_FOREIGN_OBJECT', pool: 'orders' });
      const other = make('others');
      const foreign = await other.acquire();
      assert.throws(() => pool.release(foreign), { code: 'POOL_FOREIGN_OBJECT' });
      assert.equal(pool.stats().released, 1);
      other.release(foreign);
      await Promise.all([pool.close(), other.close()]);
    });

    test('takes back what use was given when its function returns, throws or rejects', async () => {
      const pool = make('orders');
      assert.equal(await pool.use(() => 7), 7);
      await assert.rejects(
        pool.use(() => {
          throw new RangeError('thrown');
        }),
        RangeError,
      );
      await assert.rejects(
        pool.use(async () => {
          throw new RangeError('rejected');
        }),
        RangeError,
      );
      let during: PoolStats | undefined;
      await pool.use(async () => {
        await null;
        during = pool.stats();
      });
      assert.equal(during?.used, 1);
      const { acquired, released, used } = pool.stats();
      assert.deepEqual([acquired, released, used], [4, 4, 0]);
      await pool.close();
    });

    test('lets its idle objects go when it is cleared, and works on', async () => {
      const pool = make('orders');
      const object = await pool.acquire();
      pool.release(object);
      pool.clear();
      assert.notEqual(await pool.acquire(), object);
      const { idle, created } = pool.stats();
      assert.deepEqual([idle, created], [0, 2]);
      assertPoolLaws(pool.stats());
    });

    test('refuses to hand out when closed, and keeps nothing that is released then', async () => {
      const pool = make('orders');
      const object = await pool.acquire();
      const closing = pool.close();
      await assert.rejects(pool.acquire(), { code: 'POOL_CLOSED', pool: 'orders' });
      await assert.rejects(
        pool.use(() => 1),
        { code: 'POOL_CLOSED' },
      );
      pool.release(object);
      await closing;
      await pool.close();
      const { idle, used, failures } = pool.stats();
      assert.deepEqual([idle, used, failures.closed], [0, 0, 2]);
      assertPoolLaws(pool.stats());
    });

    test('is among the live sources under its name until it is closed', async () => {
      const pool = make('visible');
      assert.deepEqual(
        registered('visible').map(source => source.stats().kind),
        [kind],
      );
      await pool.close();
      assert.deepEqual(registered('visible'), []);
    });

    test('leaves the live sources when it is dropped and its idle objects have had their time', async () => {
      await (async () => {
        const pool = make('dropped', 20);
        pool.release(await pool.acquire());
      })();
      await collectUntil(() => registered('dropped').length === 0);
    });

    test('obeys the laws of its statistics after every step of any use', async () => {
      const step = fc.oneof(
        { weight: 4, arbitrary: fc.record({ do: fc.constant('acquire' as const) }) },
        { weight: 3, arbitrary: fc.record({ do: fc.constant('release' as const), which: fc.nat() }) },
        { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const) }) },
        { weight: 1, arbitrary: fc.record({ do: fc.constant('double' as const) }) },
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async steps => {
          const pool = make('model');
          const out: object[] = [];
          let acquired = 0;
          for (const one of steps) {
            // A connection pool lets the eleventh wait.
            if (one.do === 'acquire' && out.length < 10) {
              const object = await pool.acquire();
              assert.ok(!out.includes(object));
              out.push(object);
              acquired++;
            } else if (one.do === 'release' && out.length > 0) {
              pool.release(out.splice(one.which % out.length, 1)[0]!);
            } else if (one.do === 'clear') {
              pool.clear();
              assert.equal(pool.stats().kind === 'connection' || pool.stats().idle === 0, true);
            } else if (one.do === 'double') {
              assert.throws(() => pool.release({}));
            }
            const stats = pool.stats();
            assertPoolLaws(stats);
            assert.deepEqual([stats.acquired, stats.used], [acquired, out.length]);
          }
          for (const object of out) pool.release(object);
          await pool.close();
          const { created, destroyed, used } = pool.stats();
          assert.deepEqual([destroyed, used], [created, 0]);
          assertPoolLaws(pool.stats());
        }),
        { numRuns: 60 },
      );
    });
  });
}
