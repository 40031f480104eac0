import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Load, startLoad } from '../../mall/demo/load';
import { type FaultEntry, type FaultName, faultTable } from '../../mall/faults/table';
import { type AdminApp, startAdminApp } from './admin-app';
import { repository } from './app';
import { call, type MallServers, startMallServers } from './mall';
import { type Samples, samplesFrom } from './samples';

/** What a shop found wrong with itself. */
export interface FoundFinding {
  readonly code: string;
  readonly subject: string;
  readonly evidence: Readonly<Record<string, number | string>>;
}

/** A shop under the preload whose faults are to be had, on servers of its own, with customers in it. */
export interface FaultShop {
  readonly url: string;
  readonly servers: MallServers;
  readonly admin: AdminApp;
  start(name: FaultName, parameters?: Readonly<Record<string, number>>): Promise<void>;
  heal(name: FaultName): Promise<void>;
  samples(): Promise<Samples>;
  /** Waits until `read` of a scrape gives a value that `wanted` takes, and gives it. */
  metric(
    read: (samples: Samples) => number | undefined,
    wanted: (value: number) => boolean,
    timeoutMs?: number,
  ): Promise<number>;
  /** Waits until `GET /vitals` has the finding that the table names for the fault, about a subject that is `about`. */
  finding(name: FaultName, about: RegExp, timeoutMs?: number): Promise<FoundFinding>;
  close(): Promise<void>;
}

export interface FaultShopOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeArgs?: readonly string[];
  /** Requests a second of the customers. @default 40 */
  readonly rate?: number;
  /** Called once the servers are there and the shop is not. */
  readonly beforeShop?: () => void;
}

/** Longest that one finding is waited for: four looks of the diagnosis, and a machine that is busy. */
const findingMs = 90_000;

export async function startFaultShop({
  env = {},
  nodeArgs,
  rate = 40,
  beforeShop,
}: FaultShopOptions = {}): Promise<FaultShop> {
  const servers = await startMallServers();
  let admin: AdminApp | undefined;
  let load: Load | undefined;
  const close = async (): Promise<void> => {
    await load?.stop();
    admin?.app.kill('SIGKILL');
    await admin?.app.exit;
    await servers.close();
  };
  try {
    beforeShop?.();
    admin = await startAdminApp(join(repository, 'dist', 'mall', 'main.js'), {
      timeoutMs: 480_000,
      ...(nodeArgs && { nodeArgs }),
      env: {
        ...(servers.env() as Record<string, string>),
        MALL_FAULTS: 'on',
        OTEL_METRICS_EXPORTER: 'prometheus',
        ...env,
      },
    });
    const { app, json } = admin;
    const [, url] = await app.printed(/"url":"([^"]+)"/);
    const metricsUrl = await app.metricsUrl();
    load = startLoad(url!, rate);
    const ok = async (method: string, path: string, wanted: number, body?: object): Promise<void> => {
      const { status, body: answer } = await call(url!, method, path, body);
      if (status !== wanted) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(answer)}`);
    };
    return {
      url: url!,
      servers,
      admin,
      start: (name, parameters = {}) => ok('POST', `/faults/${name}`, 201, { seconds: 240, ...parameters }),
      heal: name => ok('DELETE', `/faults/${name}`, 200),
      samples: () => samplesFrom(metricsUrl),
      async metric(read, wanted, timeoutMs = 20_000) {
        let value: number | undefined;
        for (const end = Date.now() + timeoutMs; Date.now() < end; await wait(200)) {
          value = read(await samplesFrom(metricsUrl));
          if (value !== undefined && wanted(value)) return value;
        }
        throw new Error(`Expected the metric to move, it is ${value} after ${timeoutMs} ms`);
      },
      async finding(name, about, timeoutMs = findingMs) {
        const { finding: code }: FaultEntry['shows'] = faultTable[name].shows;
        let open: readonly FoundFinding[] = [];
        for (const end = Date.now() + timeoutMs; Date.now() < end; await wait(500)) {
          ({ open } = (await json<{ findings: { open: FoundFinding[] } }>('/vitals')).findings);
          const found = open.find(one => one.code === code && about.test(one.subject));
          if (found !== undefined) return found;
        }
        const others = open.map(one => `${one.code} ${one.subject}`).join(', ');
        throw new Error(
          `Expected the finding ${JSON.stringify(code)} about ${about}, got ${others || 'none'}`,
        );
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
