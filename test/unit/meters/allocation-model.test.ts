import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAllocationModel, movesSeen } from '../../../instrumentation/meters/allocation-model';
import type { HeapUse } from '../../../instrumentation/meters/heap-use';

const capacity = 16_000_000;
const heap = (young: number, old: number): HeapUse => ({
  total: young + old,
  young,
  old,
  youngCapacity: capacity,
});
/** One collection as V8 reports it. */
const collection = (gcType: string, from: HeapUse, to: HeapUse) => ({
  gcType,
  beforeGC: { heapSpaceStatistics: spaces(from) },
  afterGC: { heapSpaceStatistics: spaces(to) },
});
const spaces = ({ young, old }: HeapUse) => [
  { spaceName: 'new_space', spaceUsedSize: young, spaceAvailableSize: capacity - young },
  { spaceName: 'old_space', spaceUsedSize: old, spaceAvailableSize: 0 },
];

test('a span that was looked at gives what was allocated, promoted and freed to the byte', () => {
  const moves = movesSeen(
    heap(1000, 5000),
    [
      collection('Scavenge', heap(9000, 5000), heap(500, 5300)),
      collection('IncrementalMarking', heap(600, 5300), heap(600, 5300)),
      collection('MarkSweepCompact', heap(2500, 5300), heap(0, 4000)),
    ],
    heap(700, 4000),
  );
  assert.deepEqual(moves, {
    allocated: 8000 + 2000 + 700,
    promoted: 300,
    freed: { minor: 8200, major: 3800 },
  });
});

test('what a major collection sweeps after it has ended is freed by it', () => {
  const moves = movesSeen(
    heap(0, 9000),
    [
      collection('MarkSweepCompact', heap(0, 9000), heap(0, 8000)),
      collection('Scavenge', heap(0, 5000), heap(0, 5000)),
    ],
    heap(0, 4500),
  );
  assert.deepEqual(moves, { allocated: 0, promoted: 0, freed: { minor: 0, major: 1000 + 3000 + 500 } });
});

/** A model that has seen scavenges at 90 % that leave 100 kB there, and 200 kB allocated after each. */
function taught() {
  const model = createAllocationModel();
  for (let i = 0; i < 40; i++) {
    model.learn([collection('Scavenge', heap(0.9 * capacity, 1e7), heap(1e5, 1e7))], heap(3e5, 1e7));
  }
  return model;
}

test('garbage that dies young is told by the number of scavenges', () => {
  const { allocated, promoted, freed } = taught().movesUnseen(
    heap(3e5, 1e7),
    { minor: 10, major: 0 },
    heap(3e5, 1e7),
  );
  assert.equal(promoted, 0);
  assert.ok(Math.abs(allocated - 10 * (0.9 * capacity - 1e5)) < 1e5, String(allocated));
  assert.deepEqual(freed, { minor: allocated, major: 0 });
});

test('what is kept is not taken for freed', () => {
  // All that was allocated is there: promoted, or left by the last scavenge.
  const model = taught();
  const before = heap(2e5, 1e7);
  const first = model.movesUnseen(before, { minor: 1, major: 0 }, heap(0.9 * capacity + 2e5, 1e7));
  assert.ok(Math.abs(first.allocated - 0.9 * capacity) < 4e5, JSON.stringify(first));
  const after = heap(2e5, 1e7 + 0.9 * capacity);
  const second = model.movesUnseen(heap(0.9 * capacity + 2e5, 1e7), { minor: 1, major: 0 }, after);
  assert.equal(second.promoted, 0.9 * capacity);
  assert.ok(second.allocated < 1e6, JSON.stringify(second));
});

test('without any collection the growth of the heap was allocated, and what shrank it was freed', () => {
  const model = createAllocationModel();
  assert.equal(model.movesUnseen(heap(0, 100), { minor: 0, major: 0 }, heap(50, 100)).allocated, 50);
  const { allocated, freed } = model.movesUnseen(heap(50, 1000), { minor: 0, major: 1 }, heap(0, 400));
  assert.deepEqual([allocated, freed], [0, { minor: 0, major: 650 }]);
});

test('what is allocated and not freed is what the heap grew by, whatever came between', () => {
  const model = taught();
  for (const [minor, major] of [
    [0, 0],
    [1, 0],
    [7, 0],
    [3, 1],
    [0, 2],
  ] as const) {
    for (const [before, after] of [
      [heap(1e6, 1e7), heap(5e6, 3e7)],
      [heap(9e6, 5e7), heap(1e5, 2e7)],
      [heap(0, 0), heap(0, 0)],
    ] as const) {
      const { allocated, promoted, freed } = model.movesUnseen(before, { minor, major }, after);
      assert.ok(Math.abs(allocated - freed.minor - freed.major - (after.total - before.total)) < 1e-3);
      for (const value of [allocated, promoted, freed.minor, freed.major])
        assert.ok(value >= 0, String(value));
      if (major === 0) assert.equal(freed.major, 0);
    }
  }
});
