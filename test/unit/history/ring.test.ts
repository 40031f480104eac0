import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SeriesName } from '../../../instrumentation/history/contract';
import { createHistoryRing } from '../../../instrumentation/history/ring';

const sample = (at: number, values: Record<SeriesName, number>) => ({
  at,
  names: Object.keys(values) as SeriesName[],
  values: Object.values(values),
});

test('samples come back by line, with nulls where a line had no value', () => {
  const ring = createHistoryRing();
  ring.add(sample(1000, { 'delay/p50': 1.5 }));
  ring.add(sample(3000, { 'delay/p50': 2, 'cpu/user': 40 }));
  ring.add(sample(5000, { 'cpu/user': 123_456_789 }));
  assert.deepEqual(ring.read(0), {
    intervalMs: 2000,
    last: 3,
    at: [1000, 3000, 5000],
    series: { 'delay/p50': [1.5, 2, null], 'cpu/user': [null, 40, 123_460_000] },
  });
});

test('only what came after a sample is given, and nothing to who has it all or more', () => {
  const ring = createHistoryRing();
  ring.add(sample(1000, { 'cpu/user': 1, 'delay/p50': 9 }));
  ring.add(sample(3000, { 'cpu/user': 2 }));
  const { at, series, last } = ring.read(1);
  assert.deepEqual([at, series, last], [[3000], { 'cpu/user': [2] }, 2]);
  for (const after of [2, 5000]) {
    const rest = ring.read(after);
    assert.deepEqual([rest.at, rest.series, rest.last], [[], {}, 2]);
  }
});

test('the last half hour is kept, and a line that ended before it is not', () => {
  const ring = createHistoryRing();
  ring.add(sample(0, { 'pools/closed': 1, 'cpu/user': 0 }));
  for (let i = 1; i <= 1000; i++) ring.add(sample(i * 2000, { 'cpu/user': i }));
  const { at, series, last } = ring.read(0);
  assert.equal(last, 1001);
  assert.deepEqual([at.length, at[0], at[899]], [900, 101 * 2000, 1000 * 2000]);
  assert.deepEqual(Object.keys(series), ['cpu/user']);
  assert.deepEqual([series['cpu/user']![0], series['cpu/user']![899]], [101, 1000]);
});

test('thousands of lines do not grow it, and those that ended make room', () => {
  const ring = createHistoryRing();
  const lines = (prefix: string, count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`pools/${prefix}${i}`, 1]));
  ring.add(sample(0, lines('old', 5000)));
  assert.equal(Object.keys(ring.read(0).series).length, 400);
  for (let i = 1; i <= 900; i++) ring.add(sample(i, {}));
  ring.add(sample(1000, lines('new', 5)));
  assert.deepEqual(Object.keys(ring.read(0).series), Object.keys(lines('new', 5)));
});
