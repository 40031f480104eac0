import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type * as spinCore from '../../toolkit/lock/spin-core';
import { explore, loadAsSteps, type Thread } from '../helpers/interleavings';
import { runAlone } from '../helpers/queue-model';

const s = loadAsSteps<typeof spinCore>(join(__dirname, '../../toolkit/lock/spin-core.ts'));

test('three threads exclude each other and none sleeps for ever, however they interleave', () => {
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

test('a thread that is terminated when it was woken leaves the lock to another, which sleeps', () => {
  explore(
    forget => {
      const words = new Int32Array(8);
      const shared = { entered: [] as number[] };
      function* thread(who: number): Thread {
        let entered = yield* s.tryEnter(words);
        while (!entered) {
          forget(who, 'again');
          entered = yield* s.enterOrAnnounce(words);
          if (!entered) yield* s.sleepForLock(words, 100);
        }
        forget(who, 'inside');
        shared.entered.push(who);
        yield* s.leave(words);
      }
      runAlone(s.tryEnter(words));
      return { words, threads: [thread(0), thread(1), s.leave(words)], shared };
    },
    (shared, words, asleep) => {
      assert.deepEqual([words[0], asleep], [0, []], 'a thread sleeps in front of a free lock');
      assert.ok(shared.entered.includes(1));
    },
    [0, 1],
    [0],
  );
});
