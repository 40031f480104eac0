import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gcMetrics, heapMetrics } from '../../../../instrumentation/catalogue';
import { createPauses } from '../../../../instrumentation/diagnosis/gc/pauses';
import { gcStatsSource } from '../../../../instrumentation/diagnosis/gc/stats';
import type { GcListener } from '../../../../instrumentation/meters/gc-source';
import { MetricRegistry } from '../../../../instrumentation/metrics/registry';

test('pauses have their count, total, mean, extremes and percentiles', () => {
  const all = createPauses();
  for (let i = 100; i >= 1; i--) all.add(i);
  assert.deepEqual(all.stats(), {
    count: 100,
    totalMs: 5050,
    meanMs: 50.5,
    minMs: 1,
    maxMs: 100,
    p50Ms: 50,
    p95Ms: 95,
    p99Ms: 99,
  });
});

test('percentiles are of the last 512, and of none they are 0', () => {
  const all = createPauses();
  assert.deepEqual([all.stats().p99Ms, all.stats().minMs], [0, 0]);
  for (let i = 0; i < 600; i++) all.add(i < 88 ? 1000 : 1);
  assert.deepEqual([all.stats().p99Ms, all.stats().maxMs, all.stats().count], [1, 1000, 600]);
});

test('shares and rates are of the window, and forced collections are counted apart', () => {
  let listener: GcListener = () => {};
  let time = 0;
  let waitedMs = 0;
  const registry = new MetricRegistry(100, error => assert.fail(String(error)));
  const source = gcStatsSource(
    registry,
    {
      subscribe(given) {
        listener = given;
        return () => {};
      },
    },
    {
      flags: ['--max-semi-space-size=32'],
      longMs: 100,
      now: () => time,
      scheduling: () => ({ ranMs: 0, waitedMs }),
    },
  );
  const collect = (type: 'minor' | 'major' | 'incremental', ms: number, forced = false): void =>
    listener([{ type, seconds: ms / 1000, forced }]);
  registry.instrument(gcMetrics.freed).with({ 'v8js.gc.type': 'minor' }).add(1);
  collect('major', 500);
  // Seven ticks: the window then begins at the second of them.
  for (let i = 0; i < 7; i++) {
    source.tick();
    time += 10_000;
    for (let j = 0; j < 10; j++) collect('minor', 20);
    collect('incremental', 30);
    collect('major', 70, true);
    registry.instrument(heapMetrics.promoted).with({}).add(10_000_000);
  }
  const stats = source.read();
  assert.equal(stats.windowSeconds, 60);
  assert.deepEqual([stats.collections, stats.forcedCollections], [78, 7]);
  assert.deepEqual(
    [stats.minorPerSecond, stats.minorFraction, stats.majorFraction, stats.pauseFraction].map(value =>
      Number(value.toFixed(4)),
    ),
    [1, 0.02, 0.003, 0.023],
  );
  assert.equal(stats.promotionBytesPerSecond, 1e6);
  assert.deepEqual(stats.longMajors, { count: 1, maxMs: 500, overMinutes: 10 });
  // Two in which the thread waited for a CPU for most of the time, and two that are long.
  collect('major', 150);
  waitedMs = 100;
  collect('major', 190);
  collect('major', 101);
  collect('major', 100);
  assert.deepEqual(source.read().longMajors, { count: 3, maxMs: 500, overMinutes: 10 });
  time += 600_000;
  source.tick();
  assert.equal(source.read().longMajors.count, 0);
  assert.equal(stats.kinds.minor.totalMs, 1400);
  assert.equal(stats.maxSemiSpaceBytes, 32 * 2 ** 20);
  assert.ok(stats.liveBytes > 0 && stats.heapLimitBytes > stats.oldGenerationLimitBytes);
});
