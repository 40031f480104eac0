import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventLoopMetrics } from '../../../instrumentation/catalogue';
import { createFindings, type Finding } from '../../../instrumentation/diagnosis/findings';
import { readScheduling } from '../../../instrumentation/diagnosis/scheduling';
import { diagnoseStalls } from '../../../instrumentation/diagnosis/stalls';
import { MetricRegistry } from '../../../instrumentation/metrics/registry';
import type { Frame } from '../../../instrumentation/profiling/pprof/profile';

const frame = (name: string, file: string, line = 0): Frame => ({
  name,
  file,
  line,
  column: 0,
  functionLine: 0,
  functionColumn: 0,
});
const report = [
  frame('parse', 'node:json'),
  frame('writeReport', '/srv/report.js', 12),
  frame('', '/srv/app.js', 3),
];

function setUp() {
  let time = 0;
  const scheduled = { ranMs: 0, waitedMs: 0 };
  const found: Finding[] = [];
  const lines: string[] = [];
  const registry = new MetricRegistry(100, error => assert.fail(String(error)));
  const stalls = diagnoseStalls(
    registry,
    createFindings(finding => found.push(finding)),
    { info: line => lines.push(`info ${line}`), notice: line => lines.push(`notice ${line}`) },
    100,
    () => time,
    () => ({ ...scheduled }),
    ['/srv/node_modules/otel-vitals/dist/'],
  );
  return {
    stalls,
    scheduled,
    found,
    lines,
    measured: registry.instrument(eventLoopMetrics.stall).with({}),
    pass(ms: number) {
      time += ms;
    },
  };
}

test('the third block from one place within ten minutes is a finding, with the stack of the longest', () => {
  const { stalls, found, pass } = setUp();
  stalls.stall({ durationMs: 120, ranMs: 120, frames: report });
  stalls.stall({ durationMs: 300.4, ranMs: 300.4, frames: [frame('zip', 'node:zlib'), ...report] });
  assert.deepEqual(found, []);
  pass(1000);
  stalls.stall({ durationMs: 150, ranMs: 150, frames: report });
  assert.equal(found.length, 1);
  const { code, subject, title, evidence, runbook } = found[0]!;
  // As true of one block as of many: how many, and how long, is in the evidence.
  assert.equal(title, 'has blocked the event loop');
  assert.deepEqual([code, subject], ['event_loop_stall', 'writeReport (/srv/report.js)']);
  assert.deepEqual(evidence, {
    last_ms: 150,
    longest_ms: 300,
    total_ms: 570,
    stalls: 3,
    stack: 'zip node:zlib\nparse node:json\nwriteReport /srv/report.js:12\n(anonymous) /srv/app.js:3',
  });
  assert.equal(runbook, 'docs/runbooks/event-loop-stall.md');
  assert.deepEqual(
    stalls.report().places.map(({ place, count, totalMs, lastAt }) => [place, count, totalMs, lastAt]),
    [['writeReport (/srv/report.js)', 3, 570, 1000]],
  );
});

test('a block is said with its stack from there, once in ten minutes for each place, and at level info else', () => {
  const { stalls, lines, pass } = setUp();
  const said = 'the event loop was blocked for 120 ms by writeReport (/srv/report.js)';
  const deep = [
    ...report,
    frame('main', '/srv/app.js', 9),
    frame('start', '/srv/app.js', 1),
    frame('loop', '/srv/app.js', 2),
  ];
  stalls.stall({ durationMs: 120, ranMs: 120, frames: deep });
  pass(599_999);
  stalls.stall({ durationMs: 120, ranMs: 120, frames: deep });
  stalls.stall({ durationMs: 130, ranMs: 130, frames: [frame('other', '/srv/other.js', 7)] });
  pass(1);
  stalls.stall({ durationMs: 120, ranMs: 120, frames: deep });
  const withStack = `notice ${said}, at\nwriteReport /srv/report.js:12\n(anonymous) /srv/app.js:3\nmain /srv/app.js:9\nstart /srv/app.js:1`;
  assert.deepEqual(lines, [
    withStack,
    `info ${said}`,
    'notice the event loop was blocked for 130 ms by other (/srv/other.js), at\nother /srv/other.js:7',
    withStack,
  ]);
  stalls.stall({ durationMs: 120, ranMs: 120, frames: [frame('(no JavaScript running)', '')] });
  assert.equal(lines[4], 'notice the event loop was blocked for 120 ms by (no JavaScript running)');
});

test('a machine that slept, and more places than are kept, are said at level info alone', () => {
  const { stalls, lines } = setUp();
  stalls.stall({ durationMs: 5000, ranMs: 5000, frames: [frame('(process was not scheduled)', '')] });
  assert.deepEqual(lines, ['info the event loop was blocked for 5000 ms by (process was not scheduled)']);
  for (let i = 0; i < 80; i++)
    stalls.stall({ durationMs: 200, ranMs: 200, frames: [frame(`f${i}`, '/srv/app.js')] });
  assert.equal(lines.filter(line => line.startsWith('notice')).length, 50);
});

test('one block of ten times the threshold is a finding by itself', () => {
  const { stalls, found } = setUp();
  stalls.stall({ durationMs: 999, ranMs: 999, frames: report });
  assert.equal(found.length, 0);
  stalls.stall({ durationMs: 1000, ranMs: 1000, frames: [frame('spin', '/srv/app.js', 1)] });
  assert.deepEqual(
    found.map(({ subject }) => subject),
    ['spin (/srv/app.js)'],
  );
});

test('blocks that are rare, in different places, in no code of the application or of a machine that slept are none', () => {
  const { stalls, found, pass } = setUp();
  for (let i = 0; i < 5; i++) {
    stalls.stall({ durationMs: 200, ranMs: 200, frames: report });
    pass(301_000);
  }
  for (let i = 0; i < 5; i++)
    stalls.stall({ durationMs: 200, ranMs: 200, frames: [frame(`f${i}`, '/srv/app.js')] });
  for (let i = 0; i < 5; i++) {
    stalls.stall({ durationMs: 5000, ranMs: 5000, frames: [frame('(process was not scheduled)', '')] });
    stalls.stall({ durationMs: 5000, ranMs: 5000, frames: [frame('(no JavaScript running)', '')] });
    stalls.stall({
      durationMs: 5000,
      ranMs: 5000,
      frames: [frame('listOnTimeout', 'node:internal/timers', 5)],
    });
  }
  assert.deepEqual(found, []);
});

test('blocks in which the process waited for a CPU count for the time that it ran, and under the threshold not at all', () => {
  const { stalls, found, lines } = setUp();
  for (let i = 0; i < 5; i++) stalls.stall({ durationMs: 2000, ranMs: 99, frames: report });
  assert.deepEqual([found, stalls.report().places], [[], []]);
  assert.equal(
    lines[0],
    'info the event loop was blocked for 2000 ms by writeReport (/srv/report.js), for 1901 ms of which it was not scheduled',
  );
  for (let i = 0; i < 3; i++) stalls.stall({ durationMs: 2000, ranMs: 110, frames: report });
  assert.deepEqual(found[0]!.evidence['total_ms'], 330);
  assert.equal(found.length, 1);
});

test("the agent's own code is never what a finding blames, nor hides whose code called it", () => {
  const { stalls, found } = setUp();
  const close = frame('close', '/srv/node_modules/otel-vitals/dist/instrumentation/start.js', 900);
  for (let i = 0; i < 5; i++)
    stalls.stall({ durationMs: 2000, ranMs: 2000, frames: [close, frame('emit', 'node:events', 5)] });
  assert.deepEqual(found, []);
  assert.deepEqual(
    stalls.report().places.map(({ place, count }) => [place, count]),
    [['(otel-vitals)', 5]],
  );
  stalls.stall({ durationMs: 2000, ranMs: 2000, frames: [frame('gzip', 'node:zlib'), close, ...report] });
  assert.deepEqual(
    found.map(({ subject }) => subject),
    ['writeReport (/srv/report.js)'],
  );
});

test('without stacks, blocks in which the thread ran are a finding that says how to have the stack', () => {
  const { stalls, found, measured, scheduled } = setUp();
  for (let i = 0; i < 2; i++) measured.record(0.2);
  scheduled.ranMs = 400;
  stalls.look();
  assert.equal(found.length, 0);
  measured.record(0.2);
  scheduled.ranMs = 600;
  stalls.look();
  assert.deepEqual(
    found.map(({ subject, evidence }) => [subject, evidence['stalls'], evidence['total_ms']]),
    [['the event loop', 3, 600]],
  );
  assert.match(String(found[0]!.evidence['stack']), /VITALS_ADMIN=true/);
});

test('without stacks, blocks are a line that says how to have them, once in ten minutes, and else at level info', () => {
  const { stalls, lines, measured, scheduled, pass } = setUp();
  const block = (...seconds: number[]): void => {
    for (const one of seconds) measured.record(one);
    scheduled.ranMs += 1000;
    stalls.look();
  };
  block();
  block(0.2);
  pass(10_000);
  block(0.15, 0.25);
  pass(600_000);
  block(0.3);
  // The thread waited for a CPU.
  measured.record(0.4);
  scheduled.ranMs += 10;
  stalls.look();
  assert.deepEqual(lines, [
    'notice the event loop was blocked once in ten seconds, for 200 ms in all; set VITALS_ADMIN=true to have the stacks',
    'info the event loop was blocked 2 times in ten seconds, for 400 ms in all',
    'notice the event loop was blocked once in ten seconds, for 300 ms in all; set VITALS_ADMIN=true to have the stacks',
  ]);
});

test('without stacks, blocks in which the thread was not given a CPU are none', () => {
  for (const given of [
    { ranMs: 200, waitedMs: 0 },
    { ranMs: 5000, waitedMs: 700 },
  ]) {
    const { stalls, found, measured, scheduled } = setUp();
    for (let i = 0; i < 5; i++) measured.record(0.2);
    Object.assign(scheduled, given);
    stalls.look();
    assert.deepEqual(found, []);
  }
});

test('the main thread of this process has run, and waited for no less than nothing', () => {
  const before = readScheduling();
  const until = performance.now() + 30;
  while (performance.now() < until);
  const after = readScheduling();
  assert.ok(after.ranMs > before.ranMs && after.waitedMs >= before.waitedMs && before.waitedMs >= 0);
});

test('where stacks are taken the event loop alone is not named, and places are bounded', () => {
  const { stalls, found, measured, scheduled } = setUp();
  stalls.stacksTaken();
  for (let i = 0; i < 5; i++) measured.record(0.2);
  scheduled.ranMs = 1000;
  stalls.look();
  assert.deepEqual(found, []);
  for (let i = 0; i < 80; i++)
    stalls.stall({ durationMs: 200, ranMs: 200, frames: [frame(`f${i}`, '/srv/app.js')] });
  assert.equal(stalls.report().places.length, 50);
  assert.equal(stalls.report().stacks, true);
});
