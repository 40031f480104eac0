import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { WaiterCount, waitersAt } from '../../../toolkit/lock/waiter-count';

function clock(t: TestContext, start: number): { now: number } {
  const time = { now: start };
  t.mock.method(process, 'hrtime', () => [time.now, 0]);
  return time;
}

test('who renews is counted for ever, and who does not for the second of it and the next', t => {
  // The clock's seconds run over in between.
  const time = clock(t, 2 ** 23 - 3);
  const words = new Int32Array(new SharedArrayBuffer(16));
  const [alive, gone] = [new WaiterCount(words, 2), new WaiterCount(words, 2)];
  alive.add(2);
  gone.add(3);
  const seen: number[] = [];
  for (let i = 0; i < 8; i++) {
    seen.push(waitersAt(words, 2));
    time.now++;
    if (i < 5) alive.renew();
  }
  assert.deepEqual(seen, [5, 5, 2, 2, 2, 2, 2, 0]);
  assert.deepEqual([...words.subarray(0, 2)], [0, 0]);
  gone.add(-3);
  alive.add(-2);
  assert.equal(waitersAt(words, 2), 0);
});

test('the count is the sum of what waits by threads that renew in time, whatever they do', t => {
  const time = clock(t, 1000);
  const step = fc.record({ who: fc.nat(2), change: fc.integer({ min: -3, max: 3 }), passes: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), steps => {
      const words = new Int32Array(new SharedArrayBuffer(8));
      const counts = [0, 1, 2].map(() => new WaiterCount(words, 0));
      const model = [0, 0, 0];
      for (const { who, change, passes } of steps) {
        const by = Math.max(change, -model[who]!);
        model[who]! += by;
        counts[who]!.add(by);
        if (passes) {
          time.now++;
          // In any order, and some a second ahead of others.
          for (const one of counts) one.renew();
        }
        assert.equal(waitersAt(words, 0), model[0]! + model[1]! + model[2]!);
      }
    }),
  );
});

test('a thread whose clock was read earlier adds to the second of the one that was later', t => {
  const time = clock(t, 50);
  const words = new Int32Array(new SharedArrayBuffer(8));
  const [early, late] = [new WaiterCount(words, 0), new WaiterCount(words, 0)];
  time.now = 51;
  late.add(1);
  time.now = 50;
  early.add(1);
  assert.equal(waitersAt(words, 0), 2);
  early.add(-1);
  late.add(-1);
  assert.equal(waitersAt(words, 0), 0);
});
