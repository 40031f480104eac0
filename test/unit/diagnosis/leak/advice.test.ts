import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suggestionsFor } from '../../../../instrumentation/diagnosis/leak/advice';
import type { GrowingSite } from '../../../../instrumentation/diagnosis/leak/sites';
import { sitesOf } from '../../../../instrumentation/diagnosis/leak/sites';
import type { MemorySnapshot } from '../../../../instrumentation/diagnosis/leak/snapshot';

const mib = 2 ** 20;
const memory = (nativeMib: number, workersMib: number): MemorySnapshot =>
  ({ nativeBytes: nativeMib * mib, workerHeapBytes: workersMib * mib, resources: {} }) as MemorySnapshot;
const native = (from: MemorySnapshot, to: MemorySnapshot): string =>
  suggestionsFor('native', { sites: undefined, from, to }).join(' ');

test('native memory that the heaps of worker threads took is said to be theirs', () => {
  assert.match(
    native(memory(40, 10), memory(140, 90)),
    /^The heaps of worker threads grew by 80 MiB meanwhile/,
  );
});

test('heaps of worker threads that did not grow, or by little of it, are not spoken of', () => {
  for (const [from, to] of [
    [memory(40, 0), memory(140, 0)],
    [memory(40, 10), memory(140, 30)],
    // Native memory may have come down since the first snapshot, and grown in the window that is judged.
    [memory(40, 0), memory(30, 0)],
    [memory(40, 20), memory(30, 19)],
  ] as const) {
    assert.doesNotMatch(native(from, to), /worker threads/);
  }
});

const site = (addsListeners: boolean): GrowingSite => ({
  name: 'subscribe',
  file: '/srv/app.js',
  line: 3,
  addedBytes: mib,
  liveBytes: mib,
  stack: ['subscribe /srv/app.js:3'],
  addsListeners,
});

test('a place that also adds listeners is advised on with what ends them', () => {
  const advice = (addsListeners: boolean): string =>
    suggestionsFor('heap', { sites: [site(addsListeners)], from: undefined, to: undefined }).join(' ');
  assert.match(advice(true), /Listeners are added and stay/);
  assert.doesNotMatch(advice(false), /Listeners/);
});

test('a place adds listeners where any of its stacks goes through one of Node.js that does', () => {
  const node = (name: string, scriptName: string, bytes: number, children: object[] = []) => ({
    name,
    scriptName,
    lineNumber: 1,
    allocations: bytes === 0 ? [] : [{ count: 1, sizeBytes: bytes }],
    children,
  });
  const root = (callee: string, script: string) =>
    node('(root)', '', 0, [node('subscribe', '/srv/app.js', 100, [node(callee, script, 10)])]);
  const listens = (callee: string, script: string): boolean =>
    [...sitesOf(root(callee, script) as unknown as Parameters<typeof sitesOf>[0]).values()][0]!.addsListeners;
  assert.equal(listens('_addListener', 'node:events'), true);
  assert.equal(listens('parse', 'node:url'), false);
});
