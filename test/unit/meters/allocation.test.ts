import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gcMetrics, heapMetrics } from '../../../instrumentation/catalogue';
import { createLog } from '../../../instrumentation/log';
import { trackAllocation } from '../../../instrumentation/meters/allocation';
import { createGcSource } from '../../../instrumentation/meters/gc-source';
import { gcWindows } from '../../../instrumentation/meters/gc-windows';
import { MetricRegistry } from '../../../instrumentation/metrics/registry';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options?: { type: 'minor' }) => void;
const scope = globalThis as { kept?: unknown };

/** Bytes of an array of ten small integers: its header and elements, with compressed pointers nowhere in Node.js. */
const arrayBytes = 32 + 16 + 10 * 8;
function allocate(arrays: number): void {
  for (let i = 0; i < arrays; i++) scope.kept = [i, 1, 2, 3, 4, 5, 6, 7, 8, 9];
}

function track(): { registry: MetricRegistry; stop: () => void } {
  const registry = new MetricRegistry(2000, error => {
    throw error;
  });
  const log = createLog('error');
  return { registry, stop: trackAllocation({ registry }, createGcSource({ registry, log })) };
}

beforeEach(() => collect());

test('what is allocated, and what minor collections free of it, is counted to within a fifth', async () => {
  const { registry, stop } = track();
  const turns = 2000;
  const work = async (): Promise<void> => {
    for (let i = 0; i < turns; i++) {
      allocate(2000);
      await turn();
    }
  };
  // A window in ten a second teaches how full the young generation is when it is collected.
  await work();
  registry.read();
  const allocated = registry.instrument(heapMetrics.allocated).with({});
  const freed = registry.instrument(gcMetrics.freed).with({ 'v8js.gc.type': 'minor' });
  const before = { allocated: allocated.value, freed: freed.value };
  await work();
  registry.read();
  stop();
  const bytes = turns * 2000 * arrayBytes;
  for (const [what, value] of [
    ['allocated', allocated.value - before.allocated],
    ['freed', freed.value - before.freed],
  ] as const) {
    assert.ok(value > bytes * 0.8 && value < bytes * 1.2, `${what}: ${value} of ${bytes}`);
  }
});

test('the heap allocated grows with the heap when nothing is collected', () => {
  const { registry, stop } = track();
  const kept = Array.from({ length: 1000 }, (_, i) => [i]);
  registry.read();
  const allocated = registry.instrument(heapMetrics.allocated).with({}).value;
  stop();
  assert.ok(allocated > kept.length * 8, String(allocated));
  assert.ok(allocated < 4e6, String(allocated));
});

test('collections cost no more after thousands of them than at first', async () => {
  const fastest = (): number => {
    let ms = Infinity;
    for (let i = 0; i < 100; i++) {
      const begin = performance.now();
      collect({ type: 'minor' });
      ms = Math.min(ms, performance.now() - begin);
    }
    return ms;
  };
  const before = fastest();
  const { stop } = track();
  for (let i = 0; i < 3000; i++) {
    collect({ type: 'minor' });
    if (i % 3 === 0) await turn();
  }
  const after = fastest();
  stop();
  // Each profiler that was left behind would add 0.02 ms.
  assert.ok(after < before + 0.1, `${before} ms, then ${after} ms`);
});

test('a window that saw one collection can be followed by others, one that saw more by one until a major one', () => {
  let now = 0;
  const windows = gcWindows(() => now);
  const look = (collections: number): boolean => {
    now += 1000;
    const opened = windows.open();
    for (let i = 0; i < collections; i++) collect({ type: 'minor' });
    if (opened) assert.equal(windows.close()?.length, collections);
    return opened;
  };
  for (let i = 0; i < 10; i++) assert.ok(look(1));
  assert.ok(look(2));
  assert.ok(look(2));
  assert.ok(!look(1), 'opened with two profilers outlived');
  windows.majorEnded();
  assert.ok(look(1));
  assert.ok(!windows.open(), 'opened again within a tenth of a second');
  assert.equal(windows.close(), undefined);
});
