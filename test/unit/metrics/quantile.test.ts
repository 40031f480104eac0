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

test('the extremes of what was measured bound a quantile, past the last bound too', () => {
  const bounds = [0.25, 0.5, 1, 2.5];
  for (const q of [0.5, 0.99])
    assert.equal(quantileOf(bounds, [0, 0, 0, 1, 0], q, { min: 1.3, max: 1.3 }), 1.3);
  assert.equal(quantileOf(bounds, [0, 20, 0, 0, 0], 0.99, { min: 0.4, max: 0.4 }), 0.4);
  assert.equal(quantileOf(bounds, [0, 10, 0, 0, 10], 1, { min: 0.3, max: 7 }), 7);
  assert.equal(quantileOf(bounds, [0, 10, 0, 0, 10], 0.25, { min: 0.3, max: 7 }), 0.4);
});
