import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { test } from 'node:test';
import type { LabelSet, WallTime } from '../../../exporters/pyroscope/library';
import { carriedLabels, labelsOf, momentaryLabels } from '../../../exporters/pyroscope/sample-labels';

/** A profiler that takes samples when it is told to. */
function profiler() {
  const store = new AsyncLocalStorage<{ context?: object | undefined }>();
  const state = [0];
  let momentary: object | undefined;
  let running = true;
  let given = 0;
  const taken: (object | undefined)[] = [];
  const time = {
    isStarted: () => running,
    setContext(context) {
      assert.ok(running, 'Wall profiler is not started');
      given++;
      const frame = store.getStore();
      if (frame === undefined) momentary = context;
      else frame.context = context;
    },
    getContext: () => (store.getStore() === undefined ? momentary : store.getStore()!.context),
    runWithContext: <T>(context: object, fn: () => T): T => store.run({ context }, fn),
    getState: () => state,
    constants: { kSampleCount: 0 },
  } as Partial<WallTime> as WallTime;
  return {
    time,
    sample() {
      taken.push(time.getContext());
      state[0]!++;
    },
    /** What the samples carry when the window is made of them. */
    window(): LabelSet[] {
      state[0] = 0;
      return taken.splice(0).map(context => labelsOf({ context: context === undefined ? {} : { context } }));
    },
    stop() {
      running = false;
    },
    /** How often a context was given. */
    given: () => given,
    /** As a new asynchronous context of the application's. */
    inFrame: <T>(fn: () => T): T => store.run({ context: store.getStore()?.context }, fn),
  };
}

test('a sample keeps the labels of its moment, however often they change before the window is made', () => {
  const { time, sample, window } = profiler();
  const labels = momentaryLabels(time);
  sample();
  labels.setSpan({ span_id: 'a' });
  sample();
  labels.setSpan({ span_id: 'b' });
  labels.setSpan({ span_id: 'c' });
  sample();
  sample();
  labels.setSpan(undefined);
  sample();
  const c = { span_id: 'c' };
  assert.deepEqual(window(), [{}, { span_id: 'a' }, c, c, {}]);
});

test('labels of an application and of a span add up, and each goes by itself', () => {
  const { time, sample, window } = profiler();
  const labels = momentaryLabels(time);
  labels.setLabels({ tenant: 1 });
  labels.setSpan({ span_id: 'a' });
  sample();
  labels.setLabels({});
  sample();
  labels.setLabels({ tenant: 2 });
  labels.setSpan(undefined);
  sample();
  assert.deepEqual(window(), [{ tenant: 1, span_id: 'a' }, { span_id: 'a' }, { tenant: 2 }]);
});

test('between two samples the profiler is given labels once', () => {
  const { time, sample, given } = profiler();
  const labels = momentaryLabels(time);
  for (let i = 0; i < 100; i++) labels.setSpan({ span_id: String(i) });
  assert.equal(given(), 1);
  sample();
  for (let i = 0; i < 100; i++) labels.setSpan({ span_id: String(i) });
  assert.equal(given(), 2);
});

test('labels last over the end of a window, and the samples before it keep theirs', () => {
  const { time, sample, window } = profiler();
  const labels = momentaryLabels(time);
  labels.setSpan({ span_id: 'a' });
  sample();
  const first = window;
  assert.deepEqual(first(), [{ span_id: 'a' }]);
  labels.renew();
  sample();
  labels.setSpan({ span_id: 'b' });
  sample();
  assert.deepEqual(window(), [{ span_id: 'a' }, { span_id: 'b' }]);
});

test('where labels are carried a span sets them for its own context alone', () => {
  const { time, sample, window, inFrame } = profiler();
  const labels = carriedLabels(time);
  inFrame(() => {
    labels.setSpan({ span_id: 'a' });
    sample();
    inFrame(() => {
      labels.setSpan({ span_id: 'b' });
      sample();
      inFrame(sample);
    });
    sample();
    inFrame(() => {
      labels.setSpan(undefined);
      sample();
    });
  });
  sample();
  const [a, b] = [{ span_id: 'a' }, { span_id: 'b' }];
  assert.deepEqual(window(), [a, b, b, a, {}, {}]);
});

test('where labels are carried those of an application outlast a switch between spans', () => {
  const { time, sample, window, inFrame } = profiler();
  const labels = carriedLabels(time);
  labels.run?.({ tenant: 1 }, () => {
    sample();
    inFrame(() => {
      labels.setSpan({ span_id: 'a' });
      labels.run?.({ part: 2 }, () => {
        sample();
        inFrame(() => {
          labels.setSpan({ span_id: 'b' });
          sample();
        });
      });
    });
  });
  assert.deepEqual(window(), [
    { tenant: 1 },
    { tenant: 1, span_id: 'a', part: 2 },
    { tenant: 1, part: 2, span_id: 'b' },
  ]);
});

test('a profiler that was stopped from outside breaks nobody who switches labels', () => {
  for (const make of [momentaryLabels, carriedLabels]) {
    const { time, stop } = profiler();
    const labels = make(time);
    stop();
    labels.setSpan({ span_id: 'a' });
    labels.setLabels({ tenant: 1 });
    labels.renew();
    assert.equal(labels.run?.({ tenant: 1 }, () => 'ran') ?? 'ran', 'ran');
  }
});
