import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createGate } from '../../../instrumentation/autoprofile/gate';
import { createIncidents, type Fired } from '../../../instrumentation/autoprofile/incidents';
import { rulesOf } from '../../../instrumentation/autoprofile/rules';
import { profilingMetrics } from '../../../instrumentation/catalogue';
import { loadConfig } from '../../../instrumentation/config/load';
import { createLog } from '../../../instrumentation/log';
import { MetricRegistry } from '../../../instrumentation/metrics/registry';
import type { RuleName } from '../../../instrumentation/names';
import type {
  CaptureKind,
  CaptureOptions,
  CaptureRecord,
  Trigger,
} from '../../../instrumentation/profiling/capture';
import { CaptureBusyError, StoreError } from '../../../instrumentation/profiling/errors';

const mib = 2 ** 20;

interface Started {
  readonly kind: CaptureKind;
  readonly options: CaptureOptions;
  readonly trigger: Trigger;
  finish(error?: Error): Promise<void>;
}

/** A profiler that only notes what it is asked for. */
function incidentsWith(
  options: { env?: Record<string, string>; heap?: { bytes: number; share: number } } = {},
) {
  const { config, problems } = loadConfig({ VITALS_AUTOPROFILE: 'true', ...options.env });
  assert.deepEqual(problems, []);
  const registry = new MetricRegistry(2000, assert.ifError);
  const lines: string[] = [];
  const started: Started[] = [];
  const refused = new Set<CaptureKind>();
  const clock = { now: 0 };
  const gate = createGate({
    warmupMs: 0,
    cooldownMs: config.autoprofileCooldownMs,
    relatedMs: 60_000,
    budget: config.autoprofileBudget,
    now: () => clock.now,
  });
  const incidents = createIncidents(
    { config, registry, log: createLog('info', line => lines.push(line.trimEnd())) },
    {
      continuous: undefined,
      profiling: {
        keep: () => assert.fail('nothing was there to be kept'),
        async start(kind, captureOptions, trigger) {
          if (refused.has(kind)) throw new CaptureBusyError(`a ${kind} capture is running`);
          let settle: (error?: Error) => void = () => {};
          const done = new Promise<CaptureRecord>((resolve, reject) => {
            settle = error => {
              if (error === undefined) resolve({ id: `${kind}-1`, kind } as CaptureRecord);
              else reject(error);
            };
          });
          const finish = async (error?: Error): Promise<void> => {
            settle(error);
            await turn();
          };
          started.push({ kind, options: captureOptions, trigger, finish });
          return { id: `${kind}-1`, stop() {}, cancel() {}, done };
        },
      },
    },
    gate,
    () => options.heap ?? { bytes: 50 * mib, share: 0.1 },
    () => 1_800_000_000_000,
  );
  const rules = rulesOf(config);
  const fired = (name: RuleName, value = 90): Fired => ({
    rule: rules.find(rule => rule.name === name)!,
    value,
    usual: 40,
    threshold: 60,
    recent: [40, 85, value],
  });
  const counts = (): Record<string, number> =>
    Object.fromEntries(
      [...registry.instrument(profilingMetrics.triggers).cells()]
        .filter(({ value }) => value > 0)
        .map(({ attributes, value }) => [
          `${attributes['vitals.autoprofile.rule']} ${attributes['vitals.autoprofile.outcome']}`,
          value,
        ]),
    );
  return {
    fired,
    started,
    refused,
    lines,
    counts,
    clock,
    registry,
    /** Lets rules fire, in the order of the rules. */
    async fire(...all: Fired[]) {
      incidents(all);
      await turn();
    },
    kinds: () => started.map(({ kind }) => kind),
  };
}

test('a capture says which rule fired, on which values', async () => {
  const t = incidentsWith({ env: { VITALS_AUTOPROFILE_DURATION_MS: '2000' } });
  await t.fire(t.fired('cpu'));
  assert.equal(t.started.length, 1);
  const { kind, options, trigger } = t.started[0]!;
  assert.deepEqual([kind, options], ['cpu', { durationMs: 2000, store: true }]);
  assert.deepEqual(trigger, {
    source: 'auto',
    reason: {
      rule: 'cpu',
      unit: '%',
      value: 90,
      usual: 40,
      threshold: 60,
      thresholds: { min: 50, rise: 50, max: 0 },
      recent: [40, 85, 90],
      intervalMs: 5000,
    },
  });
  await t.started[0]!.finish();
  assert.deepEqual(t.counts(), { 'cpu captured': 1 });
  assert.deepEqual(t.lines, ['otel-vitals info: the auto-profiler took cpu-1: cpu at 90 %, usually 40']);
  const [last] = [...t.registry.instrument(profilingMetrics.lastCapture).cells()];
  assert.equal(last!.value, 1_800_000_000);
});

test('a rule takes one capture within its cooldown, and another after it', async () => {
  const t = incidentsWith();
  for (const at of [0, 60_000, 599_999, 600_000]) {
    t.clock.now = at;
    await t.fire(t.fired('heap'));
    await t.started.at(-1)!.finish();
  }
  assert.deepEqual(t.kinds(), ['heap', 'heap']);
  assert.deepEqual(t.counts(), { 'heap captured': 2, 'heap cooldown': 2 });
});

test('rules that fire together are one incident: the first explains the others, which are named', async () => {
  const t = incidentsWith();
  await t.fire(t.fired('delay', 70), t.fired('cpu', 99));
  await t.started[0]!.finish();
  assert.deepEqual(t.kinds(), ['cpu']);
  assert.equal(t.started[0]!.trigger.reason!['rule'], 'delay');
  assert.deepEqual(t.started[0]!.trigger.reason!['also'], [{ rule: 'cpu', unit: '%', value: 99 }]);
  await t.fire(t.fired('cpu'));
  assert.deepEqual(t.counts(), { 'delay captured': 1, 'cpu cooldown': 1 });
});

test('nothing more is taken while a capture runs', async () => {
  const t = incidentsWith();
  await t.fire(t.fired('cpu'));
  await t.fire(t.fired('heap'));
  assert.deepEqual(t.kinds(), ['cpu']);
  assert.deepEqual(t.counts(), { 'heap busy': 1 });
});

test('a rule that would take again what another has just taken is part of its incident', async () => {
  const t = incidentsWith();
  await t.fire(t.fired('response', 700));
  for (const i of [0, 1]) await t.started[i]!.finish();
  await t.fire(t.fired('cpu'));
  await t.fire(t.fired('gc'));
  await t.fire(t.fired('heap'));
  assert.deepEqual(t.kinds(), ['goroutine', 'cpu', 'heap']);
  assert.deepEqual(t.counts(), { 'response captured': 1, 'cpu busy': 1, 'gc busy': 1 });
});

test('the trouble of one rule that other rules show in the next readings has one capture', async () => {
  const t = incidentsWith();
  await t.fire(t.fired('gc'));
  for (const i of [0, 1]) await t.started[i]!.finish();
  for (const name of ['cpu', 'delay', 'heap'] as const) {
    t.clock.now += 5000;
    await t.fire(t.fired(name));
  }
  assert.deepEqual(t.kinds(), ['heap', 'allocs']);
  assert.deepEqual(t.counts(), { 'gc captured': 1, 'cpu busy': 1, 'delay busy': 1, 'heap busy': 1 });
});

test('past the budget nothing is taken', async () => {
  const t = incidentsWith({ env: { VITALS_AUTOPROFILE_BUDGET: '1' } });
  await t.fire(t.fired('heap'));
  await t.started[0]!.finish();
  await t.fire(t.fired('cpu'));
  assert.deepEqual(t.kinds(), ['heap']);
  assert.deepEqual(t.counts(), { 'heap captured': 1, 'cpu budget': 1 });
});

test('a heap that is too large for a CPU profile is said, and costs no capture', async () => {
  const t = incidentsWith({ heap: { bytes: 4096 * mib, share: 0.5 } });
  await t.fire(t.fired('cpu'));
  assert.deepEqual(t.kinds(), []);
  assert.deepEqual(t.counts(), { 'cpu budget': 1 });
  assert.match(t.lines.join('\n'), /leaves cpu out: .* costs 37 of the 6 that VITALS_AUTOPROFILE_BUDGET/);
  await t.fire(t.fired('heap'));
  assert.deepEqual(t.kinds(), ['heap']);
});

test('when the heap is nearly full, only the heap is read', async () => {
  const t = incidentsWith({ heap: { bytes: 50 * mib, share: 0.75 } });
  await t.fire(t.fired('gc'), t.fired('cpu'));
  assert.deepEqual(t.kinds(), []);
  await t.fire(t.fired('gc'), t.fired('heap'));
  assert.deepEqual(t.kinds(), ['heap']);
  assert.deepEqual(t.counts(), { 'gc memory': 2, 'cpu memory': 1 });
});

test('where the first choice is not to be had, the next is taken', async () => {
  const t = incidentsWith();
  t.refused.add('allocs');
  await t.fire(t.fired('gc'));
  await t.started[0]!.finish();
  assert.deepEqual(t.kinds(), ['heap', 'cpu']);
  await t.started[1]!.finish();
  assert.deepEqual(t.counts(), { 'gc captured': 1 });
  assert.equal(t.started[0]!.options.durationMs, 0);
  assert.equal(t.started[1]!.options.durationMs, 10_000);
});

test('a full disk is a warning, and the cooldown holds all the same', async () => {
  const t = incidentsWith();
  await t.fire(t.fired('heap'));
  await t.started[0]!.finish(new StoreError('STORE_FULL', 507, 'no space left'));
  assert.deepEqual(t.counts(), { 'heap failed': 1 });
  assert.deepEqual(t.lines, [
    'otel-vitals warn: the auto-profiler (heap at 90 MiB, usually 40): no space left (STORE_FULL)',
  ]);
  await t.fire(t.fired('heap'));
  assert.deepEqual(t.kinds(), ['heap']);
});
