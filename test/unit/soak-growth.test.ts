import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growthOf, type Sample } from '../soak/growth';

/** Thirty samples, one a second. */
const samples = (heap: (second: number) => number): Sample[] =>
  Array.from({ length: 30 }, (_, i) => ({ atMs: i * 1000, heap: heap(i), external: 5, resources: 2 }));

test('what grows to its size in the beginning and what is alive for a moment is no growth', () => {
  const { heap, external, resources } = growthOf(
    samples(second => 1e7 + Math.min(second, 9) * 1e5 + (second % 7 === 0 ? 3e6 : 0)),
  );
  assert.deepEqual([heap.from, heap.to], [10_900_000, 10_900_000]);
  assert.deepEqual([external.from, external.to, resources.from, resources.to], [5, 5, 2, 2]);
});

test('what grows a little all the time is, however it goes up and down', () => {
  const { heap } = growthOf(samples(second => 1e7 + second * 1e5 + (second % 2) * 5e5));
  assert.ok(Math.abs(heap.to - heap.from - 19e5) < 3e5, JSON.stringify(heap));
  assert.ok(heap.to - heap.from > heap.limit);
});
