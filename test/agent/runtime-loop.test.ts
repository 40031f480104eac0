import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Samples } from '../helpers/samples';
import { assertBetween, runScenario, samplesOf } from '../helpers/scenario';

const delay = (text: string, statistic: string): number =>
  samplesOf(text).value(`nodejs_eventloop_delay_${statistic}_seconds`)!;

/** Stalls that took longer than `from` and at most `to` seconds; both are bounds of buckets. */
function stalls(text: string, from: number, to: number): number {
  const buckets = new Samples(text).of('vitals_eventloop_stall_duration_seconds_bucket');
  const upTo = (bound: number): number =>
    buckets.find(({ labels }) => Number(labels['le']?.replace('+Inf', 'Infinity')) === bound)!.value;
  return upTo(to) - upTo(from);
}

describe('the event loop meter', () => {
  test('shows an idle loop without delay, the sampling interval subtracted, and a block as its maximum', async () => {
    const { idle, blocked } = await runScenario<{ idle: string; blocked: string }>(`
      await sleep(1500);
      const idle = await metrics();
      block(800);
      await sleep(50);
      report({ idle, blocked: await metrics() });`);
    // A busy machine delays every sample; the sampling interval alone would be 10 ms.
    assert.ok(delay(idle, 'p50') < 0.005, String(delay(idle, 'p50')));
    assert.ok(delay(idle, 'min') >= 0 && delay(idle, 'min') <= delay(idle, 'p50'));
    assertBetween(delay(blocked, 'max'), 0.77, 1.3);
    assert.ok(delay(blocked, 'p50') < 0.01, String(delay(blocked, 'p50')));
    const order = ['min', 'p50', 'p90', 'p99', 'max'].map(statistic => delay(blocked, statistic));
    assert.deepEqual(
      [...order].sort((a, b) => a - b),
      order,
    );
    assert.ok(
      delay(blocked, 'mean') >= delay(blocked, 'min') && delay(blocked, 'mean') <= delay(blocked, 'max'),
    );
    assert.ok(delay(blocked, 'stddev') >= 0);
  });

  test('counts a block over the threshold as a stall of its length, and the loading of the application as none', async () => {
    const { before, after } = await runScenario<{ before: string; after: string }>(
      `
      block(1300); // as an application that loads for long
      await sleep(100);
      const before = await metrics();
      block(400);
      await sleep(100);
      block(1500);
      await sleep(100);
      report({ before, after: await metrics() });`,
      { env: { VITALS_STALL_MS: '700' } },
    );
    assert.equal(stalls(before, 0.5, Infinity), 0);
    assert.equal(stalls(after, 0.1, 1), 0, '400 ms are below the threshold');
    assert.equal(stalls(after, 1, 2.5), 1);
    assertBetween(samplesOf(after).value('vitals_eventloop_stall_duration_seconds_sum'), 1.4, 2.2);
  });

  test('tells active and idle time and utilization as Node.js does', async () => {
    interface Truth {
      idle: number;
      active: number;
      utilization: number;
    }
    const { before, text, after } = await runScenario<{ before: Truth; text: string; after: Truth }>(`
      await sleep(300);
      block(600);
      await sleep(100);
      report(await between(() => performance.eventLoopUtilization()));`);
    for (const state of ['active', 'idle'] as const) {
      const seconds = samplesOf(text).value('nodejs_eventloop_time_seconds_total', {
        nodejs_eventloop_state: state,
      });
      assertBetween(seconds, before[state] / 1000, after[state] / 1000, 0.001);
    }
    const utilization = samplesOf(text).value('nodejs_eventloop_utilization_ratio')!;
    assertBetween(utilization, before.utilization, after.utilization, 0.1);
    assert.ok(utilization > 0.4 && utilization <= 1, String(utilization));
  });

  test('shows several readers the same, however often the others read', async () => {
    // The console exporter reads every 100 ms and must take nothing from the scrapes.
    const {
      text,
      again,
      console: printed,
    } = await runScenario<{ text: string; again: string; console: number }>(
      `
      let printed = 0;
      const { dir } = console;
      console.dir = metric => { if (metric?.descriptor?.name === 'nodejs.eventloop.delay.max') printed = Math.max(printed, metric.dataPoints[0].value); };
      await sleep(100);
      block(900);
      await sleep(1500);
      const [text, again] = await Promise.all([metrics(), sleep(20).then(metrics)]);
      report({ text, again, console: printed });`,
      { env: { OTEL_METRICS_EXPORTER: 'prometheus,console', OTEL_METRIC_EXPORT_INTERVAL: '100' } },
    );
    assertBetween(delay(text, 'max'), 0.87, 1.5);
    assert.equal(delay(again, 'max'), delay(text, 'max'));
    assert.equal(printed, delay(text, 'max'));
    for (const name of ['process_cpu_utilization_ratio', 'nodejs_eventloop_utilization_ratio']) {
      const [first, second] = [text, again].map(of => samplesOf(of).value(name)!) as [number, number];
      assertBetween(second, first, first, 0.1);
    }
  });
});

describe('reading all sources', { concurrency: 2 }, () => {
  /** The share of collections after the first ten that took at most so many seconds. */
  const quick = async (code: string, scrapes: number): Promise<{ share: number; text: string }> => {
    const { first, last } = await runScenario<{ first: string; last: string }>(`
      ${code}
      for (let i = 0; i < 10; i++) await metrics();
      const first = await metrics();
      for (let i = 0; i < ${scrapes}; i++) { await work(); await metrics(); }
      report({ first, last: await metrics() });`);
    const upTo = (text: string, le: string): number =>
      samplesOf(text).value('vitals_self_collect_duration_seconds_bucket', { le })!;
    const all = upTo(last, '+Inf') - upTo(first, '+Inf');
    assert.equal(all, scrapes + 1);
    return { share: (upTo(last, '0.001') - upTo(first, '0.001')) / all, text: last };
  };

  for (const [what, code] of [
    ['an idle process', 'const work = () => sleep(1);'],
    [
      'a process that collects garbage all the time',
      `const work = async () => { for (let i = 0; i < 10; i++) { globalThis.kept = Array.from({ length: 2e4 }, (_, i) => ({ i })); await sleep(0); } };`,
    ],
    [
      'a process with fifty thousand timers and a thousand descriptors',
      `const timers = Array.from({ length: 5e4 }, () => setTimeout(() => {}, 1e6));
       const files = Array.from({ length: 1000 }, () => require('node:fs').openSync(__filename));
       const work = () => sleep(1);`,
    ],
  ] as const) {
    test(`takes less than a millisecond in ${what}`, async () => {
      const { share, text } = await quick(code, 40);
      // On a busy machine some are interrupted; most are not.
      assert.ok(share > 0.6, `${Math.round(share * 100)} % within a millisecond`);
      assert.ok(samplesOf(text).of('v8js_resource_active').length > 0);
    });
  }
});
