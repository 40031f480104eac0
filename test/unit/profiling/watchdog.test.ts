import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { StallEnd } from '../../../instrumentation/profiling/contract';
import type { Frame } from '../../../instrumentation/profiling/pprof/profile';
import { watchRunQueue } from '../../../instrumentation/profiling/worker/run-queue';
import { createStallStacks, type StallStacks } from '../../../instrumentation/profiling/worker/stall-stacks';
import { createWatchdog, type Watchdog } from '../../../instrumentation/profiling/worker/watchdog';
import { frame } from '../../helpers/frames';

const intervalMs = 20;
const thresholdMs = 100;

let now: number;
let beat: number | undefined;
let blockedMs: number;
let waitedMs: number;
let running: readonly Frame[] | Error;
let asked: number;
let stalls: StallEnd[];
let stacks: StallStacks;
let watchdog: Watchdog;

beforeEach(() => {
  now = 1000;
  beat = 1;
  blockedMs = 0;
  waitedMs = 0;
  running = [];
  asked = 0;
  stalls = [];
  stacks = createStallStacks(0, thresholdMs);
  watchdog = createWatchdog({
    heartbeat: { beat: () => beat, blockedMs: () => blockedMs },
    intervalMs,
    thresholdMs,
    stacks,
    async takeStack() {
      asked++;
      if (running instanceof Error) throw running;
      return running;
    },
    waitedMs: () => waitedMs,
    onStall: stall => stalls.push(stall),
    now: () => now,
  });
});

/** Lets the watched loop turn for a while. */
async function turns(ms: number): Promise<void> {
  for (let t = 0; t < ms; t += intervalMs) {
    now += intervalMs;
    beat = beat! + 1;
    blockedMs = intervalMs / 2;
    watchdog.tick();
    await turn();
  }
}

/** Blocks the watched loop in `frames`. */
async function blocks(ms: number, frames: readonly Frame[] | Error): Promise<void> {
  running = frames;
  for (let t = 0; t < ms; t += intervalMs) {
    now += intervalMs;
    watchdog.tick();
    await turn();
  }
}

/** Lets the block end after `ms` altogether. */
async function ends(ms: number): Promise<void> {
  beat = beat! + 1;
  blockedMs = ms;
  now += intervalMs;
  watchdog.tick();
  await turn();
}

const seen = () =>
  stacks
    .profile()
    .samples.map(({ frames, values }) => [frames[0]!.name, values[0], Math.round(values[1]! / 1e6)]);

test('a block over the threshold goes to the stack seen in it, with its whole length', async () => {
  await turns(200);
  await blocks(400, [frame('parseAll /a.js:3'), frame('handler /a.js:9')]);
  await ends(400);
  assert.deepEqual(seen(), [['parseAll', 1, 400]]);
  assert.deepEqual(
    stalls.map(({ durationMs, frames }) => [durationMs, frames[0]!.name]),
    [[400, 'parseAll']],
  );
});

test('a block under the threshold counts for nothing, though its stack was taken', async () => {
  await turns(200);
  await blocks(80, [frame('quick /a.js:3')]);
  await ends(90);
  assert.equal(asked, 1);
  assert.deepEqual([seen(), stalls], [[], []]);
});

test('a block that just passes the threshold has a stack', async () => {
  await turns(200);
  await blocks(80, [frame('justOver /a.js:3')]);
  await ends(101);
  assert.deepEqual(seen(), [['justOver', 1, 101]]);
});

test('a loop that turns is never asked for a stack', async () => {
  await turns(5000);
  assert.deepEqual([asked, seen()], [0, []]);
});

test('a block in several functions is shared out by the time between stacks, and counts once', async () => {
  await turns(200);
  await blocks(300, [frame('first /a.js:3')]);
  await blocks(300, [frame('second /a.js:4')]);
  await ends(600);
  const shares = new Map(seen().map(([name, count, ms]) => [name, { count, ms: ms as number }]));
  assert.equal(shares.get('first')!.count, 1);
  assert.equal(shares.get('second')!.count, 0);
  assert.equal(shares.get('first')!.ms + shares.get('second')!.ms, 600);
  assert.ok(shares.get('first')!.ms >= 200 && shares.get('second')!.ms >= 200, JSON.stringify([...shares]));
});

test('a loop that blocks for ever shows in the profile while it does, at ever fewer stacks', async () => {
  await turns(200);
  await blocks(60_000, [frame('whileTrue /a.js:3')]);
  const [[name, count, ms]] = seen() as [[string, number, number]];
  assert.deepEqual([name, count], ['whileTrue', 1]);
  assert.ok(ms > 50_000 && ms <= 60_000, String(ms));
  assert.ok(asked < 30, String(asked));
  assert.ok(watchdog.blockedMs() >= 60_000);
  assert.deepEqual(stalls, [], 'it has not ended');
});

test('a stack that comes after the end of its block still gets it', async () => {
  let arrive: (frames: readonly Frame[]) => void = () => {};
  watchdog = createWatchdog({
    heartbeat: { beat: () => beat, blockedMs: () => blockedMs },
    intervalMs,
    thresholdMs,
    stacks,
    takeStack: () => new Promise(resolve => (arrive = resolve)),
    onStall: stall => stalls.push(stall),
    now: () => now,
  });
  await turns(200);
  await blocks(300, []);
  await ends(310);
  assert.deepEqual(seen(), []);
  arrive([frame('native /a.js:3')]);
  await turn();
  assert.deepEqual(seen(), [['native', 1, 310]]);
  assert.equal(stalls.length, 1);
});

test('where there is no stack to be had, the profile says why', async () => {
  await turns(200);
  await blocks(200, []);
  await ends(200);
  await blocks(200, new Error('Debugger agent is gone'));
  await ends(200);
  await turns(100);
  await ends(150);
  assert.deepEqual(
    seen().map(([name]) => name),
    ['(no JavaScript running)', '(stack not available)', '(ended before its stack was taken)'],
  );
});

test('time in which the watching thread did not run either is the machine, not the application', async () => {
  await turns(200);
  now += 10_000;
  watchdog.tick();
  await turn();
  await ends(10_000);
  assert.deepEqual(seen(), [['(process was not scheduled)', 1, 10_000]]);
});

test('before the first beat, as while an application loads, nothing is watched', async () => {
  beat = 0;
  await blocks(3000, [frame('require /a.js:1')]);
  beat = 0;
  await ends(3000);
  assert.deepEqual([asked, seen(), watchdog.blockedMs()], [0, [], 0]);
});

test('after the last beat nothing is watched', async () => {
  await turns(200);
  beat = undefined;
  await blocks(3000, [frame('shutdown /a.js:1')]);
  assert.deepEqual([asked, seen(), watchdog.blockedMs()], [0, [], 0]);
});

test('stacks past the bound are added up in one', () => {
  for (let i = 0; i < 1500; i++) stacks.add([frame(`f${i} /a.js:1`)], 1, 1);
  const samples = stacks.profile().samples;
  assert.equal(samples.length, 1001);
  assert.deepEqual(samples.at(-1)!.values, [500, 500e6]);
});

test('of a block in which the machine stood still for a while, the application has the rest', async () => {
  await turns(200);
  await blocks(200, [frame('parseAll /a.js:3')]);
  now += 1000;
  watchdog.tick();
  await blocks(100, [frame('parseAll /a.js:3')]);
  await ends(1300);
  assert.deepEqual(seen(), [
    ['parseAll', 1, 320],
    ['(process was not scheduled)', 0, 980],
  ]);
});

test('a block in which others had the CPU goes to the code that ran only for the time that it ran', async () => {
  await turns(200);
  for (let i = 0; i < 20; i++) {
    waitedMs += 14;
    await blocks(20, [frame('send /express.js:3')]);
  }
  await ends(400);
  assert.deepEqual(seen(), [
    ['send', 1, 120],
    ['(process was not scheduled)', 0, 280],
  ]);
  const [{ durationMs, ranMs, frames }] = stalls as [StallEnd];
  assert.deepEqual([durationMs, ranMs, frames[0]!.name], [400, 120, 'send']);
});

test('a block in which the code hardly ran is told as what it was', async () => {
  await turns(200);
  for (let i = 0; i < 20; i++) {
    waitedMs += 16;
    await blocks(20, [frame('send /express.js:3')]);
  }
  await ends(400);
  const [{ ranMs, frames }] = stalls as [StallEnd];
  assert.deepEqual([ranMs, frames[0]!.name], [80, '(process was not scheduled)']);
});

test('waits for a CPU before a block are no part of it', async () => {
  await turns(200);
  waitedMs += 500;
  await turns(20);
  await blocks(200, [frame('parseAll /a.js:3')]);
  await ends(200);
  assert.deepEqual(seen(), [['parseAll', 1, 200]]);
  assert.equal(stalls[0]!.ranMs, 200);
});

test('how long this process waited for a CPU rises, and is 0 where the system does not tell', () => {
  const waited = watchRunQueue();
  const before = waited();
  const until = performance.now() + 30;
  while (performance.now() < until);
  assert.ok(before >= 0 && waited() >= before);
  assert.equal(watchRunQueue('/nowhere/schedstat')(), 0);
});
