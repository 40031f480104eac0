import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type LockHandle, LockManager, type LockSession } from '../../../toolkit/lock';
import { assertLockLaws } from '../../helpers/locks';

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

test('of two sessions that take two locks in opposite orders, the second to wait is refused', async () => {
  const manager = new LockManager({ name: 'rows', detectDeadlocks: true });
  const [one, two] = [manager.session(), manager.session()];
  const a1 = await one.lock('a');
  const b2 = await two.lock('b');
  const b1 = one.lock('b');
  await assert.rejects(two.lock('a'), { code: 'LOCK_DEADLOCK', lock: 'a', circle: ['a', 'b'] });
  b2.release();
  (await b1).release();
  a1.release();
  assert.equal(manager.stats().modes.write!.deadlocks, 1);
  assert.equal(manager.size, 0);
  assertLockLaws(manager.stats());
});

test('a session that asks again for what it holds is refused; without detection it waits', async () => {
  const manager = new LockManager({ name: 'rows', detectDeadlocks: true });
  const session = manager.session();
  const handle = session.tryLock('a')!;
  await assert.rejects(session.lock('a'), { code: 'LOCK_DEADLOCK', circle: ['a'] });
  await assert.rejects(session.readLock('a'), { code: 'LOCK_DEADLOCK' });
  handle.release();
  const plain = new LockManager({ name: 'rows' }).session();
  const held = await plain.lock('a');
  await assert.rejects(plain.lock('a', { timeoutMs: 5 }), { code: 'LOCK_TIMEOUT' });
  held.release();
});

test('a reader that waits behind a writer that waits for it is a deadlock, although readers share', async () => {
  for (const preference of ['fair', 'writer'] as const) {
    const manager = new LockManager({ name: 'rows', detectDeadlocks: true, preference });
    const [reader, writer] = [manager.session(), manager.session()];
    const first = await reader.readLock('a');
    const writing = writer.lock('a');
    await assert.rejects(reader.readLock('a'), { code: 'LOCK_DEADLOCK' });
    first.release();
    (await writing).release();
  }
});

test('a circle over many sessions is found, and one through a waiter without a session is not lost', async () => {
  const manager = new LockManager({ name: 'rows', detectDeadlocks: true });
  const sessions = Array.from({ length: 5 }, () => manager.session());
  const handles: LockHandle[] = [];
  for (const [i, session] of sessions.entries()) handles.push(await session.lock(`k${i}`));
  const waits: Promise<LockHandle>[] = [];
  for (let i = 0; i < 4; i++) {
    // Somebody without a session stands between.
    waits.push(manager.lock(`k${i + 1}`));
    waits.push(sessions[i]!.lock(`k${i + 1}`));
  }
  await assert.rejects(sessions[4]!.lock('k0'), {
    code: 'LOCK_DEADLOCK',
    circle: ['k0', 'k1', 'k2', 'k3', 'k4'],
  });
  for (const wait of waits) void wait.then(handle => handle.release());
  for (const handle of handles) handle.release();
  while (manager.size > 0) await turn();
});

test('a circle through the places of a queue is found: behind a writer, a reader, or one without a session', async () => {
  for (const between of ['nobody', 'anybody', 'reader'] as const) {
    const manager = new LockManager({ name: 'rows', detectDeadlocks: true });
    const [one, two] = [manager.session(), manager.session()];
    const x = await manager.lock('x');
    const y = await two.lock('y');
    const handles: Promise<LockHandle>[] = [between === 'reader' ? one.readLock('x') : one.lock('x')];
    if (between === 'anybody') handles.push(manager.lock('x'));
    handles.push(one.lock('y'));
    await assert.rejects(two.lock('x'), { code: 'LOCK_DEADLOCK', circle: ['x', 'y'] });
    for (const handle of handles) void handle.then(one => one.release());
    x.release();
    y.release();
    while (manager.size > 0) await turn();
  }
});

test('a wait that has just ended is no edge any more', async () => {
  const manager = new LockManager({ name: 'rows', detectDeadlocks: true, preference: 'writer' });
  const [reader, writer] = [manager.session(), manager.session()];
  const x = await manager.lock('x');
  const z = await writer.lock('z');
  const reading = reader.readLock('x');
  await turn();
  x.release();
  // The reader has the lock and does not know it yet.
  const writing = writer.lock('x');
  (await reading).release();
  (await writing).release();
  z.release();
});

test('thousands who wait one behind the other are looked through in time and without a deep stack', async () => {
  const manager = new LockManager({ name: 'rows', detectDeadlocks: true });
  const first = manager.session();
  const handle = await first.lock('hot');
  const waits = Array.from({ length: 3000 }, () => manager.session().lock('hot'));
  await assert.rejects(first.lock('hot'), { code: 'LOCK_DEADLOCK' });
  for (const wait of waits) void wait.then(one => one.release());
  handle.release();
  while (manager.size > 0) await turn();
});

interface Step {
  readonly key: number;
  readonly write: boolean;
}

const programs = fc.array(
  fc.array(fc.record({ key: fc.nat(4), write: fc.boolean() }), { minLength: 1, maxLength: 5 }),
  { minLength: 2, maxLength: 6 },
);

/** Runs sessions side by side, each taking its locks in turn; gives how many were refused. */
async function runAll(manager: LockManager, all: Step[][], pauses: number[]): Promise<number> {
  let refused = 0;
  const run = async (session: LockSession, steps: Step[]): Promise<void> => {
    const held: LockHandle[] = [];
    try {
      for (const { key, write } of steps) {
        for (let pause = pauses.shift() ?? 0; pause > 0; pause--) await turn();
        held.push(await (write ? session.lock(`${key}`) : session.readLock(`${key}`)));
      }
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'LOCK_DEADLOCK');
      refused++;
    } finally {
      for (const handle of held) handle.release();
    }
  };
  let done = false;
  const ended = Promise.all(all.map(steps => run(manager.session(), steps))).then(() => {
    done = true;
  });
  for (let i = 0; !done; i++) {
    assert.ok(i < 1000, 'the sessions stand still');
    await turn();
  }
  await ended;
  assert.equal(manager.size, 0);
  assertLockLaws(manager.stats());
  return refused;
}

for (const preference of ['fair', 'writer'] as const) {
  test(`${preference}: sessions that take any locks in any order never stand still`, async () => {
    await fc.assert(
      fc.asyncProperty(programs, fc.array(fc.nat(2), { maxLength: 30 }), async (all, pauses) => {
        await runAll(new LockManager({ name: 'm', detectDeadlocks: true, preference }), all, pauses);
      }),
      { numRuns: 150 },
    );
  });

  test(`${preference}: sessions that take their locks in one order are never refused`, async () => {
    await fc.assert(
      fc.asyncProperty(programs, fc.array(fc.nat(2), { maxLength: 30 }), async (all, pauses) => {
        const ordered = all.map(steps =>
          [...new Map(steps.map(step => [step.key, step])).values()].sort((a, b) => a.key - b.key),
        );
        const manager = new LockManager({ name: 'm', detectDeadlocks: true, preference });
        assert.equal(await runAll(manager, ordered, pauses), 0);
      }),
      { numRuns: 150 },
    );
  });
}
