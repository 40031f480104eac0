import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuCost, createGate } from '../../../instrumentation/autoprofile/gate';
import { type RuleName, ruleNames } from '../../../instrumentation/names';

const minute = 60_000;

function gateAt(
  options: { warmupMs?: number; cooldownMs?: number; relatedMs?: number; budget?: number } = {},
) {
  const clock = { now: 5000 };
  const gate = createGate({
    warmupMs: minute,
    cooldownMs: 10 * minute,
    relatedMs: 0,
    budget: 6,
    ...options,
    now: () => clock.now,
  });
  return { gate, clock };
}

test('nothing is warm until the warm-up is over', () => {
  const { gate, clock } = gateAt();
  assert.equal(gate.warm, false);
  clock.now += minute - 1;
  assert.equal(gate.warm, false);
  clock.now += 1;
  assert.equal(gate.warm, true);
  assert.equal(gateAt({ warmupMs: 0 }).gate.warm, true);
});

test('a rule that fired is refused until its cooldown is over, and the others are not', () => {
  const { gate, clock } = gateAt();
  assert.equal(gate.ask('cpu', 1, 'heap'), undefined);
  gate.cool('cpu');
  clock.now += 10 * minute - 1;
  assert.deepEqual([gate.ask('cpu', 1, 'heap'), gate.ask('heap', 1, 'heap')], ['cooldown', undefined]);
  clock.now += 1;
  assert.equal(gate.ask('cpu', 1, 'heap'), undefined);
});

test('the budget is that of any hour, whatever the rules', () => {
  const { gate, clock } = gateAt();
  for (let i = 0; i < 6; i++) {
    assert.equal(gate.ask('cpu', 1, 'heap'), undefined);
    gate.spend('cpu', 1, ['heap']);
    clock.now += minute;
  }
  assert.equal(gate.ask('heap', 1, 'heap'), 'budget');
  clock.now += 54 * minute - 1;
  assert.equal(gate.ask('heap', 1, 'heap'), 'budget');
  clock.now += 1;
  assert.deepEqual([gate.ask('heap', 1, 'heap'), gate.ask('heap', 2, 'heap')], [undefined, 'budget']);
});

test('a CPU profile costs the more the larger the heap is that V8 walks for it', () => {
  const costs = [0, 50, 113, 114, 670, 4096].map(mib => cpuCost(mib * 2 ** 20));
  assert.deepEqual(costs, [1, 1, 1, 2, 6, 37]);
});

test('a capture of a kind shows what another rule would take soon after', () => {
  const { gate, clock } = gateAt({ relatedMs: minute });
  gate.spend('response', 1, ['goroutine', 'cpu']);
  clock.now += minute - 1;
  assert.deepEqual([gate.ask('delay', 1, 'cpu'), gate.ask('heap', 1, 'heap')], ['busy', undefined]);
  clock.now += 1;
  assert.equal(gate.ask('delay', 1, 'cpu'), undefined);
});

test('after a capture the other signs of the same trouble are part of its incident, whatever they would take', () => {
  const suppressed = (taken: RuleName): RuleName[] => {
    const { gate, clock } = gateAt({ relatedMs: minute });
    gate.spend(taken, 1, []);
    clock.now += minute - 1;
    const busy = ruleNames.filter(rule => gate.ask(rule, 1, 'mutex') === 'busy');
    clock.now += 1;
    assert.deepEqual(
      ruleNames.filter(rule => gate.ask(rule, 1, 'mutex') !== undefined),
      [],
    );
    return busy;
  };
  assert.deepEqual(suppressed('gc'), ruleNames);
  assert.deepEqual(suppressed('heap'), ['gc', 'heap', 'resources']);
  assert.deepEqual(suppressed('cpu'), ['stall', 'gc', 'delay', 'response', 'cpu']);
});
