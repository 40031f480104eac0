import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTimeline } from '../../../instrumentation/admin/page/timeline';

const piece = (last: number, at: number[], series: Record<string, (number | null)[]>) => ({
  intervalMs: 2000,
  last,
  at,
  series,
});

test('pieces are put together, with gaps where a line is not in one', () => {
  const timeline = createTimeline();
  timeline.add(piece(2, [1000, 3000], { 'cpu/user': [1, 2], 'unknown/x': [1, 1] }));
  timeline.add(piece(3, [5000], { 'cpu/system': [9] }));
  timeline.add(piece(4, [7000], { 'cpu/user': [4], 'cpu/system': [8] }));
  assert.equal(timeline.last, 4);
  assert.deepEqual(timeline.at, [1, 3, 5, 7]);
  assert.deepEqual(Object.fromEntries(timeline.lines('cpu')), {
    user: [1, 2, null, 4],
    system: [null, null, 9, 8],
  });
});

test('what is older than half an hour goes, and lines with it', () => {
  const timeline = createTimeline();
  timeline.add(piece(1, [0], { 'pools/old': [1] }));
  const many = Array.from({ length: 900 }, (_, i) => i);
  timeline.add(piece(901, many, { 'pools/new': many }));
  assert.equal(timeline.at.length, 900);
  assert.deepEqual([...timeline.lines('pools').keys()], ['new']);
  assert.deepEqual(timeline.lines('pools').get('new'), many);
});

test('a server that begins anew begins a new timeline', () => {
  const timeline = createTimeline();
  timeline.add(piece(50, [1000], { 'cpu/user': [1] }));
  timeline.add(piece(1, [9000], { 'cpu/user': [5] }));
  assert.deepEqual([timeline.at, timeline.lines('cpu').get('user')], [[9], [5]]);
});
