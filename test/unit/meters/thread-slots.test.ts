import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  freeSlot,
  inheritedSlots,
  openSlots,
  readSlots,
  slotCount,
  staleMs,
  takeSlot,
  writeSlot,
} from '../../../instrumentation/meters/thread-slots';

const report = (threadId: number) => ({ threadId, heapUsed: 1000 + threadId, utilization: 0.5 });

test('what a thread writes is read with its name, and not before it wrote', () => {
  const memory = openSlots();
  const slot = takeSlot(memory, 7, 'résumé');
  assert.deepEqual(readSlots(memory), []);
  writeSlot(memory, slot!, report(7));
  assert.deepEqual(readSlots(memory), [
    { slot, threadId: 7, name: 'résumé', heapUsed: 1007, utilization: 0.5, stale: false },
  ]);
  assert.equal(inheritedSlots(), memory);
});

test('a name that is too long is cut between characters', () => {
  const memory = openSlots();
  writeSlot(memory, takeSlot(memory, 1, '€'.repeat(60))!, report(1));
  assert.equal(readSlots(memory)[0]!.name, '€'.repeat(21));
});

test('there is a slot for so many threads and no more, and one that was freed is taken again', () => {
  const memory = openSlots();
  for (let id = 1; id <= slotCount; id++) writeSlot(memory, takeSlot(memory, id, '')!, report(id));
  assert.equal(readSlots(memory).length, slotCount);
  assert.equal(takeSlot(memory, 1000, ''), undefined);
  freeSlot(memory, 5);
  assert.equal(readSlots(memory).length, slotCount - 1);
  assert.equal(takeSlot(memory, 1001, ''), 4);
});

test('a thread that computes keeps its slot while there is a free one, and loses it then without harm', () => {
  const memory = openSlots();
  for (let id = 1; id <= slotCount - 1; id++) writeSlot(memory, takeSlot(memory, id, '')!, report(id));
  const later = Date.now() + staleMs;
  assert.equal(readSlots(memory, later)[0]!.stale, true);
  assert.equal(takeSlot(memory, 500, '', later), slotCount - 1);
  assert.equal(takeSlot(memory, 501, 'new', later), 0);
  writeSlot(memory, 0, report(1));
  assert.ok(!readSlots(memory, later).some(({ threadId }) => threadId === 1 || threadId === 501));
  writeSlot(memory, 0, report(501));
  assert.equal(readSlots(memory)[0]!.name, 'new');
});

test('a slot whose thread died before it wrote is given away in the end', () => {
  const memory = openSlots();
  for (let id = 1; id <= slotCount; id++) takeSlot(memory, id, '');
  assert.equal(takeSlot(memory, 500, ''), undefined);
  assert.equal(takeSlot(memory, 500, '', Date.now() + staleMs), 0);
});
