import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import type { Crew, Hired } from '../../../toolkit/worker-pool/crew';
import type { Job } from '../../../toolkit/worker-pool/job';
import { settleOptions } from '../../../toolkit/worker-pool/options';
import { Scheduler } from '../../../toolkit/worker-pool/scheduler';
import { assertWorkerPoolLaws } from '../../helpers/worker-pools';

interface Hand extends Hired {
  job: Job | undefined;
}

/** A scheduler whose threads start, end and fail to start when the test says so. */
function setUp(options: { readonly max: number; readonly min?: number; readonly maxQueue?: number }) {
  const hired: Hand[] = [];
  let held = 0;
  const crew: Crew<Hand> = {
    kind: 'thread',
    hire() {
      const hand = { used: false, job: undefined };
      hired.push(hand);
      return hand;
    },
    run(hand, job) {
      hand.job = job;
    },
    breakOff: () => false,
    dismiss() {},
    hold() {
      held++;
    },
    async end() {},
  };
  const scheduler = new Scheduler(crew, settleOptions({ name: 'fake', ...options }, 1));
  scheduler.open();
  const laws = (): void => assertWorkerPoolLaws(scheduler.counters.snapshot());
  return { scheduler, hired, laws, held: () => held };
}

test('a worker that does not start beside one that works is tried again later and later, not at once', async t => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const { scheduler, hired, laws } = setUp({ max: 2 });
  scheduler.ready(hired[0]!);
  const tasks = [scheduler.submit('a'), scheduler.submit('b')];
  assert.equal(hired.length, 2);
  const pauses: number[] = [];
  for (let failures = 0; failures < 9; failures++) {
    scheduler.lost(hired.at(-1)!, undefined, new Error('no memory'));
    laws();
    // Neither the failure nor a task that comes meanwhile starts another.
    tasks.push(scheduler.submit('more'));
    const before: number = hired.length;
    let ms = 0;
    for (; hired.length === before; ms += 100) mock.timers.tick(100);
    pauses.push(ms);
  }
  assert.deepEqual(pauses, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
  // One that starts ends the pauses.
  scheduler.ready(hired.at(-1)!);
  scheduler.ended(hired.at(-1)!, hired.at(-1)!.job!, 'completed', 'done');
  assert.equal(await tasks[1], 'done');
  laws();
});

test('while no worker works, each that does not start fails one task with the reason', async () => {
  const { scheduler, hired, laws } = setUp({ max: 1 });
  const tasks = [scheduler.submit('a'), scheduler.submit('b')];
  scheduler.lost(hired[0]!, undefined, new Error('first'));
  await assert.rejects(tasks[0]!, /first/);
  assert.equal(hired.length, 2);
  scheduler.lost(hired[1]!, undefined, new Error('second'));
  await assert.rejects(tasks[1]!, /second/);
  assert.equal(hired.length, 2, 'nobody asks for another');
  assert.equal(scheduler.counters.outcomes.crashed, 2);
  laws();
});

test('the last worker lost during a pause is replaced at once, because tasks wait', async t => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const { scheduler, hired, laws } = setUp({ max: 2, min: 0 });
  const first = scheduler.submit('a');
  scheduler.ready(hired[0]!);
  const second = scheduler.submit('b');
  scheduler.lost(hired[1]!, undefined, new Error('no memory'));
  assert.equal(hired.length, 2);
  scheduler.lost(hired[0]!, hired[0]!.job, new Error('crashed'));
  await assert.rejects(first, /crashed/);
  assert.equal(hired.length, 3);
  scheduler.ready(hired[2]!);
  scheduler.ended(hired[2]!, hired[2]!.job!, 'completed', 2);
  assert.equal(await second, 2);
  laws();
});

test('an idle worker that ends is replaced where it had worked, and one that never did is not', () => {
  const { scheduler, hired, laws } = setUp({ max: 1 });
  scheduler.ready(hired[0]!);
  scheduler.lost(hired[0]!, undefined, new Error('at once'));
  assert.equal(hired.length, 1);
  void scheduler.submit('a');
  scheduler.ready(hired[1]!);
  scheduler.ended(hired[1]!, hired[1]!.job!, 'completed', undefined);
  scheduler.lost(hired[1]!, undefined, new Error('later'));
  assert.equal(hired.length, 3);
  laws();
});

test('tasks that wait for a worker to start keep the process alive', () => {
  const { scheduler, held } = setUp({ max: 1 });
  assert.equal(held(), 0);
  void scheduler.submit('a');
  assert.equal(held(), 1);
});
