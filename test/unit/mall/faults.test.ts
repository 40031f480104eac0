import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { grafanaFiles } from '../../../grafana/src';
import { catalogue } from '../../../instrumentation/catalogue';
import { findingCodes } from '../../../instrumentation/diagnosis/codes';
import { createFaults } from '../../../mall/faults/faults';
import { type FaultEntry, faultFamilies, faultTable } from '../../../mall/faults/table';
import { readBoards } from '../../helpers/boards';

const entries = Object.entries(faultTable) as [string, FaultEntry][];

test('every metric, alert, finding and panel that a fault names is there', () => {
  const alerts = new Set(
    [...grafanaFiles()]
      .filter(([path]) => path.startsWith('grafana/rules/'))
      .flatMap(([, text]) => [...text.matchAll(/^\s*- alert: (\w+)$/gm)].map(([, name]) => name)),
  );
  assert.ok(alerts.size > 20);
  const metrics = new Set<string>(catalogue.map(({ name }) => name));
  const panels = new Map(
    readBoards().map(({ title, panels: own }) => [
      title,
      own.flatMap(panel => [panel, ...(panel.panels ?? [])]).map(panel => panel.title),
    ]),
  );
  for (const [name, { shows }] of entries) {
    assert.ok(metrics.has(shows.metric), `${name}: ${shows.metric}`);
    assert.ok(panels.get(shows.panel.board)?.includes(shows.panel.title), `${name}: ${shows.panel.title}`);
    if (typeof shows.alert === 'string') assert.ok(alerts.has(shows.alert), `${name}: ${shows.alert}`);
    else assert.ok(shows.alert.none.length > 20, name);
    if (typeof shows.finding === 'string') {
      assert.ok(findingCodes.includes(shows.finding as never), `${name}: ${shows.finding}`);
    } else assert.ok(shows.finding.none.length > 20, name);
  }
});

test('the panel that a fault names asks for the metric that it names', () => {
  const queries = new Map(
    readBoards().flatMap(({ title: board, panels }) =>
      panels
        .flatMap(panel => [panel, ...(panel.panels ?? [])])
        .map(({ title, targets = [] }) => [`${board}: ${title}`, targets.map(({ expr }) => expr).join('\n')]),
    ),
  );
  for (const [name, { shows }] of entries) {
    const expr = queries.get(`${shows.panel.board}: ${shows.panel.title}`) ?? '';
    assert.ok(expr.includes(shows.metric.replaceAll('.', '_')), `${name}: ${shows.metric} in ${expr}`);
  }
});

test('every fault is of a family, lasts a bounded time, and has presets within its bounds', () => {
  for (const [name, { family, seconds, parameters, does }] of entries) {
    assert.ok(faultFamilies.includes(family), name);
    assert.ok(seconds >= 30 && seconds <= 3600, name);
    assert.match(does, /\.$/);
    for (const [key, { preset, min, max }] of Object.entries(parameters)) {
      assert.ok(preset >= min && preset <= max && min >= 1, `${name}: ${key}`);
      assert.notEqual(key, 'seconds');
    }
  }
  for (const family of faultFamilies)
    assert.ok(
      entries.some(([, one]) => one.family === family),
      family,
    );
});

/** Only faults that need no shop are made here. */
const context = { complain: (error: unknown) => assert.fail(String(error)) } as unknown as Parameters<
  typeof createFaults
>[0];

test('a fault ends after its time although nobody heals it, and can be made again', async () => {
  const faults = createFaults(context);
  const { since, until } = await faults.start('error-burst', 0.05, { percent: 100 });
  assert.equal(until! - since!, 50);
  assert.equal(faults.fails('/products'), true);
  assert.equal(faults.fails('/faults/error-burst'), false);
  await assert.rejects(faults.start('error-burst', 1, {}), { statusCode: 409, code: 'fault_active' });
  for (const end = Date.now() + 10_000; faults.states().some(({ active }) => active); await wait(5)) {
    assert.ok(Date.now() < end, 'it is still on');
  }
  assert.equal(faults.fails('/products'), false);
  await faults.start('error-burst', 60, { percent: 100 });
  assert.equal((await faults.heal('error-burst')).active, false);
  assert.equal(faults.fails('/products'), false);
});

test('a fault that cannot be made is not on, and says why', async () => {
  const faults = createFaults({ ...context, paymentUrl: 'http://127.0.0.1:1' });
  await assert.rejects(faults.start('slow-payment', 60, {}), { statusCode: 503, code: 'fault_failed' });
  await assert.rejects(faults.start('redis-down', 60, {}), { statusCode: 409, code: 'fault_impossible' });
  assert.ok(faults.states().every(({ active }) => !active));
});

test('a shop that ends heals what is on', async () => {
  const faults = createFaults(context);
  await faults.start('timer-leak', 60, { perSecond: 1000 });
  await faults.start('error-burst', 60, {});
  const timers = (): number => process.getActiveResourcesInfo().filter(type => type === 'Timeout').length;
  while (timers() < 40) await wait(20);
  await faults.close();
  assert.ok(timers() < 10, String(timers()));
  assert.ok(faults.states().every(({ active }) => !active));
});
