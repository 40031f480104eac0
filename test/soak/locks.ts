import assert from 'node:assert/strict';
import { join } from 'node:path';
import { LockFreeQueue, LockManager, Mutex, ReadWriteLock, SpinLock } from '../../toolkit/lock';
import { WorkerPool } from '../../toolkit/worker-pool';
import { assertLockLaws } from '../helpers/locks';
import { type Chance, crowd, Fault, type Part, Tally } from './part';

const file = join(__dirname, 'threads.cjs');
const messages = 200;

/** Holders that throw, callers that lose patience, sessions that lock each other out, and another thread. */
export function locksPart(chance: Chance): Part {
  const tally = new Tally('locks', [
    'FAULT',
    'LOCK_TIMEOUT',
    'LOCK_ABORTED',
    'LOCK_DEADLOCK',
    'LOCK_RELEASED',
    'LOCK_LIMIT',
  ]);
  const mutex = new Mutex({ name: 'soak mutex' });
  const fair = new ReadWriteLock({ name: 'soak fair' });
  const writer = new ReadWriteLock({ name: 'soak writer', preference: 'writer' });
  const rows = new LockManager({ name: 'soak rows', maxLocks: 12 });
  const transactions = new LockManager({ name: 'soak transactions', detectDeadlocks: true });
  const locks = [mutex, fair, writer, rows, transactions];
  const spin = new SpinLock({ name: 'soak spin' });
  const queue = new LockFreeQueue<number>({ name: 'soak shared', capacity: 16 });
  const counter = new Int32Array(new SharedArrayBuffer(4));
  const thread = new WorkerPool<unknown, number>({ name: 'soak other side', file, max: 1 });
  let counted = 0;

  let inside = 0;
  const alone = async (): Promise<void> => {
    assert.equal(++inside, 1, 'two hold the mutex');
    try {
      await chance.pause();
      chance.fault(0.05);
    } finally {
      inside--;
    }
  };
  const beside = async (): Promise<void> => {
    await chance.pause();
    chance.fault(0.05);
  };
  const limits = (): { timeoutMs: number; signal: AbortSignal } => ({
    timeoutMs: 1 + chance.below(30),
    signal: chance.signal(0.1),
  });
  const lockSome = async (i: number): Promise<void> => {
    const key = `row ${chance.below(20)}`;
    if (i % 4 === 0) await mutex.use(alone, limits());
    else if (i % 4 === 1) await fair[chance.of(0.7) ? 'useRead' : 'useWrite'](beside, limits());
    else if (i % 4 === 2) await writer[chance.of(0.7) ? 'useRead' : 'useWrite'](beside, limits());
    else await rows[chance.of(0.5) ? 'useRead' : 'use'](key, beside, limits());
  };
  /** Two of a few rows in any order, as transactions do. */
  const transfer = async (): Promise<void> => {
    const session = transactions.session();
    const held = await session.lock(`row ${chance.below(4)}`, { timeoutMs: 50 });
    try {
      await chance.pause();
      const other = await session.lock(`other ${chance.below(2)}`, { timeoutMs: 50 });
      try {
        await chance.pause();
        const last = await session.lock(`row ${4 + chance.below(2)}`, { timeoutMs: 50 });
        last.release();
      } finally {
        other.release();
      }
    } finally {
      held.release();
    }
    if (chance.of(0.1)) held.release();
  };
  const crossed = async (): Promise<void> => {
    const [one, two] = [transactions.session(), transactions.session()];
    const [a, b] = [
      await one.lock('crossed a', { timeoutMs: 50 }),
      await two.lock('crossed b', { timeoutMs: 50 }),
    ];
    const waits = one.lock('crossed b', { timeoutMs: 50 }).then(
      handle => handle.release(),
      () => {},
    );
    try {
      (await two.lock('crossed a', { timeoutMs: 50 })).release();
    } finally {
      b.release();
      await waits;
      a.release();
    }
  };
  const acrossThreads = async (): Promise<void> => {
    const count = messages;
    const taken = thread.run(
      { shared: queue.shared, lock: spin.shared, counter, count },
      { handler: 'take' },
    );
    let sent = 0;
    for (let i = 0; i < count; i++) {
      const message = chance.below(1000);
      sent += message;
      if (!queue.tryEnqueue(message)) await queue.enqueue(message);
      if (i % 20 !== 0) continue;
      const held = await spin.lockAsync({ timeoutMs: 60_000 });
      counter[0]! += 1;
      counted++;
      held.release();
    }
    assert.equal(await taken, sent);
    counted += count;
  };

  return {
    tally,
    async round() {
      await Promise.all([
        crowd(100, i => tally.of(() => lockSome(i))),
        crowd(6, () => tally.of(transfer)),
        tally.of(crossed),
        tally.of(acrossThreads),
        tally.of(() => {
          if (chance.of(0.1)) throw new Fault('on purpose');
          // One that is dropped while it is held.
          return new Mutex({ name: `soak short ${chance.below(3)}` }).lock();
        }),
      ]);
    },
    check() {
      for (const lock of locks) assertLockLaws(lock.stats(), lock instanceof LockManager);
    },
    settled() {
      for (const lock of locks) {
        for (const { held, waiters } of Object.values(lock.stats().modes)) {
          assert.deepEqual([held, waiters], [0, 0], JSON.stringify(lock.stats()));
        }
      }
      assert.deepEqual([rows.size, transactions.size, queue.length, counter[0]], [0, 0, 0, counted]);
    },
    async close() {
      await thread.close();
      queue.close();
      for (const lock of locks) lock.close();
    },
  };
}
