import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createServerState } from '../../../exporters/pyroscope/server-state';

function observed() {
  const warnings: string[] = [];
  const state = createServerState('http://p', { warn: line => warnings.push(line), debug: () => {} });
  return { state, warnings };
}

test('a server that goes and comes back is two warnings, however many profiles are lost', () => {
  const { state, warnings } = observed();
  state.succeeded('wall');
  for (let i = 0; i < 3; i++) {
    state.failed('wall', new Error('gone'));
    state.failed('heap', new Error('gone'));
  }
  state.succeeded('heap');
  state.succeeded('wall');
  state.succeeded('heap');
  assert.deepEqual(warnings, [
    'Pyroscope at http://p did not get a wall profile: gone; the application runs on, and profiles are lost until it does',
    'Pyroscope at http://p takes profiles again; 6 were lost',
  ]);
  assert.deepEqual(state.stats, {
    uploads: { wall: 2, heap: 2 },
    failures: { wall: 3, heap: 3 },
    lastError: 'gone',
  });
});

test('a server that takes only one kind is one warning, not one for each window', () => {
  const { state, warnings } = observed();
  for (let i = 0; i < 5; i++) {
    state.failed('wall', new Error('too large'));
    state.succeeded('heap');
  }
  assert.equal(warnings.length, 1);
});

test('each outage is said anew, with its own number of losses', () => {
  const { state, warnings } = observed();
  for (let i = 0; i < 2; i++) {
    state.failed('wall', new Error('gone'));
    state.succeeded('wall');
  }
  assert.equal(warnings.length, 4);
  assert.equal(warnings[3], 'Pyroscope at http://p takes profiles again; 1 was lost');
});

test('a loss at the end does not announce that the application runs on', () => {
  const { state, warnings } = observed();
  state.end();
  state.failed('heap', new Error('cut off'));
  assert.deepEqual(warnings, ['Pyroscope at http://p did not get a heap profile: cut off']);
});
