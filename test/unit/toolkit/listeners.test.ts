import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TieredCache } from '../../../toolkit/cache';
import { Channel } from '../../../toolkit/channel';
import { Mutex } from '../../../toolkit/lock';
import { ObjectPool } from '../../../toolkit/object-pool';

const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);
before(() => process.on('unhandledRejection', note));
after(() => process.off('unhandledRejection', note));

for (const [how, fail] of [
  [
    'throws',
    () => {
      throw new Error('listener');
    },
  ],
  ['rejects', () => Promise.reject(new Error('listener'))],
] as const) {
  test(`a listener that ${how} is told, and nobody else hears of it`, async () => {
    const told: string[] = [];
    const bad = (name: string) => (): never => {
      told.push(name);
      return fail() as never;
    };
    const channel = new Channel<number>({
      name: 'c',
      capacity: 1,
      overflow: 'drop-newest',
      onDrop: bad('onDrop'),
    });
    channel.trySend(1);
    channel.trySend(2);

    const mutex = new Mutex({ name: 'm', holdWatch: { afterMs: 1, sampleEvery: 1, onHeld: bad('onHeld') } });
    const handle = await mutex.lock();

    const pool = new ObjectPool({
      name: 'p',
      create: () => ({}),
      reset() {
        throw new Error('reset');
      },
      onError: bad('onError'),
      leakDetection: { afterMs: 1, sampleEvery: 1, onLeak: bad('onLeak') },
    });
    pool.release(pool.acquire());
    const held = pool.acquire();

    const broken = () => Promise.reject(new Error('redis'));
    const cache = new TieredCache<number>({
      name: 'k',
      l2: { client: { sendCommand: broken } },
      onError: bad('onError of the cache'),
    });
    assert.equal(await cache.get('a'), undefined);

    while (!told.includes('onHeld') || !told.includes('onLeak')) {
      await new Promise(resolve => setTimeout(resolve, 2));
    }
    assert.deepEqual(told.sort(), ['onDrop', 'onError', 'onError of the cache', 'onHeld', 'onLeak']);
    assert.deepEqual(unhandled, []);
    handle.release();
    pool.release(held);
    pool.close();
  });
}

test('what is no function is refused where a listener is expected', () => {
  const wrong = 'log' as never;
  assert.throws(
    () => new Channel({ name: 'c', onDrop: wrong }),
    /Expected onDrop to be a function, got string/,
  );
  assert.throws(
    () => new TieredCache({ name: 'k', onError: wrong }),
    /Expected onError to be a function, got string/,
  );
});
