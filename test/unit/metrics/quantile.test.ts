import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quantileOf } from '../../../instrumentation/metrics/quantile';

test('a quantile lies within its bucket, by the rank', () => {
  const bounds = [1, 2, 4];
  assert.equal(quantileOf(bounds, [0, 10, 0, 0], 0.5), 1.5);
  assert.equal(quantileOf(bounds, [10, 0, 0, 0], 0.5), 0.5);
  assert.equal(quantileOf(bounds, [5, 0, 5, 0], 0.75), 3);
  assert.equal(quantileOf(bounds, [5, 0, 5, 0], 0.5), 1);
});

test('past the last bound a quantile is that bound, and of nothing there is none', () => {
  assert.equal(quantileOf([1, 2], [0, 0, 3], 0.5), 2);
  assert.equal(quantileOf([1, 2], [0, 0, 0], 0.5), undefined);
  assert.equal(quantileOf([], [], 0.5), undefined);
});
