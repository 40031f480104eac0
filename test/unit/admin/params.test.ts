import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  debugParam,
  durationParam,
  gcParam,
  kindParam,
  parseDuration,
  secondsParam,
} from '../../../instrumentation/admin/params';
import { BadRequestError } from '../../../instrumentation/profiling/errors';

const query = (text: string) => new URLSearchParams(text);
const refused = (read: () => unknown, message: RegExp): void => {
  assert.throws(read, (error: unknown) => {
    assert.ok(error instanceof BadRequestError, String(error));
    assert.equal(error.status, 400);
    assert.match(error.message, message);
    return true;
  });
};

for (const [text, ms] of [
  ['30s', 30_000],
  ['1m30s', 90_000],
  ['500ms', 500],
  ['1.5s', 1500],
  ['2m0.5s', 120_500],
  ['1h', 3_600_000],
  ['250us', 0.25],
  ['250µs', 0.25],
  ['100ns', 0.0001],
  ['0', 0],
  ['0s', 0],
] as const) {
  test(`the duration ${text} is ${ms} ms, as in Go`, () => {
    assert.ok(Math.abs(parseDuration(text)! - ms) < 1e-9, String(parseDuration(text)));
  });
}

for (const text of [
  '',
  '30',
  '-5s',
  '+5s',
  's',
  '1m30',
  '1 s',
  '1d',
  '1e3s',
  'NaNs',
  'Infinity',
  '0x1s',
  '1s;',
  '.5s',
  `${'1'.repeat(70)}s`,
]) {
  test(`${JSON.stringify(text.slice(0, 20))} is no duration`, () => {
    assert.equal(parseDuration(text), undefined);
  });
}

test('a duration is at most five minutes, and above 0 where it must be', () => {
  assert.equal(durationParam(query(''), false), undefined);
  assert.equal(durationParam(query('duration=5m'), false), 300_000);
  assert.equal(durationParam(query('duration=0'), true), 0);
  refused(
    () => durationParam(query('duration=5m1ms'), false),
    /^duration: expected .* at most 5m, got "5m1ms"$/,
  );
  refused(() => durationParam(query('duration=0'), false), /above 0/);
  refused(() => durationParam(query('duration=99999999999999h'), true), /at most 5m/);
});

test('seconds are whole and from 1 to 300, with a fraction only where that is meant', () => {
  assert.equal(secondsParam(query('')), undefined);
  assert.equal(secondsParam(query('seconds=30')), 30_000);
  assert.equal(secondsParam(query('seconds=300')), 300_000);
  assert.equal(secondsParam(query('seconds=0.25'), true), 250);
  for (const text of ['0', '301', '-1', '1.5', '1e2', '', 'abc', '0x10', ' 1', '999999999999999999']) {
    refused(
      () => secondsParam(new URLSearchParams([['seconds', text]])),
      /^seconds: expected a whole number from 1 to 300, got "/,
    );
  }
  refused(() => secondsParam(query('seconds=0'), true), /expected a number above 0, at most 300/);
});

test('debug, gc and type take the values there are, and name them otherwise', () => {
  assert.deepEqual(
    ['', 'debug=0', 'debug=1', 'debug=2'].map(text => debugParam(query(text))),
    [0, 0, 1, 2],
  );
  assert.deepEqual(
    ['', 'gc=0', 'gc=1'].map(text => gcParam(query(text))),
    [false, false, true],
  );
  assert.equal(kindParam(query('type=goroutine')), 'goroutine');
  refused(() => debugParam(query('debug=3')), /^debug: expected 0, 1 or 2, got "3"$/);
  refused(() => gcParam(query('gc=yes')), /^gc: expected 0 or 1, got "yes"$/);
  refused(
    () => kindParam(query('type=wall')),
    /^type: expected one of cpu, heap, allocs, trace, .*, got "wall"$/,
  );
  refused(() => kindParam(query('')), /got nothing$/);
});

test('an answer repeats no more than the beginning of a wrong value', () => {
  refused(() => kindParam(query(`type=${'x'.repeat(5000)}`)), /^.{1,250}$/);
});
