import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { MemoryReport } from '../../instrumentation/diagnosis';
import { type App, preload, repository, startApp } from '../helpers/app';
import { type Samples, samplesFrom } from '../helpers/samples';

const script = join(repository, 'test/fixtures/apps/use-leaks/app.js');

/** What became of an application with one fault. */
interface Outcome {
  readonly report: MemoryReport;
  readonly samples: Samples;
  /** Codes of the findings on stderr that are of leaks: a busy machine makes others. */
  readonly found: readonly string[];
  readonly stderr: string;
}

/**
 * Runs applications side by side until the detector has seen 160 intervals, of 150 ms instead of
 * half a minute. A small young generation and an early major collection show in as short a time what lives.
 */
async function run<F extends string>(...faults: readonly F[]): Promise<Record<F, Outcome>> {
  const apps = faults.map(fault =>
    startApp(script, {
      args: [fault],
      timeoutMs: 180_000,
      // Without inlining, since what is inlined shows as its caller.
      nodeArgs: [
        '--no-turbo-inlining',
        '--no-maglev',
        '--max-semi-space-size=1',
        '--heap-growing-percent=30',
        '--require',
        preload,
      ],
      env: {
        VITALS_LEAK_INTERVAL_MS: '150',
        VITALS_LEAK_HISTORY: '160',
        VITALS_LEAK_CONFIRM: String(fault === 'map'),
      },
    }),
  );
  const outcomes = await Promise.all(apps.map(outcomeOf));
  return Object.fromEntries(faults.map((fault, i) => [fault, outcomes[i]!])) as Record<F, Outcome>;
}

async function outcomeOf(app: App): Promise<Outcome> {
  const [, text] = await app.printed(/^report (.*)\n/m);
  const samples = await samplesFrom(await app.metricsUrl());
  app.kill('SIGKILL');
  await app.exit;
  const stderr = app.stderr();
  const found = [...stderr.matchAll(/ finding (\w+_leak):/g)].map(match => match[1]!);
  return { report: JSON.parse(text!) as MemoryReport, samples, found: [...new Set(found)], stderr };
}

const suspected = (samples: Samples, kind: string): number | undefined =>
  samples.value('vitals_leak_suspected_ratio', { vitals_leak_kind: kind }) ??
  samples.value('vitals_leak_suspected', { vitals_leak_kind: kind });

const leaking = ['map', 'closure', 'listener', 'buffer', 'timer'] as const;
const sound = ['lru', 'ramp', 'sawtooth', 'table', 'steady'] as const;
let leaks: Record<(typeof leaking)[number], Outcome>;
before(async () => {
  leaks = await run(...leaking);
});

const places = { map: 'rememberOrder', closure: 'keepCallback', listener: 'subscribe' };

for (const [fault, place] of Object.entries(places)) {
  test(`a ${fault} that only grows is a leak of the heap, with the place that allocates what stays`, () => {
    const { report, samples, found, stderr } = leaks[fault as keyof typeof places];
    const { heap, buffers, resources } = report.kinds;
    assert.deepEqual(found, ['heap_leak'], `${JSON.stringify(heap)} ${stderr}`);
    assert.deepEqual([buffers.leaks, resources.leaks], [false, false]);
    assert.ok(heap.p < 0.01 && heap.perHourLow > 0 && heap.perHourLow <= heap.perHour, JSON.stringify(heap));
    assert.ok(heap.perHour <= heap.perHourHigh && heap.hoursLeftLow! <= heap.hoursLeft!);
    assert.ok(report.sites !== undefined, `${JSON.stringify(heap)} ${stderr}`);
    assert.equal(report.sites[0]!.name, place);
    assert.match(report.sites[0]!.file, /use-leaks\/app\.js$/);
    assert.match(stderr, /See docs\/runbooks\/heap-leak\.md/);
    assert.notEqual(suspected(samples, 'heap'), undefined);
    assert.ok(samples.value('vitals_leak_growth_rate_bytes_per_second', { vitals_leak_kind: 'heap' })! > 1e5);
  });
}

test('where it is asked for, a leak is confirmed by one forced collection before it is said', () => {
  const { report, stderr } = leaks.map;
  const { confirmed, kind, leftBytes, neededBytes, pauseMs } = report.confirmation!;
  assert.deepEqual([confirmed, kind], [true, 'heap']);
  assert.ok(leftBytes >= neededBytes && pauseMs > 0);
  assert.match(stderr, /left_by_forced_collection_bytes \d+/);
  assert.equal(leaks.closure.report.confirmation, undefined);
});

test('buffers that are kept are a leak of buffers, and none of the heap', () => {
  const { report, found, stderr } = leaks.buffer;
  assert.deepEqual(found, ['buffer_leak'], stderr);
  // 50 times 32 KiB a second, at most; less where the machine is busy.
  const perSecond = report.kinds.buffers.perHour / 3600;
  assert.ok(perSecond > 2e5 && perSecond < 1.8e6, String(perSecond));
  assert.match(stderr, /backpressure/i);
});

test('timers that never end are a leak of resources, named by their type, and of what they keep', () => {
  const { report, samples, found, stderr } = leaks.timer;
  assert.ok(found.includes('resource_leak'), stderr);
  assert.match(stderr, /\d+ more Timeout than at first: timers: end each setInterval/);
  assert.ok(report.snapshot!.resources['Timeout']! > 1000);
  assert.ok(suspected(samples, 'resources')! > 0);
  assert.ok(report.resourceGrowth! > 0);
});

test('a full cache, traffic that rises and falls, a saw, a big load and steady work are no leaks', async () => {
  const outcomes = await run(...sound);
  for (const fault of sound) {
    const { report, samples, found, stderr } = outcomes[fault];
    assert.deepEqual(found, [], `${fault}: ${stderr}`);
    assert.ok(report.kinds.heap.readings >= 6, `${fault}: ${JSON.stringify(report.kinds.heap)}`);
    assert.deepEqual(report.recommendations, [], fault);
    assert.equal(suspected(samples, 'buffers'), 0, fault);
  }
});
