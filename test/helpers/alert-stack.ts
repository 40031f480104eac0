import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { ruleFiles } from '../../grafana/src/rules';
import { ruleFile } from '../../grafana/src/rules/rule';
import { removeFolder, temporaryFolder } from '../../mall/demo/servers/lifetime';
import { startServerProcess } from '../../mall/demo/servers/server-process';
import { type StackPrometheus, stackConfiguration, startPrometheus, type Targets } from './stack-prometheus';

/** An alert as Alertmanager tells it. */
export interface ToldAlert {
  readonly status: 'firing' | 'resolved';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What reached a receiver. */
export interface Notification {
  readonly receiver: string;
  readonly alerts: readonly ToldAlert[];
  /** When it came, by `Date.now()`. */
  readonly at: number;
}

/** An alert as Alertmanager's API has it. */
export interface HeldAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly status: { readonly state: string; readonly inhibitedBy: readonly string[] };
}

export interface AlertStack {
  readonly prometheus: StackPrometheus;
  readonly alertmanagerUrl: string;
  readonly notifications: readonly Notification[];
  /** Waits for an alert that was told, not before `since`, and gives the receiver and when. Fails after `patienceMs`. */
  told(
    fits: (alert: ToldAlert, receiver: string) => boolean,
    patienceMs?: number,
    since?: number,
  ): Promise<Notification>;
  /** What Alertmanager holds now. */
  held(): Promise<HeldAlert[]>;
  close(): Promise<void>;
}

export interface AlertStackOptions {
  readonly targets: Targets;
  /** How much faster than committed windows, `for` and Alertmanager's waits run. @default 60 */
  readonly factor?: number;
}

/** Two scrapes fit into the shortest window, and one more that is late. */
const leastWindowSeconds = 5;
const committed = join(__dirname, '..', '..', 'grafana', 'alertmanager', 'alertmanager.yml');

interface Route {
  receiver: string;
  group_wait?: string;
  group_interval?: string;
  repeat_interval?: string;
  routes?: Route[];
}

/**
 * A real Prometheus and a real Alertmanager on loopback, with the rules and the configuration that the compose stack
 * has, on a faster clock; every receiver is a webhook to this process. They end with it.
 */
export async function startAlertStack({ targets, factor = 60 }: AlertStackOptions): Promise<AlertStack> {
  const notifications: Notification[] = [];
  const receiver = await startReceiver(notifications);
  const folder = temporaryFolder('vitals-alerts-');
  const alertmanager = await startAlertmanager(folder, receiver.url, factor);
  const config = stackConfiguration(folder, targets);
  for (const [name, rules] of Object.entries(ruleFiles({ factor, leastWindowSeconds }))) {
    writeFileSync(join(folder, 'rules', `${name}.yml`), ruleFile(rules));
  }
  writeFileSync(
    join(folder, 'prometheus', 'targets', 'alertmanager.yml'),
    stringify([{ targets: [new URL(alertmanager.url).host] }]),
  );
  const settings = parse(readFileSync(config, 'utf8')) as { global: Record<string, string> };
  settings.global = { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' };
  writeFileSync(config, stringify(settings));
  // What is sent before Alertmanager is found would be sent again after a minute only.
  const prometheus = await startPrometheus(folder, config, ['--rules.alert.resend-delay=2s']);
  return {
    prometheus,
    alertmanagerUrl: alertmanager.url,
    notifications,
    async told(fits, patienceMs = 60_000, since = 0) {
      for (const end = Date.now() + patienceMs; Date.now() < end; await wait(100)) {
        const found = notifications.find(
          one => one.at >= since && one.alerts.some(alert => fits(alert, one.receiver)),
        );
        if (found !== undefined) return found;
      }
      throw new Error(
        `Expected another notification within ${patienceMs} ms, got ${JSON.stringify(notifications.map(summary))}`,
      );
    },
    held: async () => (await (await fetch(`${alertmanager.url}/api/v2/alerts`)).json()) as HeldAlert[],
    async close() {
      await prometheus.close();
      await alertmanager.close();
      await receiver.close();
      removeFolder(folder);
    },
  };
}

function summary({ receiver, alerts }: Notification): string {
  return `${receiver}: ${alerts.map(({ labels, status }) => `${labels['alertname']} ${labels['severity']} ${status}`).join(', ')}`;
}

async function startReceiver(
  notifications: Notification[],
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { receiver, alerts } = JSON.parse(body) as { receiver: string; alerts: ToldAlert[] };
    notifications.push({ receiver, alerts, at: Date.now() });
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function startAlertmanager(
  folder: string,
  webhook: string,
  factor: number,
): Promise<{ url: string; close(): Promise<void> }> {
  const file = join(folder, 'alertmanager.yml');
  writeFileSync(file, stringify(withWebhooks(webhook, factor)));
  const { port, close } = await startServerProcess({
    name: 'prometheus-alertmanager (run `node scripts/setup.mjs prometheus-alertmanager` as root)',
    command: 'prometheus-alertmanager',
    args: free => [
      `--config.file=${file}`,
      `--storage.path=${join(folder, 'alertmanager')}`,
      `--web.listen-address=127.0.0.1:${free}`,
      '--cluster.listen-address=',
    ],
    ready: /Listening on/,
  });
  return { url: `http://127.0.0.1:${port}`, close };
}

/** The committed configuration with a webhook for every receiver, and its waits shortened. */
function withWebhooks(url: string, factor: number): unknown {
  const config = parse(readFileSync(committed, 'utf8')) as { route: Route; receivers: { name: string }[] };
  const shorten = (route: Route): Route => {
    const shorter = { ...route };
    for (const key of ['group_wait', 'group_interval', 'repeat_interval'] as const) {
      const text = route[key];
      if (text !== undefined) shorter[key] = shortened(text, factor, key === 'group_wait' ? 0 : 1000);
    }
    if (route.routes !== undefined) shorter.routes = route.routes.map(shorten);
    return shorter;
  };
  return {
    ...config,
    route: shorten(config.route),
    receivers: config.receivers.map(({ name }) => ({
      name,
      webhook_configs: [{ url, send_resolved: true }],
    })),
  };
}

function shortened(text: string, factor: number, leastMs: number): string {
  const [, count, unit] = /^(\d+)([smh])$/.exec(text) ?? [];
  const seconds = Number(count) * { s: 1, m: 60, h: 3600 }[unit as 's' | 'm' | 'h'];
  return `${Math.max(Math.round((seconds * 1000) / factor), leastMs)}ms`;
}
