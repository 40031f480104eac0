import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, test } from 'node:test';
import type { LockContention, LockHandle, LockHeld, LockStats } from '../../toolkit/lock';
import { lockSource } from '../../toolkit/lock/stats';
import { liveSources } from '../../toolkit/sources';
import { deferred } from '../helpers/fake-redis';
import { collectUntil } from '../helpers/garbage';
import { lockSubjects } from '../helpers/locks';

const registered = (name: string) =>
  liveSources<LockStats>(lockSource.kind, lockSource.layout).filter(source => source.name === name);

for (const [kind, make] of Object.entries(lockSubjects)) {
  describe(kind, () => {
    test('is held by one at a time, in the order of asking', async () => {
      const lock = make({ name: 'stock' });
      let inside = 0;
      const order: number[] = [];
      await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          lock.use(async () => {
            assert.equal(++inside, 1);
            await null;
            order.push(i);
            inside--;
          }),
        ),
      );
      assert.deepEqual(
        order,
        Array.from({ length: 50 }, (_, i) => i),
      );
      const { acquired, released, contended, waiters, held } = lock.stats();
      assert.deepEqual([acquired, released, contended, waiters, held], [50, 50, 49, 0, 0]);
    });

    test('tryLock takes a free lock, and one that is held or about to be handed on it does not', async () => {
      const lock = make({ name: 'stock' });
      const handle = lock.tryLock()!;
      assert.equal(lock.isLocked(), true);
      assert.equal(lock.tryLock(), undefined);
      const next = lock.lock();
      handle.release();
      assert.equal(lock.tryLock(), undefined, 'the one who waited was overtaken');
      (await next).release();
      assert.equal(lock.isLocked(), false);
      lock.tryLock()!.release();
      assert.equal(lock.stats().contended, 1);
    });

    test('a handle releases once, and disposing of it after that is allowed', async () => {
      const lock = make({ name: 'stock' });
      const handle = await lock.lock();
      handle.release();
      assert.throws(() => handle.release(), { code: 'LOCK_RELEASED' });
      const next = await lock.lock();
      handle[Symbol.dispose]();
      assert.equal(lock.isLocked(), true, 'an old handle released the lock of another');
      next.release();
    });

    test('the end of a block releases it under using', async () => {
      const lock = make({ name: 'stock' });
      await assert.rejects(async () => {
        using handle = await lock.lock();
        assert.equal(handle.released, false);
        throw new RangeError('in the block');
      }, RangeError);
      assert.equal(lock.isLocked(), false);
    });

    test('use releases it when its function throws or rejects', async () => {
      const lock = make({ name: 'stock' });
      await assert.rejects(
        lock.use(() => {
          throw new RangeError('thrown');
        }),
        RangeError,
      );
      await assert.rejects(
        lock.use(async () => {
          throw new RangeError('rejected');
        }),
        RangeError,
      );
      assert.equal(lock.isLocked(), false);
    });

    test('who waits too long gives up, and those behind keep their places', async () => {
      const lock = make({ name: 'stock' });
      const holder = await lock.lock();
      const order: string[] = [];
      const first = lock.lock().then(handle => {
        order.push('first');
        handle.release();
      });
      const gone = lock.lock({ timeoutMs: 10 });
      const goneToo = lock.lock({ timeoutMs: 11 });
      const last = lock.lock().then(handle => {
        order.push('last');
        handle.release();
      });
      await Promise.all([
        assert.rejects(gone, { code: 'LOCK_TIMEOUT', timeoutMs: 10 }),
        assert.rejects(goneToo, { code: 'LOCK_TIMEOUT', timeoutMs: 11 }),
      ]);
      holder.release();
      await Promise.all([first, last]);
      assert.deepEqual(order, ['first', 'last']);
      assert.deepEqual([lock.stats().timeouts, lock.stats().waiters], [2, 0]);
    });

    test('a signal ends a wait with its reason as the cause, and keeps no listener after', async () => {
      const lock = make({ name: 'stock' });
      const holder = await lock.lock();
      const controller = new AbortController();
      const gone = lock.lock({ signal: controller.signal, timeoutMs: 60_000 });
      controller.abort(new RangeError('closing'));
      await assert.rejects(
        gone,
        (error: Error & { code?: string }) =>
          error.code === 'LOCK_ABORTED' && error.cause instanceof RangeError,
      );
      await assert.rejects(lock.lock({ signal: controller.signal }), { code: 'LOCK_ABORTED' });
      const signal = new AbortController().signal;
      let listeners = 0;
      const add = signal.addEventListener.bind(signal);
      const remove = signal.removeEventListener.bind(signal);
      signal.addEventListener = (...args: Parameters<typeof add>) => {
        listeners++;
        add(...args);
      };
      signal.removeEventListener = (...args: Parameters<typeof remove>) => {
        listeners--;
        remove(...args);
      };
      const waiting = lock.lock({ signal });
      assert.equal(listeners, 1);
      holder.release();
      (await waiting).release();
      assert.equal(listeners, 0);
      assert.equal(lock.isLocked(), false);
    });

    test('a wait that could never end is refused for what is wrong with it', async () => {
      const lock = make({ name: 'stock' });
      await assert.rejects(lock.lock({ timeoutMs: -1 }), /Expected timeoutMs to be milliseconds above 0/);
      assert.equal(lock.isLocked(), false);
    });

    test('times of waiting and holding are those of the clock', async () => {
      let now = 0;
      const lock = make({ name: 'stock', clock: () => now });
      const handle = await lock.lock();
      const waiting = lock.lock();
      now = 250;
      handle.release();
      const next = await waiting;
      now = 300;
      next.release();
      const { waitTime, holdTime } = lock.stats();
      assert.deepEqual([waitTime?.count, waitTime?.sum], [1, 0.25]);
      assert.deepEqual([holdTime?.count, holdTime?.sum], [2, 0.3]);
      assert.equal(make({ name: 'untimed', timeHold: false }).stats().holdTime, undefined);
    });

    test('waits that ended are published with the stack of the call, while somebody listens', async () => {
      const lock = make({ name: 'convoy' });
      const heard: LockContention[] = [];
      const listen = (message: unknown): void => void heard.push(message as LockContention);
      const holder = await lock.lock();
      const unheard = lock.lock();
      subscribe('otel-vitals:lock.contended', listen);
      try {
        const waitsForStock = (): Promise<LockHandle> => lock.lock();
        const got = waitsForStock();
        const late = assert.rejects(lock.lock({ timeoutMs: 5 }));
        await late;
        holder.release();
        (await unheard).release();
        (await got).release();
        assert.equal(heard.length, 2);
        const [timedOut, waited] = heard;
        assert.ok(timedOut!.waitMs >= 4, String(timedOut!.waitMs));
        assert.deepEqual([waited!.name, ['exclusive', 'write'].includes(waited!.mode)], ['convoy', true]);
        assert.ok(waited!.waitMs >= timedOut!.waitMs);
        assert.match(waited!.stack, /^\s+at .*waitsForStock .*locks\.test\.ts:\d+/m);
        assert.deepEqual(Object.keys(waited!).sort(), ['mode', 'name', 'stack', 'waitMs']);
      } finally {
        unsubscribe('otel-vitals:lock.contended', listen);
      }
    });

    test('a lock held too long is told of once, with the stack that took it, waited for or not', async () => {
      let now = 0;
      const held: LockHeld[] = [];
      const told = deferred();
      const lock = make({
        name: 'forgotten',
        clock: () => now,
        holdWatch: {
          afterMs: 20,
          sampleEvery: 1,
          onHeld: one => {
            held.push(one);
            told.resolve();
          },
        },
      });
      const first = await lock.lock();
      const takesItForEver = (): Promise<LockHandle> => lock.lock();
      const second = takesItForEver();
      first.release();
      await second;
      now = 100;
      // The lock's own timer keeps no process alive.
      const alive = setInterval(() => {}, 1000);
      await told.promise;
      clearInterval(alive);
      assert.equal(held.length, 1);
      assert.deepEqual([held[0]!.lock, held[0]!.heldMs], ['forgotten', 100]);
      assert.match(held[0]!.stack, /takesItForEver .*locks\.test\.ts:\d+/);
    });

    test('is among the live sources under its name until it is closed or dropped', async () => {
      const lock = make({ name: 'visible' });
      assert.equal(registered('visible').length, 1);
      lock.close();
      assert.equal(registered('visible').length, 0);
      await (async () => {
        (await make({ name: 'dropped' }).lock()).release();
      })();
      await collectUntil(() => registered('dropped').length === 0);
    });
  });
}
