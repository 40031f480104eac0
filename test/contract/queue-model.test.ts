import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type * as queueCore from '../../toolkit/lock/queue-core';
import type * as spinCore from '../../toolkit/lock/spin-core';
import { explore, type Forget, loadAsSteps, type Thread } from '../helpers/interleavings';

const core = join(__dirname, '../../toolkit/lock');
const q = loadAsSteps<typeof queueCore>(join(core, 'queue-core.ts'));
const s = loadAsSteps<typeof spinCore>(join(core, 'spin-core.ts'));

interface Shared {
  /** By the thread that received. */
  readonly got: Record<number, number[]>;
  refused: number;
}

const ring = { stride: 2, mask: 1 };

function setUp(start: number): Int32Array {
  const words = new Int32Array(q.headerWords + ring.stride * (ring.mask + 1));
  // It has no operation of Atomics, so it runs to its end.
  q.initialize(words, ring, start).next();
  return words;
}

/** What the threads of a case are made of. */
function programs(words: Int32Array, shared: Shared, waits: boolean, forget: Forget) {
  return {
    *send(thread: number, message: number): Thread {
      for (;;) {
        forget(thread, `send ${message}`);
        const place = yield* q.claimRoom(words, ring);
        if (place >= 0) {
          words[place + 1] = message;
          yield* q.publish(words, place);
          if (waits) yield* q.wakeSleepers(words, ring);
          return;
        }
        if (!waits) {
          shared.refused++;
          return;
        }
        yield* q.sleepForRoom(words, ring, Infinity);
      }
    },
    *receive(thread: number, task = 0): Thread {
      shared.got[thread] ??= [];
      for (;;) {
        forget(thread, `receive ${task}`);
        const place = yield* q.claimMessage(words, ring);
        if (place >= 0) {
          shared.got[thread].push(words[place + 1]!);
          words[place + 1] = -1;
          yield* q.recycle(words, ring, place);
          if (waits) yield* q.wakeSleepers(words, ring);
          return;
        }
        if (!waits) return;
        yield* q.sleepForMessage(words, ring, Infinity);
      }
    },
  };
}

function* oneAfterTheOther(...parts: Thread[]): Thread {
  for (const part of parts) yield* part;
}

/** Runs a thread alone. */
function runAlone(thread: Thread): void {
  let step = thread.next();
  while (!step.done) step = thread.next(Atomics as never);
}

/** What was received and what is left in the queue: each message once, and in the order of each producer. */
function checkMessages(shared: Shared, words: Int32Array, sent: number[]): void {
  const rest: Shared = { got: {}, refused: 0 };
  const { receive } = programs(words, rest, false, () => {});
  for (let before = -1; before !== (rest.got[9]?.length ?? 0); ) {
    before = rest.got[9]?.length ?? 0;
    runAlone(receive(9));
  }
  const all = [...Object.values(shared.got).flat(), ...rest.got[9]!];
  assert.equal(new Set(all).size, all.length, `a message came twice: ${all}`);
  assert.ok(
    all.every(message => sent.includes(message)),
    `a message that nobody sent: ${all}`,
  );
  assert.equal(all.length + shared.refused, sent.length, `lost: sent ${sent}, came ${all}`);
  assert.equal(words[q.sleepersWord], 0, 'somebody is announced who does not sleep');
  for (const got of Object.values(shared.got)) {
    for (const producer of [1, 2]) {
      const own = got.filter(message => Math.floor(message / 10) === producer);
      assert.deepEqual(own, [...own].sort(), `out of order: ${got}`);
    }
  }
}

for (const start of [0, 0x7fffffff, -1]) {
  test(`queue from ${start}: two producers and two consumers lose, double and mix up nothing, however they interleave`, () => {
    const { states, ends } = explore(
      forget => {
        const words = setUp(start);
        const shared: Shared = { got: {}, refused: 0 };
        const { send, receive } = programs(words, shared, false, forget);
        return { words, threads: [send(0, 10), send(1, 20), receive(2), receive(3)], shared };
      },
      (shared, words) => checkMessages(shared, words, [10, 20]),
    );
    assert.ok(states > 1000 && ends > 10, `${states} states, ${ends} ends`);
  });
}

test('queue: a full ring refuses, turns, and keeps the order', () => {
  explore(
    forget => {
      const words = setUp(-2);
      const shared: Shared = { got: {}, refused: 0 };
      const { send, receive } = programs(words, shared, false, forget);
      const producer = oneAfterTheOther(...[10, 11, 12].map(message => send(0, message)));
      const consumer = oneAfterTheOther(...[1, 2].map(task => receive(1, task)));
      return { words, threads: [producer, consumer, send(2, 20)], shared };
    },
    (shared, words) => checkMessages(shared, words, [10, 11, 12, 20]),
  );
});

test('queue: two consumers that sleep are both woken, whoever publishes first', () => {
  explore(
    forget => {
      const words = setUp(0);
      const shared: Shared = { got: {}, refused: 0 };
      const { send, receive } = programs(words, shared, true, forget);
      return { words, threads: [receive(0), receive(1), send(2, 10), send(3, 20)], shared };
    },
    (shared, words, asleep) => {
      assert.deepEqual(asleep, [], 'a consumer sleeps although its message is there');
      checkMessages(shared, words, [10, 20]);
    },
    [0, 1],
  );
});

test('queue: a consumer that goes to sleep misses no message that comes meanwhile', () => {
  explore(
    forget => {
      const words = setUp(0);
      const shared: Shared = { got: {}, refused: 0 };
      const { send, receive } = programs(words, shared, true, forget);
      const consumer = oneAfterTheOther(receive(0, 1), receive(0, 2));
      return { words, threads: [consumer, oneAfterTheOther(send(1, 10), send(1, 11))], shared };
    },
    (shared, words, asleep) => {
      assert.deepEqual(asleep, [], 'a consumer sleeps although its message is there');
      checkMessages(shared, words, [10, 11]);
    },
  );
});

test('queue: two producers that sleep in front of a full ring are both woken, whoever makes room first', () => {
  explore(
    forget => {
      const words = setUp(0);
      const shared: Shared = { got: {}, refused: 0 };
      const { send, receive } = programs(words, shared, true, forget);
      runAlone(send(9, 10));
      runAlone(send(9, 11));
      return { words, threads: [send(0, 12), send(1, 20), receive(2), receive(3)], shared };
    },
    (shared, words, asleep) => {
      assert.deepEqual(asleep, [], 'a producer sleeps although it has room');
      checkMessages(shared, words, [10, 11, 12, 20]);
    },
    [0, 1],
  );
});

test('queue: closing wakes everybody who sleeps', () => {
  explore(
    () => {
      const words = setUp(0);
      const sleepers = [0, 1].map(() => q.sleepForMessage(words, ring, Infinity));
      return { words, threads: [...sleepers, q.closeQueue(words)], shared: undefined };
    },
    (_shared, words, asleep) => assert.deepEqual([asleep, words[q.sleepersWord]], [[], 0]),
  );
});

test('spin lock: three threads exclude each other and none sleeps for ever, however they interleave', () => {
  const { states } = explore(
    forget => {
      const words = new Int32Array(8);
      const shared = { inside: 0, most: 0, entered: 0 };
      function* thread(who: number): Thread {
        let entered = yield* s.tryEnter(words);
        while (!entered) {
          forget(who, 'again');
          entered = yield* s.enterOrAnnounce(words);
          if (!entered) yield* s.sleepForLock(words, Infinity);
        }
        forget(who, 'inside');
        shared.most = Math.max(shared.most, ++shared.inside);
        shared.entered++;
        // The work inside: others may run meanwhile.
        yield;
        shared.inside--;
        yield* s.leave(words);
      }
      return { words, threads: [thread(0), thread(1), thread(2)], shared };
    },
    (shared, words, asleep) => {
      assert.deepEqual(asleep, [], 'a thread sleeps in front of a free lock');
      assert.deepEqual([shared.most, shared.entered, words[0]], [1, 3, 0]);
    },
  );
  assert.ok(states > 50, String(states));
});
