import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FixedHistogram } from '../../../toolkit/histogram';

test('a value on a bound belongs to the bucket below it, and one past the last bound to the last bucket', () => {
  const histogram = new FixedHistogram([1, 10]);
  for (const value of [0, 1, 1.5, 10, 11, 1e9]) histogram.record(value);
  assert.deepEqual(histogram.snapshot(), { bounds: [1, 10], counts: [2, 2, 2], count: 6, sum: 1e9 + 23.5 });
});

test('every recorded value is counted once', () => {
  fc.assert(
    fc.property(fc.array(fc.float({ noNaN: true })), values => {
      const histogram = new FixedHistogram([-1, 0, 1, 1000]);
      for (const value of values) histogram.record(value);
      const { counts, count } = histogram.snapshot();
      assert.equal(count, values.length);
      assert.equal(counts[1], values.filter(value => value > -1 && value <= 0).length);
    }),
  );
});

test('a snapshot does not change when more is recorded', () => {
  const histogram = new FixedHistogram([1]);
  const before = histogram.snapshot();
  histogram.record(0);
  assert.equal(before.count, 0);
  assert.deepEqual(before.counts, [0, 0]);
});
