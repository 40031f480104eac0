import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adviseOnGc } from '../../../../instrumentation/diagnosis/gc/advice';
import { gcStats, pauses } from '../../../helpers/gc-stats';

const mib = 2 ** 20;
const targets = { pauseMs: 100, fraction: 0.05 };
const flagsOf = (stats: Parameters<typeof gcStats>[0]): readonly string[] =>
  adviseOnGc(gcStats(stats), targets).flatMap(({ flags }) => flags);

test('scavenges that take a third of the time are advised on with a larger semi-space, in numbers', () => {
  const [advice, ...others] = adviseOnGc(
    gcStats({
      minorFraction: 0.31,
      pauseFraction: 0.32,
      minorPerSecond: 25,
      allocationBytesPerSecond: 400 * mib,
      promotionBytesPerSecond: 72 * mib,
    }),
    targets,
  );
  assert.deepEqual(others, []);
  assert.equal(advice!.code, 'gc_young_generation');
  assert.equal(
    advice!.advice,
    'Scavenges are 31 % of wall time, 25 a second, and 18 % of what is allocated is promoted: ' +
      'start with --max-semi-space-size=64, which takes up to 144 MiB more.',
  );
  assert.deepEqual(advice!.flags, ['--max-semi-space-size=64']);
  assert.equal(advice!.evidence['advised_semi_space_bytes'], 64 * mib);
});

test('a semi-space is no larger than there is room for, and than what helps', () => {
  const busy = { minorFraction: 0.2 };
  assert.deepEqual(flagsOf({ ...busy, roomBytes: 150 * mib }), ['--max-semi-space-size=32']);
  assert.deepEqual(flagsOf({ ...busy, roomBytes: 60 * mib }), []);
  assert.deepEqual(flagsOf({ ...busy, maxSemiSpaceBytes: 32 * mib }), ['--max-semi-space-size=64']);
  assert.deepEqual(flagsOf({ ...busy, maxSemiSpaceBytes: 64 * mib }), []);
});

test('objects that grow old too soon are a matter of the young generation, too', () => {
  const majors = { majorFraction: 0.06, minorFraction: 0.02 };
  assert.deepEqual(flagsOf({ ...majors, promotionBytesPerSecond: 10 * mib }), ['--max-semi-space-size=64']);
  assert.deepEqual(flagsOf({ ...majors, promotionBytesPerSecond: 2 * mib }), []);
});

test('a full old generation is advised on with twice what is alive, where there is room', () => {
  const full = { majorFraction: 0.2, liveBytes: 1500 * mib };
  assert.deepEqual(flagsOf(full), ['--max-old-space-size=3072']);
  assert.deepEqual(flagsOf({ ...full, roomBytes: 500 * mib }), []);
  assert.deepEqual(flagsOf({ ...full, liveBytes: 500 * mib }), [], 'there is no lack of room in it');
});

test('long major pauses are told with what each goes through, and no option is promised to help', () => {
  const longMajors = { count: 3, maxMs: 340, overMinutes: 10 };
  const [advice] = adviseOnGc(gcStats({ longMajors, liveBytes: 900 * mib }), targets);
  assert.deepEqual([advice!.code, advice!.flags], ['gc_pauses', []]);
  assert.match(
    advice!.advice,
    /^3 major collections .* more than 100 ms, the longest for 340 ms; 900 MiB are alive/,
  );
});

for (const [name, stats] of Object.entries({
  'an idle process': { pauseFraction: 0, minorFraction: 0, majorFraction: 0, minorPerSecond: 0 },
  'a process that allocates much and keeps none of it': {
    minorFraction: 0.03,
    allocationBytesPerSecond: 900 * mib,
    minorPerSecond: 55,
  },
  'many promotions that cost next to nothing': { promotionBytesPerSecond: 20 * mib, minorFraction: 0.01 },
  'a large heap that is seldom collected': { liveBytes: 1600 * mib, majorFraction: 0.004 },
  'two long pauses, as of a start': {
    kinds: { ...gcStats().kinds, major: pauses({ count: 60, p99Ms: 500 }) },
    longMajors: { count: 2, maxMs: 500, overMinutes: 10 },
  },
  'rates that are not known': {
    minorFraction: 0.02,
    allocationBytesPerSecond: undefined,
    promotionBytesPerSecond: undefined,
  },
})) {
  test(`nothing is advised for ${name}`, () => {
    assert.deepEqual(adviseOnGc(gcStats(stats), targets), []);
  });
}
