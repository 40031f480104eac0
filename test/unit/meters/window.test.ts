import assert from 'node:assert/strict';
import { test } from 'node:test';
import { windowed } from '../../../instrumentation/meters/window';

test('a window spans one to two ticks, and reading it moves nothing', () => {
  let total = 0;
  const window = windowed(() => total);
  total = 5;
  assert.deepEqual(window.span(), { from: 0, to: 5 });
  window.advance();
  total = 8;
  for (const reader of ['first', 'second', 'first']) {
    assert.deepEqual(window.span(), { from: 0, to: 8 }, reader);
  }
  window.advance();
  total = 20;
  assert.deepEqual(window.span(), { from: 5, to: 20 });
});
