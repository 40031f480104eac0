import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGcActor } from '../../../../instrumentation/diagnosis/gc/act';
import { gcStats, pauses } from '../../../helpers/gc-stats';

const mib = 2 ** 20;

function setUp() {
  const applied: number[] = [];
  const said: string[] = [];
  const actor = createGcActor({
    fraction: 0.05,
    pauseMs: 100,
    factor: 0.5,
    apply: percent => applied.push(percent),
    onAdjusted: (adjustment, percent) => said.push(`${adjustment} ${percent}`),
  });
  return { actor, applied, said };
}
const costing = (majorFraction: number, more: Parameters<typeof gcStats>[0] = {}) =>
  gcStats({ majorFraction, ...more });

test('a step is kept when collections cost less for as much allocation, and the next one is tried', () => {
  const { actor, applied, said } = setUp();
  actor.step(costing(0.2));
  actor.step(costing(0.17) /* half of it before the change */);
  actor.step(costing(0.12));
  actor.step(costing(0.12));
  assert.deepEqual(said, ['raised 50', 'kept 50', 'raised 75']);
  assert.deepEqual(applied, [50, 75]);
});

test('more allocation in a window that costs more is no loss', () => {
  const { actor, said } = setUp();
  actor.step(costing(0.2));
  actor.step(costing(0.2));
  actor.step(costing(0.25, { allocationBytesPerSecond: 80 * mib }));
  assert.deepEqual(said, ['raised 50', 'kept 50']);
});

test('a step of no use is taken back, and nothing is tried for thirty windows', () => {
  const { actor, applied, said } = setUp();
  for (let i = 0; i < 33; i++) actor.step(costing(0.2));
  assert.deepEqual(said, ['raised 50', 'reverted 0']);
  assert.deepEqual(applied, [50, 0]);
  actor.step(costing(0.2));
  assert.equal(said.at(-1), 'raised 50');
});

test('a step that makes pauses longer than is aimed at is taken back', () => {
  const { actor, said } = setUp();
  const kinds = { ...gcStats().kinds, major: pauses({ p99Ms: 150 }) };
  actor.step(costing(0.2));
  actor.step(costing(0.2));
  actor.step(costing(0.05, { kinds }));
  assert.deepEqual(said, ['raised 50', 'reverted 0']);
});

test('the first step goes from what V8 lets the heap grow by itself', () => {
  const { actor, said } = setUp();
  // 100 MiB are promoted from one collection to the next, beside 50 that live.
  actor.step(costing(0.2, { promotionBytesPerSecond: 10 * mib }));
  assert.deepEqual(said, ['raised 300']);
});

test('it goes no further than 400 percent', () => {
  const { actor, applied } = setUp();
  let fraction = 0.9;
  for (let i = 0; i < 60; i++) {
    actor.step(costing(fraction));
    fraction = Math.max(0.06, fraction * 0.8);
  }
  assert.ok(Math.max(...applied) <= 400, String(applied));
});

test('nothing is tried where collections cost little, the room is small, V8 goes further, or allocation is not known', () => {
  for (const stats of [
    costing(0.03),
    costing(0.3, { liveBytes: 1000 * mib }),
    costing(0.3, { roomBytes: 30 * mib, liveBytes: 100 * mib, heapUsedBytes: 100 * mib }),
    costing(0.3, { promotionBytesPerSecond: 40 * mib }),
    costing(0.3, { allocationBytesPerSecond: undefined }),
  ]) {
    const { actor, applied } = setUp();
    for (let i = 0; i < 5; i++) actor.step(stats);
    assert.deepEqual(applied, []);
  }
});

test("V8's own setting comes back when the live heap outgrows the bounds, and at the end", () => {
  const { actor, applied, said } = setUp();
  const keep = (): void => {
    actor.step(costing(0.2));
    actor.step(costing(0.2));
    actor.step(costing(0.1));
  };
  keep();
  actor.step(costing(0.01, { liveBytes: 1000 * mib }));
  assert.deepEqual(said, ['raised 50', 'kept 50', 'restored 0']);
  assert.equal(actor.percent, 0);
  const other = setUp();
  other.actor.restore();
  assert.deepEqual(other.applied, [], 'there was nothing to put back');
  actor.restore();
  assert.deepEqual(applied, [50, 0]);
});

test('the setting that is left to the end is put back then', () => {
  const { actor, applied } = setUp();
  actor.step(costing(0.2));
  actor.restore();
  assert.deepEqual(applied, [50, 0]);
});
