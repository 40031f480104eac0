import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { Source } from '../../../toolkit/sources';
import { liveSources, registerSource } from '../../../toolkit/sources';

const registryKey = Symbol.for('otel-vitals.sources');
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

function source(kind: string, name: string, layout = 1): Source<{ size: number }> {
  return { kind, name, layout, stats: () => ({ size: 1 }) };
}

function register(one: Source<{ size: number }>): () => void {
  const unregister = registerSource(one);
  cleanups.push(unregister);
  return unregister;
}

test('a registered source is live until it is unregistered, and unregistering twice does no harm', () => {
  const one = source('lock', 'stock');
  const unregister = register(one);
  assert.deepEqual(liveSources('lock'), [one]);
  unregister();
  unregister();
  assert.deepEqual(liveSources('lock'), []);
});

test('sources are selected by kind and by the layout a reader knows', () => {
  const old = register(source('cache', 'a', 1));
  register(source('cache', 'b', 2));
  register(source('lock', 'c', 1));
  assert.deepEqual(
    liveSources('cache').map(({ name }) => name),
    ['a', 'b'],
  );
  assert.deepEqual(
    liveSources('cache', 1).map(({ name }) => name),
    ['a'],
  );
  old();
  assert.deepEqual(liveSources('cache', 1), []);
});

test('two sources of one kind and name are both live', () => {
  register(source('cache', 'products'));
  register(source('cache', 'products'));
  assert.equal(liveSources('cache').length, 2);
});

test('another copy of the package finds the same sources', () => {
  const path = require.resolve('../../../toolkit/sources');
  delete require.cache[path];
  const copy = require('../../../toolkit/sources') as typeof import('../../../toolkit/sources');
  assert.notEqual(copy.registerSource, registerSource);
  const one = source('channel', 'orders');
  register(one);
  assert.deepEqual(copy.liveSources('channel'), [one]);
});

test('the registry cannot be replaced and does not show among the globals', () => {
  register(source('lock', 'stock'));
  assert.equal(Object.getOwnPropertyDescriptor(globalThis, registryKey)?.writable, false);
  assert.ok(!Reflect.ownKeys({ ...globalThis }).includes(registryKey));
});
