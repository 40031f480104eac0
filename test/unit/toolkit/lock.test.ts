import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { test } from 'node:test';
import fc from 'fast-check';
import { LockHandle, LockManager, Mutex, ReadWriteLock } from '../../../toolkit/lock';
import { assertLockLaws } from '../../helpers/locks';

const turns = async (n = 3): Promise<void> => {
  for (let i = 0; i < n; i++) await new Promise(resolve => setImmediate(resolve));
};

/** Asks for locks and notes who got one, in order. */
function queueOf(lock: ReadWriteLock) {
  const got: string[] = [];
  const handles = new Map<string, LockHandle>();
  const ask = (who: string): void => {
    const wait = who.startsWith('r') ? lock.readLock() : lock.writeLock();
    void wait.then(handle => {
      got.push(who);
      handles.set(who, handle);
    });
  };
  const release = async (...who: string[]): Promise<void> => {
    for (const one of who) handles.get(one)!.release();
    await turns();
  };
  return { got, ask, release };
}

test('readers share the lock, a writer has it alone', async () => {
  const lock = new ReadWriteLock({ name: 'rw' });
  const readers = [await lock.readLock(), lock.tryReadLock()!];
  assert.equal(lock.tryWriteLock(), undefined);
  for (const reader of readers) reader.release();
  const writer = lock.tryWriteLock()!;
  assert.equal(lock.tryReadLock(), undefined);
  assert.equal(lock.isLocked, true);
  writer.release();
  assert.equal(lock.isLocked, false);
});

test('fair: those who wait go in the order of asking, neighbouring readers together', async () => {
  const lock = new ReadWriteLock({ name: 'rw' });
  const { got, ask, release } = queueOf(lock);
  for (const who of ['r1', 'w1', 'r2', 'r3', 'w2', 'r4']) ask(who);
  await turns();
  assert.deepEqual(got, ['r1']);
  assert.equal(lock.tryReadLock(), undefined, 'a reader overtook a writer');
  await release('r1');
  assert.deepEqual(got, ['r1', 'w1']);
  await release('w1');
  assert.deepEqual(got, ['r1', 'w1', 'r2', 'r3']);
  await release('r2');
  assert.deepEqual(got, ['r1', 'w1', 'r2', 'r3']);
  await release('r3');
  assert.deepEqual(got, ['r1', 'w1', 'r2', 'r3', 'w2']);
  await release('w2');
  assert.deepEqual(got, ['r1', 'w1', 'r2', 'r3', 'w2', 'r4']);
  assertLockLaws(lock.stats());
});

test('writer preference: writers go before readers that asked earlier', async () => {
  const lock = new ReadWriteLock({ name: 'rw', preference: 'writer' });
  const { got, ask, release } = queueOf(lock);
  for (const who of ['w1', 'r1', 'w2', 'r2', 'w3']) ask(who);
  await turns();
  await release('w1');
  await release('w2');
  await release('w3');
  assert.deepEqual(got, ['w1', 'w2', 'w3', 'r1', 'r2']);
});

test('when a waiting writer gives up, the readers behind it go at once', async () => {
  for (const preference of ['fair', 'writer'] as const) {
    const lock = new ReadWriteLock({ name: 'rw', preference });
    const reader = await lock.readLock();
    const controller = new AbortController();
    const writer = lock.writeLock({ signal: controller.signal });
    const behind = lock.readLock();
    controller.abort();
    await assert.rejects(writer, { code: 'LOCK_ABORTED' });
    (await behind).release();
    reader.release();
    assert.equal(lock.isLocked, false);
  }
});

test('useRead and useWrite exclude each other as their locks do', async () => {
  const lock = new ReadWriteLock({ name: 'rw' });
  let readers = 0;
  let most = 0;
  let writing = false;
  await Promise.all(
    Array.from({ length: 40 }, (_, i) =>
      i % 5 === 0
        ? lock.useWrite(async () => {
            assert.ok(!writing && readers === 0);
            writing = true;
            await null;
            writing = false;
          })
        : lock.useRead(async () => {
            assert.equal(writing, false);
            most = Math.max(most, ++readers);
            await null;
            readers--;
          }),
    ),
  );
  assert.ok(most > 1);
});

test('whatever is asked for, given up and released in whatever order, the lock excludes and its laws hold', async () => {
  const command = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('read', 'write'), abortable: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('tryRead', 'tryWrite') }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('release'), which: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('abort'), which: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('turn') }) },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(command, { maxLength: 50 }),
      fc.constantFrom('fair' as const, 'writer' as const),
      async (commands, preference) => {
        const lock = new ReadWriteLock({ name: 'model', preference });
        const held: LockHandle[] = [];
        const controllers: AbortController[] = [];
        let open = 0;
        let granted = 0;
        const take = (handle: LockHandle | undefined): void => {
          if (handle === undefined) return;
          granted++;
          held.push(handle);
          const writers = held.filter(({ mode }) => mode === 'write').length;
          assert.ok(writers === 0 || held.length === 1, 'a writer was not alone');
        };
        for (const one of commands as { do: string; which?: number; abortable?: boolean }[]) {
          const which = one.which ?? 0;
          if (one.do === 'read' || one.do === 'write') {
            const controller = new AbortController();
            if (one.abortable) controllers.push(controller);
            const options = { signal: controller.signal };
            open++;
            (one.do === 'read' ? lock.readLock(options) : lock.writeLock(options)).then(
              handle => {
                open--;
                take(handle);
              },
              error => {
                open--;
                assert.equal(error.code, 'LOCK_ABORTED');
              },
            );
          } else if (one.do === 'tryRead') {
            // Granted but not yet known to their callers: the lock counts them already.
            await turns(1);
            take(lock.tryReadLock());
          } else if (one.do === 'tryWrite') {
            await turns(1);
            take(lock.tryWriteLock());
          } else if (one.do === 'release' && held.length > 0)
            held.splice(which % held.length, 1)[0]!.release();
          else if (one.do === 'abort' && controllers.length > 0)
            controllers.splice(which % controllers.length, 1)[0]!.abort();
          else if (one.do === 'turn') await turns(1);
          assertLockLaws(lock.stats());
        }
        // Everybody who waits is served when those who hold release.
        for (let i = 0; open > 0 || held.length > 0; i++) {
          assert.ok(i < 500, `${open} still wait`);
          for (const handle of held.splice(0)) handle.release();
          await turns(1);
        }
        const { read, write } = lock.stats().modes;
        assert.equal(read!.acquired + write!.acquired, granted);
        assert.deepEqual([read!.held, write!.held, read!.waiters, write!.waiters], [0, 0, 0, 0]);
        assert.equal(lock.isLocked, false);
      },
    ),
  );
});

test('wrong options are refused, saying what was expected and what came', () => {
  assert.throws(() => new Mutex({ name: '' }), /Expected name to be a string of at least one character/);
  assert.throws(
    () => new ReadWriteLock({ name: 'x', preference: 'reader' as 'fair' }),
    /Expected preference to be fair or writer, got reader/,
  );
  assert.throws(
    () => new LockManager({ name: 'x', maxLocks: 0 }),
    /Expected maxLocks to be an integer above/,
  );
  assert.throws(
    () => new Mutex({ name: 'x', clock: 5 as unknown as () => number }),
    /Expected clock to be a function, got number/,
  );
});

test('locks of different keys are independent, and keys that nobody uses take no memory', async () => {
  const manager = new LockManager({ name: 'rows' });
  const a = await manager.lock('a');
  const b = await manager.readLock('b');
  const b2 = manager.tryReadLock('b')!;
  assert.equal(manager.tryLock('b'), undefined);
  const waiting = manager.lock('a');
  assert.equal(manager.size, 2);
  b.release();
  assert.equal(manager.size, 2);
  b2.release();
  assert.equal(manager.size, 1);
  a.release();
  assert.equal(manager.size, 1);
  (await waiting).release();
  assert.equal(manager.size, 0);
  await assert.rejects(manager.lock('c', { timeoutMs: -1 }));
  await assert.rejects(manager.lock('c', { signal: AbortSignal.abort() }));
  assert.equal(manager.size, 0);
  for (let i = 0; i < 10_000; i++) await manager.useRead(`key ${i}`, () => {});
  assert.equal(manager.size, 0);
  assert.equal(manager.stats().modes.read!.acquired, 10_002);
  assertLockLaws(manager.stats());
});

test('no more than maxLocks are in use, and those in use can still be waited for', async () => {
  const manager = new LockManager({ name: 'rows', maxLocks: 1 });
  const a = await manager.lock('a');
  await assert.rejects(manager.lock('b'), { code: 'LOCK_LIMIT', manager: 'rows', maxLocks: 1 });
  assert.throws(() => manager.tryLock('b'), { code: 'LOCK_LIMIT' });
  const again = manager.lock('a');
  a.release();
  (await again).release();
  (await manager.lock('b')).release();
});

test('a handle is a LockHandle that tells its mode and whether it was released', async () => {
  const handle = await new ReadWriteLock({ name: 'rw' }).readLock();
  assert.ok(handle instanceof LockHandle);
  assert.deepEqual([handle.mode, handle.released], ['read', false]);
  handle.release();
  assert.equal(handle.released, true);
});

test('who is told of a wait that ended finds the lock taken, and may use it', async () => {
  const lock = new ReadWriteLock({ name: 'told' });
  const taken: (LockHandle | undefined)[] = [];
  const told = (): void =>
    void taken.push(lock.tryWriteLock(), lock.isLocked ? undefined : lock.tryReadLock());
  subscribe('otel-vitals:lock.contended', told);
  try {
    for (const ask of [() => lock.writeLock(), () => lock.readLock()]) {
      const first = await lock.writeLock();
      const waiting = ask();
      const late = assert.rejects(lock.writeLock({ timeoutMs: 2 }), { code: 'LOCK_TIMEOUT' });
      await late;
      first.release();
      const second = await waiting;
      assert.deepEqual(taken.splice(0), [undefined, undefined, undefined, undefined], 'two hold the lock');
      second.release();
    }
  } finally {
    unsubscribe('otel-vitals:lock.contended', told);
  }
  assertLockLaws(lock.stats());
  assert.equal(lock.isLocked, false);
});

test("a clock of the application's that asks for the lock does not get what another is being given", async () => {
  let asked: LockHandle | undefined;
  let lock: Mutex | undefined;
  const clock = (): number => {
    asked ??= lock?.tryLock();
    return 0;
  };
  const made = new Mutex({ name: 'm', clock });
  const first = await made.lock();
  const waiting = made.lock();
  lock = made;
  first.release();
  (await waiting).release();
  assert.equal(asked, undefined);
  assert.equal(made.stats().modes.exclusive!.acquired, 2);
});
