import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CpuProfile, samplingInterval, toStacks } from '../../../instrumentation/profiling/worker/cpu';

const call = (functionName: string, url = '', lineNumber = -1, columnNumber = -1) => ({
  functionName,
  url,
  lineNumber,
  columnNumber,
});

/** (root) -> (program), (idle), (garbage collector), main -> busy; a sample each millisecond. */
const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: call('(root)'), children: [2, 3, 4, 5] },
    { id: 2, callFrame: call('(program)') },
    { id: 3, callFrame: call('(idle)') },
    { id: 4, callFrame: call('(garbage collector)') },
    { id: 5, callFrame: call('main', 'file:///srv/app.mjs', 0, 0), children: [6] },
    {
      id: 6,
      callFrame: call('busy', '/srv/busy.js', 9, 13),
      positionTicks: [
        { line: 12, ticks: 3 },
        { line: 14, ticks: 1 },
      ],
    },
  ],
  startTime: 1_000_000,
  endTime: 1_010_000,
  //        the first came 2 ms after the start, which is nobody's
  samples: [6, 6, 3, 3, 6, 4, 2, 6],
  timeDeltas: [2000, 1000, 1000, 1000, 1000, 1000, 1000, 1000],
};

test('time goes to the function that ran from one sample to the next, by line, and idle time to none', () => {
  const stacks = toStacks(profile, 5000, 1000);
  const rows = stacks.samples.map(({ frames, values }) => [
    ...frames.map(({ name, line }) => (line > 0 ? `${name}:${line}` : name)),
    ...values,
  ]);
  assert.deepEqual(rows, [
    ['busy:12', 'main', 3, 3_000_000],
    ['busy:14', 'main', 1, 1_000_000],
    ['(garbage collector)', 1, 1_000_000],
    ['(program)', 1, 1_000_000],
  ]);
});

test('positions are from 1, and URLs of ES modules are paths', () => {
  const [sample] = toStacks(profile, 5000, 1000).samples;
  assert.deepEqual(sample!.frames[0], {
    name: 'busy',
    file: '/srv/busy.js',
    line: 12,
    column: 0,
    functionLine: 10,
    functionColumn: 14,
  });
  assert.deepEqual([sample!.frames[1]!.file, sample!.frames[1]!.functionLine], ['/srv/app.mjs', 1]);
});

test('types, period and duration are as Go has them', () => {
  const { types, defaultType, period, startedAt, durationMs } = toStacks(profile, 5000, 1000);
  assert.deepEqual(types, [
    { type: 'samples', unit: 'count' },
    { type: 'cpu', unit: 'nanoseconds' },
  ]);
  assert.deepEqual(
    [defaultType, period.type, period.value, startedAt, durationMs],
    ['cpu', 'cpu', 1e6, 5000, 10],
  );
});

test('samples that came out of order take nothing from others', () => {
  const odd = { ...profile, samples: [6, 6, 6], timeDeltas: [1000, -500, 1000] };
  for (const { values } of toStacks(odd, 0, 1000).samples) assert.ok(values.every(value => value >= 0));
});

test('a capture has at most 30,000 samples, one a millisecond to one every ten', () => {
  assert.deepEqual([1000, 30_000, 60_000, 300_000].map(samplingInterval), [1000, 1000, 2000, 10_000]);
});
