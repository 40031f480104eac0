import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Sources, takeCaptures } from '../../../instrumentation/autoprofile/taker';
import type { CaptureKind, CaptureRecord, Trigger } from '../../../instrumentation/profiling/capture';
import type { GivenProfile } from '../../../instrumentation/profiling/contract';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
const windows = [
  { startedAt: at(0), stoppedAt: at(10), data: new Uint8Array([1]) },
  { startedAt: at(10), stoppedAt: at(13), data: new Uint8Array([2]) },
];

/** Sources that note what they are asked, in order. */
function sources({ refused = [] as CaptureKind[], recent = async () => windows, full = false } = {}) {
  const asked: string[] = [];
  const kept: { profile: GivenProfile; trigger: Trigger }[] = [];
  const given: Sources = {
    continuous: {
      recent() {
        asked.push('recent');
        return recent();
      },
    },
    profiling: {
      async start(kind) {
        asked.push(kind);
        if (refused.includes(kind)) throw new Error(`no ${kind}`);
        return { id: kind, stop() {}, cancel() {}, done: Promise.resolve({ id: kind } as CaptureRecord) };
      },
      async keep(profile, trigger) {
        asked.push('keep');
        if (full) throw new Error('no space');
        kept.push({ profile, trigger });
        return { id: `kept ${kept.length}` } as CaptureRecord;
      },
    },
  };
  return { given, asked, kept };
}

const reason = { rule: 'delay' };

test('what came before the trigger is asked for first and kept last, with the same reason', async () => {
  const { given, asked, kept } = sources();
  const { records, errors } = await takeCaptures(given, [['goroutine'], ['cpu']], 1000, reason);
  assert.deepEqual(errors, []);
  assert.deepEqual(asked, ['recent', 'goroutine', 'cpu', 'keep', 'keep']);
  assert.deepEqual(
    records.map(({ id }) => id),
    ['goroutine', 'cpu', 'kept 1', 'kept 2'],
  );
  assert.deepEqual(
    kept.map(({ profile }) => [profile.kind, profile.startedAt, profile.durationMs, profile.data[0]]),
    [
      ['cpu', at(0).getTime(), 10_000, 1],
      ['cpu', at(10).getTime(), 3000, 2],
    ],
  );
  for (const { trigger } of kept) assert.deepEqual(trigger, { source: 'auto', reason });
});

test('captures that show what has gathered need nothing from before', async () => {
  const { given, asked } = sources();
  await takeCaptures(given, [['heap'], ['block']], 1000, reason);
  assert.deepEqual(asked, ['heap', 'block']);
});

test('where the capture that begins with the trigger was not to be had, nothing from before is kept', async () => {
  const { given, asked } = sources({ refused: ['cpu'] });
  const { records, errors } = await takeCaptures(given, [['cpu']], 1000, reason);
  assert.deepEqual([records.length, errors.length, asked], [0, 1, ['recent', 'cpu']]);
});

test('windows that cannot be had or kept cost nothing of the capture', async () => {
  for (const options of [{ recent: () => Promise.reject(new Error('no profile')) }, { full: true }]) {
    const { given } = sources(options);
    const { records, errors } = await takeCaptures(given, [['cpu']], 1000, reason);
    assert.deepEqual([records.map(({ id }) => id), errors.length], [['cpu'], 1]);
  }
});

test('without continuous profiling there is the capture alone', async () => {
  const { given, asked } = sources();
  await takeCaptures({ ...given, continuous: undefined }, [['cpu']], 1000, reason);
  assert.deepEqual(asked, ['cpu']);
});
