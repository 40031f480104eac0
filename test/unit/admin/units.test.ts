import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, digits, inUnit, ofProfile, span } from '../../../instrumentation/admin/units';

test('spans of time are said in the two units that matter', () => {
  assert.equal(span(59), '59 s');
  assert.equal(span(119.9), '1 min 59 s');
  assert.equal(span(3600), '1 h 0 min');
  assert.equal(span(49 * 3600), '2 d 1 h');
});

test('amounts have as many digits as say something', () => {
  assert.equal(bytes(1023), '1,023 B');
  assert.equal(bytes(1.5 * 2 ** 30), '1.5 GiB');
  assert.equal(digits(0.00123), '0.001');
  assert.equal(digits(0.126), '0.13');
  assert.equal(digits(1234.5), '1,235');
  assert.equal(inUnit(12.34, 'ms'), '12.3 ms');
  assert.equal(inUnit(3, 'count'), '3');
  assert.equal(ofProfile(2.5e9, 'nanoseconds'), '2.5 s');
  assert.equal(ofProfile(-1536, 'bytes'), '-1.5 KiB');
});
