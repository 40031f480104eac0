import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HeapInfo, HeapSpaceInfo } from 'node:v8';
import { assertBetween, type Between, runScenario, samplesOf } from '../helpers/scenario';

const megabyte = 2 ** 20;

/** Allocates so many arrays of a thousand elements, 8,048 bytes each, where no compiler can do without. */
const allocating = `
  const arrayBytes = 8048;
  function allocate(bytes, keep) {
    for (let left = bytes; left > 0; left -= arrayBytes) {
      globalThis.last = new Array(1000);
      if (keep) keep.push(globalThis.last);
    }
    globalThis.kept = keep;
  }
  /** The same over turns of the event loop, as requests do it. */
  async function serve(bytes, keep) {
    for (let left = bytes; left > 0; left -= 256e3) { allocate(256e3, keep); await turn(); }
  }
  const { setImmediate: turn } = require('node:timers/promises');`;

describe('the heap meter', { concurrency: 2 }, () => {
  test('shows every heap space as V8 does, the limit, and contexts', async () => {
    interface Truth {
      spaces: HeapSpaceInfo[];
      heap: HeapInfo;
    }
    const { before, text, after } = await runScenario<Between<Truth>>(`
      const vm = require('node:vm');
      const contexts = [1, 2, 3].map(() => vm.createContext({}));
      globalThis.kept = Array.from({ length: 1e6 }, (_, i) => ({ i }));
      await metrics();
      report(await between(() => ({ spaces: v8.getHeapSpaceStatistics(), heap: v8.getHeapStatistics(), contexts: contexts.length })));`);
    const samples = samplesOf(text);
    const names = before.spaces.map(({ space_name }) => space_name).sort();
    for (const [name, field] of [
      ['v8js_memory_heap_used_bytes', 'space_used_size'],
      ['v8js_memory_heap_space_size_bytes', 'space_size'],
      ['v8js_memory_heap_space_available_size_bytes', 'space_available_size'],
      ['v8js_memory_heap_space_physical_size_bytes', 'physical_space_size'],
    ] as const) {
      assert.deepEqual(samples.labels(name, 'v8js_heap_space_name'), names, name);
      for (const space of before.spaces) {
        const same = after.spaces.find(({ space_name }) => space_name === space.space_name)!;
        const value = samples.value(name, { v8js_heap_space_name: space.space_name });
        assertBetween(value, space[field], same[field], 4 * megabyte);
      }
    }
    assert.ok(
      samples.value('v8js_memory_heap_used_bytes', { v8js_heap_space_name: 'old_space' })! > 20 * megabyte,
    );
    assert.equal(samples.value('vitals_heap_limit_bytes'), before.heap.heap_size_limit);
    assert.equal(samples.value('vitals_heap_native_contexts'), before.heap.number_of_native_contexts);
    assert.ok(before.heap.number_of_native_contexts >= 4);
    assert.equal(samples.value('vitals_heap_detached_contexts'), before.heap.number_of_detached_contexts);
    assertBetween(
      samples.value('vitals_heap_malloced_bytes'),
      before.heap.malloced_memory,
      after.heap.malloced_memory,
      4 * megabyte,
    );
  });

  test('counts what is allocated, whether it is collected or kept, to within a third', async () => {
    const bytes = 256 * megabyte;
    const keptBytes = 64 * megabyte;
    const { texts } = await runScenario<{ texts: string[] }>(`
      ${allocating}
      await serve(${bytes});
      const texts = [await metrics()];
      await serve(${bytes});
      texts.push(await metrics());
      const kept = [];
      await serve(${keptBytes}, kept);
      texts.push(await metrics());
      await sleep(200);
      texts.push(await metrics());
      report({ texts, kept: kept.length });`);
    const [start, dropped, kept, idle] = texts.map(
      text => samplesOf(text).value('vitals_heap_allocated_bytes_total')!,
    ) as [number, number, number, number];
    assertBetween(dropped - start, bytes, bytes, bytes / 3);
    assertBetween(kept - dropped, keptBytes, keptBytes * 1.2, keptBytes / 3);
    assert.ok(idle >= kept && idle - kept < 8 * megabyte, `${idle - kept} bytes while idle`);
  });

  test('counts what was promoted and freed: what is allocated is freed, or there', async () => {
    interface Reading {
      text: string;
      used: number;
    }
    const keptBytes = 96 * megabyte;
    const { first, last } = await runScenario<{ first: Reading; last: Reading }>(`
      ${allocating}
      await serve(32e6);
      const read = async () => { const text = await metrics(); return { text, used: v8.getHeapStatistics().used_heap_size }; };
      const first = await read();
      const kept = [];
      await serve(${keptBytes}, kept);
      await serve(${keptBytes});
      const last = await read();
      kept.length = 0;
      gc();
      await sleep(50);
      report({ first, last, end: await metrics() });`).then(result => {
      const { end } = result as unknown as { end: string };
      const freedByMajor = samplesOf(end).value('vitals_gc_freed_bytes_total', { v8js_gc_type: 'major' })!;
      assert.ok(
        freedByMajor > keptBytes * 0.7,
        `${freedByMajor} freed by the forced collection of ${keptBytes}`,
      );
      return result;
    });
    const grew = (name: string, labels = {}): number =>
      samplesOf(last.text).value(name, labels)! - samplesOf(first.text).value(name, labels)!;
    // Major collections move out of the young generation too, each up to all that it holds, which is no promotion.
    assertBetween(grew('vitals_heap_promoted_bytes_total'), keptBytes * 0.3, keptBytes * 1.35);
    const freed = grew('vitals_gc_freed_bytes_total');
    assert.ok(freed > keptBytes * 0.6, `${freed} freed of ${keptBytes} and more`);
    // Collections themselves may let the heap grow a little, which nobody allocated.
    const kept = grew('vitals_heap_allocated_bytes_total') - freed;
    assertBetween(kept, last.used - first.used, last.used - first.used, keptBytes * 0.15);
  });

  test('shows what a major collection left that nobody forced, and takes no word from a forced one', async () => {
    interface Result {
      before: string;
      forced: string;
      unforced: string;
      smaller: string;
    }
    const keptBytes = 64 * megabyte;
    const { before, forced, unforced, smaller } = await runScenario<Result>(`
      ${allocating}
      let majors = 0;
      new PerformanceObserver(list => {
        for (const { detail } of list.getEntries())
          if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR && !(detail.flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED)) majors++;
      }).observe({ entryTypes: ['gc'] });
      const before = await metrics();
      gc(); await sleep(30);
      const forced = await metrics();
      let kept = [];
      allocate(${keptBytes}, kept);
      const ring = [];
      /** Lets objects die in the old space, as a queue does, until V8 collects it by itself. */
      async function untilMajor() {
        for (const seen = majors; majors === seen; await sleep(2)) {
          const part = [];
          allocate(4e6, part);
          if (ring.push(part) > 8) ring.shift();
        }
      }
      await untilMajor(); await untilMajor();
      await sleep(30);
      const unforced = await metrics();
      kept = globalThis.kept = undefined;
      await untilMajor(); await untilMajor(); await untilMajor();
      await sleep(30);
      report({ before, forced, unforced, smaller: await metrics() });`);
    const live = (text: string): number | undefined => samplesOf(text).value('vitals_heap_live_bytes');
    // Loading the scenario may have had one already.
    assert.equal(live(forced), live(before));
    assert.ok(live(unforced)! >= keptBytes * 0.95, `${live(unforced)} with ${keptBytes} kept`);
    // What is allocated while V8 marks counts as alive until the next time.
    assert.ok(live(unforced)! < keptBytes * 2.5, `${live(unforced)} with ${keptBytes} kept`);
    assert.ok(live(smaller)! < live(unforced)! - keptBytes / 2, `${live(smaller)} with nothing kept`);
  });

  test('works alone, without the meter of collections', async () => {
    const { text } = await runScenario<{ text: string }>(
      `${allocating} await serve(64e6); await sleep(30); report({ text: await metrics() });`,
      { env: { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'gc' } },
    );
    const samples = samplesOf(text);
    assert.ok(samples.value('vitals_heap_allocated_bytes_total')! > 32e6);
    assert.equal(samples.of('v8js_gc_duration_seconds_count').length, 0);
  });
});

describe('the meter of collections', () => {
  test('counts every collection by kind, those that code forced apart, and their pauses', async () => {
    type Counts = Record<string, { count: number; seconds: number }>;
    interface Reading {
      counts: Counts;
      text: string;
    }
    const { start, end } = await runScenario<{ start: Reading; end: Reading }>(`
      ${allocating}
      const kinds = {
        [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major', [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor', 2: 'minor',
        [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental', [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
      };
      const counts = {};
      new PerformanceObserver(list => {
        for (const { duration, detail } of list.getEntries()) {
          const forced = detail.flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED ? 'true' : '';
          const of = counts[kinds[detail.kind] + ' ' + forced] ??= { count: 0, seconds: 0 };
          of.count++;
          of.seconds += duration / 1000;
        }
      }).observe({ entryTypes: ['gc'] });
      /** A scrape during which nothing was collected. */
      async function quiet() {
        for (;;) {
          await sleep(30);
          const before = structuredClone(counts);
          const text = await metrics();
          await sleep(30);
          if (JSON.stringify(before) === JSON.stringify(counts)) return { counts: before, text };
        }
      }
      const start = await quiet();
      for (let i = 0; i < 6; i++) {
        const kept = [];
        allocate(40e6, kept);
        allocate(20e6);
        if (i % 2) gc();
        gc({ type: 'minor' });
        await sleep(2);
      }
      report({ start, end: await quiet() });`);
    const from = samplesOf(start.text);
    const to = samplesOf(end.text);
    const kinds = Object.keys(end.counts);
    assert.ok(
      ['minor ', 'minor true', 'major true'].every(kind => kinds.includes(kind)),
      kinds.join(),
    );
    for (const [kind, truth] of Object.entries(end.counts)) {
      const [type, forced] = kind.split(' ') as [string, string];
      const labels = { v8js_gc_type: type, vitals_gc_forced: forced === '' ? undefined : forced };
      const before = start.counts[kind] ?? { count: 0, seconds: 0 };
      const grew = (name: string): number =>
        to.value(`v8js_gc_duration_seconds_${name}`, labels)! -
        (from.value(`v8js_gc_duration_seconds_${name}`, labels) ?? 0);
      assert.equal(grew('count'), truth.count - before.count, kind);
      const seconds = truth.seconds - before.seconds;
      assertBetween(grew('sum'), seconds, seconds, 1e-6);
    }
    assert.equal(to.of('v8js_gc_duration_seconds_count').length, kinds.length);
  });
});
