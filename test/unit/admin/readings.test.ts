import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loneSamples, reading } from '../../../instrumentation/admin/page/readings';

const at = [100, 102, 104, 106];

test('a line reads as its newest value', () => {
  assert.equal(reading([4.3, 10, 20, 35.6], at, null, 'percent'), '35.6 %');
  assert.equal(reading([0, 0, 0, 0], at, null, 'count'), '0');
});

test('a newest value that is not of the newest sample says how old it is', () => {
  assert.equal(reading([null, 250, null, null], at, null, 'ms'), '250 ms, 4 s ago');
});

test('below the cursor a line reads as it was there, with nothing in a gap', () => {
  assert.equal(reading([4.3, 10, null, 35.6], at, 1, 'percent'), '10 %');
  assert.equal(reading([4.3, 10, null, 35.6], at, 2, 'percent'), '–');
  assert.equal(reading([4.3], at, 3, 'percent'), '–');
});

test('a line without a value reads as nothing', () => {
  assert.equal(reading([null, null, null, null], at, null, 'ms'), '–');
  assert.equal(reading([], [], null, 'ms'), '–');
});

test('samples that no line leads to are found, those at the ends too', () => {
  assert.deepEqual(loneSamples([1, null, 2, 3, null, 0, null, null, 4]), [0, 5, 8]);
  assert.deepEqual(loneSamples([null, 1, 2]), []);
  assert.deepEqual(loneSamples([7]), [0]);
  assert.deepEqual(loneSamples([]), []);
});
