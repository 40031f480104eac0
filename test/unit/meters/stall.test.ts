import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { meterStalls } from '../../../instrumentation/meters/stall';
import { runMeter } from '../../helpers/http-meter';

const name = 'vitals.eventloop.stall.duration';

function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('each stall is counted once with its length, however often somebody looks, also past what is kept', async () => {
  const meter = runMeter(meterStalls, { config: { stallMs: 60 } });
  await sleep(50);
  const blocks = 70;
  for (let i = 0; i < blocks; i++) {
    block(64);
    await sleep(15);
    if (i % 3 === 0) meter.series(name);
  }
  const [stalls] = meter.series(name);
  meter.stop();
  assert.deepEqual(meter.problems, []);
  // Samples are lost where the histogram starts anew, and a busy machine makes two blocks one, or adds some.
  assert.ok(stalls!.value >= blocks * 0.85, `${stalls!.value} of ${blocks}`);
  assert.ok(stalls!.sum / stalls!.value > 0.055, `${stalls!.sum} s in ${stalls!.value}`);
  assert.ok(stalls!.value < blocks * 1.5, `${stalls!.value} of ${blocks}`);
});

test('stalls of several lengths are told apart, and what stays below the threshold is none', async () => {
  const meter = runMeter(meterStalls, { config: { stallMs: 500 } });
  await sleep(50);
  for (const ms of [200, 600, 100, 900, 600]) {
    block(ms);
    await sleep(30);
    meter.series(name);
  }
  const [stalls] = meter.series(name);
  meter.stop();
  assert.equal(stalls!.value, 3);
  assert.ok(stalls!.sum > 2.07 && stalls!.sum < 3, String(stalls!.sum));
});
