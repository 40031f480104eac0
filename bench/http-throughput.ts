import {
  freePort,
  jsonServer,
  type LoadResult,
  load,
  measuredEnv,
  median,
  type Server,
  setups,
  startServer,
} from './spawned';
import type { BenchResult } from './types';

/** Each trio of fresh servers is measured in this many windows, which take turns. */
const trios = 3;
const windows = 8;
const windowMs = 1000;
const connections = 32;
/** Well below what the slowest of the set-ups can do, for latency without a queue. */
const steadyRate = 4000;

const names = ['bare', 'vitals', 'official'] as const;
type Name = (typeof names)[number];
type Measured = Record<Name, LoadResult[]>;

/** Throughput, CPU time and latency of a trivial JSON server under load, every default meter on and scraped. */
export async function run(): Promise<BenchResult[]> {
  const full: Measured = { bare: [], vitals: [], official: [] };
  const steady: Measured = { bare: [], vitals: [], official: [] };
  for (let i = 0; i < trios; i++) await measureTrio(full, steady);

  const of = (measured: Measured, name: Name, figure: keyof LoadResult): number =>
    median(measured[name].map(result => result[figure]));
  const row = (
    name: string,
    unit: string,
    [ours, peer, peerName]: readonly [number, number, string],
    goal?: (ratio: number) => boolean,
    words = '',
  ): BenchResult => {
    const ratio = ours / peer;
    return { name, ours, peer, peerName, unit, ratio, goal: words, met: goal?.(ratio) };
  };
  const rps = (name: Name): number => of(full, name, 'requestsPerSecond');
  const cpu = (name: Name): number => of(full, name, 'cpuMicroseconds') - of(full, 'bare', 'cpuMicroseconds');
  const p99 = (name: Name): number => of(steady, name, 'p99') - of(steady, 'bare', 'p99');
  return [
    row(
      'HTTP throughput',
      'requests/s',
      [rps('vitals'), rps('bare'), 'bare'],
      ratio => ratio >= 0.9,
      '>= 0.9',
    ),
    row('HTTP throughput', 'requests/s', [rps('vitals'), rps('official'), 'sdk-node set-up']),
    row('HTTP CPU time', 'us added per request', [cpu('vitals'), cpu('official'), 'sdk-node set-up']),
    row(`HTTP p99 at ${steadyRate}/s`, 'us added', [p99('vitals'), p99('official'), 'sdk-node set-up']),
  ];
}

async function measureTrio(full: Measured, steady: Measured): Promise<void> {
  const servers = new Map<Name, { server: Server; metricsPort: number }>();
  try {
    for (const name of names) {
      const metricsPort = name === 'bare' ? 0 : await freePort();
      const env = measuredEnv({ OTEL_EXPORTER_PROMETHEUS_PORT: String(metricsPort) });
      servers.set(name, { server: await startServer(jsonServer, setups[name], env), metricsPort });
    }
    // The first windows warm the servers up and are not counted.
    for (let i = -2; i < windows; i++) {
      for (const [name, { server, metricsPort }] of servers) {
        const result = await load(server, { ms: windowMs, connections, rate: 0, metricsPort });
        if (i >= 0) full[name].push(result);
      }
    }
    for (let i = 0; i < windows / 2; i++) {
      for (const [name, { server, metricsPort }] of servers) {
        steady[name].push(await load(server, { ms: windowMs, connections, rate: steadyRate, metricsPort }));
      }
    }
  } finally {
    for (const { server } of servers.values()) await server.close();
  }
}
