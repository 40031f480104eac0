import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bindLabels, wrapWithLabels } from '../../../exporters/pyroscope/labels';
import type { LabelSet } from '../../../exporters/pyroscope/library';

let current: LabelSet = {};
beforeEach(() => {
  current = {};
  bindLabels({
    setLabels: labels => {
      current = labels;
    },
  });
});
afterEach(() => bindLabels(undefined));

test('labels of nested calls add up and go with their call', () => {
  wrapWithLabels({ a: 1, b: 1 }, () => {
    wrapWithLabels({ b: 2 }, () => assert.deepEqual(current, { a: 1, b: 2 }));
    assert.deepEqual(current, { a: 1, b: 1 });
  });
  assert.deepEqual(current, {});
});

test('a throw passes through and leaves the labels of the caller', () => {
  wrapWithLabels({ a: 1 }, () => {
    assert.throws(
      () =>
        wrapWithLabels({ b: 2 }, () => {
          throw new RangeError('expected');
        }),
      RangeError,
    );
    assert.deepEqual(current, { a: 1 });
  });
  assert.deepEqual(current, {});
});

test('two asynchronous calls at once each keep their own labels', async () => {
  const seen: LabelSet[] = [];
  const call = (id: number) =>
    wrapWithLabels({ id }, async () => {
      for (let i = 0; i < 5; i++) {
        await sleep(1);
        seen.push({ id, found: current['id'] ?? 'none' });
      }
      return id;
    });
  assert.deepEqual(await Promise.all([call(1), call(2)]), [1, 2]);
  assert.equal(seen.length, 10);
  for (const { id, found } of seen) assert.equal(found, id);
  assert.deepEqual(current, {});
});

test('a rejection reaches the caller and leaves no labels', async () => {
  await assert.rejects(
    wrapWithLabels({ a: 1 }, async () => {
      await sleep(1);
      throw new RangeError('expected');
    }),
    RangeError,
  );
  assert.deepEqual(current, {});
});

test('a thenable that is no promise is returned as it is, for its then() may run a query', () => {
  let ran = false;
  const query = {
    // biome-ignore lint/suspicious/noThenProperty: query builders have one
    then: () => {
      ran = true;
    },
  };
  assert.equal(
    wrapWithLabels({ a: 1 }, () => query),
    query,
  );
  assert.equal(ran, false);
});

test('where the profiler carries labels along by itself it is left to it', () => {
  const given: LabelSet[] = [];
  bindLabels({
    setLabels: () => assert.fail('labels were to be carried'),
    run(labels, fn) {
      given.push(labels);
      return fn();
    },
  });
  assert.equal(
    wrapWithLabels({ a: 1 }, () => 3),
    3,
  );
  assert.deepEqual(given, [{ a: 1 }]);
});

test('without a profiler, or with one that was stopped, the function just runs', () => {
  bindLabels(undefined);
  assert.equal(
    wrapWithLabels({ a: 1 }, () => 1),
    1,
  );
  bindLabels({
    setLabels: () => {
      throw new Error('Wall profiler is not started');
    },
  });
  assert.equal(
    wrapWithLabels({ a: 1 }, () => 2),
    2,
  );
});
