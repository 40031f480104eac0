import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type FaultRun, startFaultRun } from '../helpers/fault-run';

/**
 * Some of those of `npm run grafana:faults`: of a database, of a cache, of a pool. The last has requests fail, and the
 * budget of errors that it spends burns on.
 */
const tried = ['slow-query', 'redis-down', 'pool-exhaustion'];
/** A machine that has other work makes requests slow and event loops late, whatever the shop does. */
const ofTheMachine = /^Vitals(LatencyBudget|EventLoop)/;
let run: FaultRun;

before(async () => {
  run = await startFaultRun();
});
after(() => run?.close());

test('nothing fires for a shop that is well and under load', async () => {
  const fired = await run.quiet(20_000);
  assert.deepEqual(
    fired.filter(name => !ofTheMachine.test(name)),
    [],
  );
});

for (const name of tried) {
  test(`${name}: its alert fires, is told, and resolves, and no other of its severity does`, async () => {
    const fault = run.faults.find(one => one.name === name);
    assert.ok(fault, `the shop has no fault ${name}`);
    const outcome = await run.try(fault);
    assert.notEqual(outcome.firesAfter, undefined, `${outcome.alert} did not fire`);
    assert.notEqual(outcome.toldAfter, undefined, `${outcome.alert} was not told`);
    assert.notEqual(outcome.resolvesAfter, undefined, `${outcome.alert} did not resolve`);
    assert.deepEqual(
      outcome.others.filter(other => !ofTheMachine.test(other)),
      [],
    );
  });
}
