import { setTimeout as wait } from 'node:timers/promises';
import { localUrl, portOr } from './ports';
import { parseSamples } from './prometheus-text';
import { redisForDemo, withoutPassword } from './redis';
import { startPostgres } from './servers/postgres';
import { ServerStartError } from './servers/server-process';
import type { ShopProcess } from './shop-process';
import { startGatewayProcess, startShopProcess } from './shop-process';

/** Everything that the demo runs. */
export interface Stack {
  readonly shop: ShopProcess;
  readonly metricsUrl: string;
  /** Ends all of it, the shop first. */
  close(): Promise<void>;
}

/** Where the demo tells what it does, and passes on what the shop complains of. */
export interface Output {
  say(line: string): void;
  complain(text: string): void;
}

const host = '127.0.0.1';
const attempts = 3;
const metricsWaitMs = 10_000;
const portTaken = /EADDRINUSE/;

/** Starts PostgreSQL, Redis where there is one, the payment gateway, and the shop on them. */
export async function startStack({ say, complain }: Output): Promise<Stack> {
  const postgres = await startPostgres();
  say(`PostgreSQL  ${withoutPassword(postgres.url)} (${postgres.origin})`);
  const redis = await redisForDemo(say);
  const payment = await startGatewayProcess();
  payment.onComplaint(complain);
  say(`payment     ${payment.url} (process ${payment.pid})`);
  const { shop, metricsUrl, adminUrl } = await startShop(
    { DATABASE_URL: postgres.url, REDIS_URL: redis?.url ?? '', PAYMENT_URL: payment.url },
    say,
  );
  shop.onComplaint(complain);
  say(`shop        ${shop.url} (process ${shop.pid})`);
  say(`metrics     ${metricsUrl}`);
  if (adminUrl !== undefined) say(`admin       ${adminUrl}`);
  return {
    shop,
    metricsUrl,
    async close() {
      await shop.close();
      await Promise.all([redis?.close(), postgres.close(), payment.close()]);
    },
  };
}

interface Started {
  readonly shop: ShopProcess;
  readonly metricsUrl: string;
  readonly adminUrl: string | undefined;
}

/** Starts the shop; again where another process, such as a second demo, was faster to take one of its ports. */
async function startShop(servers: NodeJS.ProcessEnv, say: Output['say']): Promise<Started> {
  const metricsHost = process.env['OTEL_EXPORTER_PROMETHEUS_HOST'] || host;
  const adminHost = process.env['VITALS_ADMIN_HOST'] || host;
  // Off in an application unless it is asked for; here it is part of what there is to see.
  const withAdmin = (process.env['VITALS_ADMIN'] || 'true').trim().toLowerCase() === 'true';
  for (let attempt = 1; ; attempt++) {
    const port = await portOr('PORT', 3000, host, say);
    const metricsPort = await portOr('OTEL_EXPORTER_PROMETHEUS_PORT', 9464, metricsHost, say);
    const adminPort = withAdmin ? await portOr('VITALS_ADMIN_PORT', 6060, adminHost, say) : 0;
    const metricsUrl = localUrl(metricsHost, metricsPort, '/metrics');
    const adminUrl = localUrl(adminHost, adminPort);
    try {
      const shop = await startShopProcess({
        ...servers,
        HOST: host,
        PORT: String(port),
        OTEL_SDK_DISABLED: 'false',
        OTEL_SERVICE_NAME: process.env['OTEL_SERVICE_NAME'] || 'mall',
        OTEL_METRICS_EXPORTER: withPrometheus(process.env['OTEL_METRICS_EXPORTER']),
        OTEL_EXPORTER_PROMETHEUS_HOST: metricsHost,
        OTEL_EXPORTER_PROMETHEUS_PORT: String(metricsPort),
        VITALS_ADMIN: String(withAdmin),
        ...(withAdmin && { VITALS_ADMIN_PORT: String(adminPort) }),
      });
      const metrics = await servesMetrics(metricsUrl, shop.pid);
      const admin = withAdmin && (await answers(adminUrl));
      if (metrics && !portTaken.test(shop.complaints())) {
        return { shop, metricsUrl, adminUrl: admin ? adminUrl : undefined };
      }
      await shop.close();
      throw new ServerStartError(`the shop's metrics are not at ${metricsUrl}\n${shop.complaints()}`.trim());
    } catch (error) {
      if (attempt === attempts || !portTaken.test(String(error))) throw error;
    }
  }
}

function withPrometheus(exporters: string | undefined): string {
  const others = (exporters ?? '')
    .split(',')
    .filter(name => !['', 'none', 'prometheus'].includes(name.trim()));
  return ['prometheus', ...others].join(',');
}

/** Whether the metrics at `url` become those of the process `pid`, and are not those of another that has the port. */
async function servesMetrics(url: string, pid: number): Promise<boolean> {
  for (const end = Date.now() + metricsWaitMs; Date.now() < end; await wait(100)) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(2000) });
      const target = parseSamples(await answer.text()).find(({ name }) => name === 'target_info');
      // Unless the process is left out of OTEL_NODE_RESOURCE_DETECTORS.
      if (answer.ok && target !== undefined) return (target.labels['process_pid'] ?? `${pid}`) === `${pid}`;
    } catch {
      // Not yet: asked again until the deadline.
    }
  }
  return false;
}

async function answers(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(2000) }).then(
    () => true,
    () => false,
  );
}
