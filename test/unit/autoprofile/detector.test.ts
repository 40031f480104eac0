import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createDetector, median } from '../../../instrumentation/autoprofile/detector';

/** Indices of the readings at which it fires. */
function firings(
  thresholds: { min: number; rise: number; max: number },
  values: readonly number[],
): number[] {
  const detector = createDetector(thresholds);
  return values.flatMap((value, i) => (detector.observe(value) === undefined ? [] : [i]));
}
const times = (count: number, value: number): number[] => new Array<number>(count).fill(value);

test('a rise over the usual fires once, at the second reading in a row, however long it stays', () => {
  assert.deepEqual(firings({ min: 10, rise: 50, max: 0 }, [...times(20, 40), ...times(100, 80)]), [21]);
});

test('a firing says what was usual, what the value had to reach, and what came before', () => {
  const detector = createDetector({ min: 10, rise: 50, max: 0 });
  for (const value of times(8, 40)) detector.observe(value);
  detector.observe(70);
  assert.deepEqual(detector.observe(90), {
    value: 90,
    usual: 40,
    threshold: 60,
    recent: [...times(8, 40), 70, 90],
  });
});

test('one reading over the threshold is chance', () => {
  const spikes = [40, 40, 40, 40, 40, 40, 40, 90, 40, 40, 95, 40, 40, 99, 40];
  assert.deepEqual(firings({ min: 10, rise: 50, max: 0 }, spikes), []);
});

test('a rise below the minimum is nothing, however large', () => {
  assert.deepEqual(firings({ min: 50, rise: 50, max: 0 }, [...times(20, 1), ...times(20, 49)]), []);
});

test('the maximum fires whatever is usual, and before anything is', () => {
  assert.deepEqual(firings({ min: 0, rise: 1000, max: 30 }, [31, 32, 33]), [1]);
  assert.deepEqual(firings({ min: 0, rise: 1000, max: 0 }, [31, 32, 33]), []);
});

test('a level that moves about its threshold fires once; it fires again after it was well below', () => {
  const thresholds = { min: 0, rise: 1000, max: 100 };
  assert.deepEqual(firings(thresholds, [101, 102, 99, 101, 102, 95, 101, 103, 91, 104, 105]), [1]);
  assert.deepEqual(firings(thresholds, [101, 102, 80, 101, 102]), [1, 4]);
});

test('a level that stays high becomes the usual one', () => {
  const rises = [...times(20, 40), ...times(60, 80), ...times(20, 100), ...times(20, 130)];
  assert.deepEqual(firings({ min: 10, rise: 50, max: 0 }, rises), [21, 101]);
});

test('readings of the warm-up teach what is usual and do not fire', () => {
  const detector = createDetector({ min: 10, rise: 50, max: 100 });
  for (const value of [200, 200, 200, ...times(10, 40)]) detector.learn(value);
  assert.equal(detector.observe(50), undefined);
  assert.equal(detector.observe(70), undefined);
  assert.equal(detector.observe(70)?.usual, 40);
});

test('a gap in the readings begins the count anew', () => {
  const detector = createDetector({ min: 0, rise: 1000, max: 30 });
  assert.equal(detector.observe(40), undefined);
  assert.equal(detector.observe(undefined), undefined);
  assert.equal(detector.observe(40), undefined);
  assert.equal(detector.observe(40)?.value, 40);
});

test('a level that stays within a fifth of its usual one never fires', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1, max: 1e4, noNaN: true }),
      fc.array(fc.double({ min: 0.8, max: 1.19, noNaN: true }), { minLength: 50, maxLength: 300 }),
      (level, noise) => {
        const values = noise.map(share => level * share);
        assert.deepEqual(firings({ min: 0, rise: 50, max: 0 }, values), []);
      },
    ),
  );
});

test('the median is the middle, or the mean of the two in the middle', () => {
  assert.deepEqual([median([3, 1, 2]), median([4, 1, 2, 3]), median([7])], [2, 2.5, 7]);
});
