import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type AlertStack, type HeldAlert, startAlertStack } from '../helpers/alert-stack';

const config = join(__dirname, '..', '..', 'grafana', 'alertmanager', 'alertmanager.yml');

/** What the process to scrape shows, as long as it is there. */
const metrics = new Map<string, number>([['vitals_process_start_time_seconds', 1]]);
let target: Server;
let stack: AlertStack;
let instance: string;

before(async () => {
  target = createServer((_, response) =>
    response.end([...metrics].map(([name, value]) => `${name} ${value}\n`).join('')),
  );
  target.listen(0, '127.0.0.1');
  await once(target, 'listening');
  instance = `127.0.0.1:${(target.address() as AddressInfo).port}`;
  stack = await startAlertStack({ targets: { shop: [instance] } });
});
after(async () => {
  target?.closeAllConnections();
  target?.close();
  await stack?.close();
});

function amtool(...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync('amtool', args, { encoding: 'utf8' });
  assert.equal(status, 0, `${error?.message ?? ''}${stdout}${stderr}`);
  return stdout.trim();
}

/** Waits until Alertmanager holds alerts that fit. */
async function holds(fits: (alerts: readonly HeldAlert[]) => boolean): Promise<HeldAlert[]> {
  for (const end = Date.now() + 60_000; ; await wait(200)) {
    const alerts = await stack.held();
    if (fits(alerts)) return alerts;
    if (Date.now() > end) throw new Error(`Expected other alerts, got ${JSON.stringify(alerts)}`);
  }
}

/** Gives Alertmanager alerts, as Prometheus does. */
async function put(alerts: readonly Readonly<Record<string, string>>[]): Promise<void> {
  const answer = await fetch(`${stack.alertmanagerUrl}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(alerts.map(labels => ({ labels }))),
  });
  assert.ok(answer.ok, `${answer.status}`);
}

const is =
  (alertname: string, severity?: string) =>
  ({ labels }: Pick<HeldAlert, 'labels'>): boolean =>
    labels['alertname'] === alertname && (severity === undefined || labels['severity'] === severity);

test('amtool takes the committed configuration', () => {
  assert.match(amtool('check-config', config), /SUCCESS/);
});

test('critical alerts go to the pager, warnings to the team, and the watchdog to who waits for it', () => {
  const receiver = (...labels: string[]): string =>
    amtool('config', 'routes', 'test', `--config.file=${config}`, ...labels);
  assert.equal(receiver('alertname=VitalsTargetDown', 'severity=critical'), 'pager');
  assert.equal(receiver('alertname=VitalsGcPauses', 'severity=warning'), 'team');
  assert.equal(receiver('alertname=VitalsWatchdog', 'severity=info'), 'watchdog');
  assert.equal(receiver('alertname=Other'), 'team');
});

test('a critical alert reaches the pager, its warning is held back, and the end of it is told too', async () => {
  metrics.set('nodejs_eventloop_delay_p99_seconds', 0.6);
  const told = await stack.told(is('VitalsEventLoopDelay'));
  assert.equal(told.receiver, 'pager');
  assert.equal(told.alerts[0]!.status, 'firing');
  assert.equal(told.alerts[0]!.labels['severity'], 'critical');
  assert.equal(told.alerts[0]!.labels['instance'], instance);
  assert.match(told.alerts[0]!.annotations['summary']!, /^the event loop of shop .* is late by 600ms$/);
  const held = await holds(alerts => alerts.some(is('VitalsEventLoopDelay', 'warning')));
  assert.equal(held.find(is('VitalsEventLoopDelay', 'warning'))!.status.inhibitedBy.length, 1);

  metrics.set('nodejs_eventloop_delay_p99_seconds', 0.01);
  const over = await stack.told(
    alert => is('VitalsEventLoopDelay', 'critical')(alert) && alert.status === 'resolved',
  );
  assert.equal(over.receiver, 'pager');
  const all = stack.notifications.flatMap(({ alerts }) => alerts);
  assert.ok(!all.some(is('VitalsEventLoopDelay', 'warning')));
});

test('the watchdog reaches its receiver', async () => {
  const told = await stack.told(is('VitalsWatchdog'));
  assert.equal(told.receiver, 'watchdog');
});

test('a process that is gone is told alone: what else is said of it is held back, of others it is not', async () => {
  const labels = { job: 'shop', severity: 'warning', alertname: 'VitalsLockContention' };
  const others = [instance, 'another:1'].map(name => ({ ...labels, instance: name }));
  target.closeAllConnections();
  target.close();
  const told = await stack.told(is('VitalsTargetDown'));
  assert.equal(told.receiver, 'pager');
  await put(others);
  const held = await holds(alerts => alerts.filter(is('VitalsLockContention')).length === 2);
  const of = (name: string) =>
    held.find(alert => is('VitalsLockContention')(alert) && alert.labels['instance'] === name)!.status
      .inhibitedBy;
  assert.equal(of(instance).length, 1);
  assert.equal(of('another:1').length, 0);
});
