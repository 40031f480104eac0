import { freePort, jsonServer, load, measuredEnv, median, setups, startServer, type Window } from './spawned';
import type { BenchResult } from './types';

/** Servers are started anew this many times, as one may be luckier than the next. */
const trios = 3;
const rounds = 24;
/** The first rounds warm the servers up. */
const warmUp = 4;
const windowMs = 500;
const connections = 32;
/** Well below what the slowest set-up can do, so that latency is not that of a queue. */
const steadyRate = 4000;

/**
 * V8 enlarges the young generation while a process lives, the sooner the more is loaded: bare Node.js takes 40 s of this
 * load to come to these 16 MB, which cost it 5 %. All servers begin where they would end, so that they are alike.
 */
const nodeArgs = ['--min-semi-space-size=16'];

const names = ['bare', 'vitals', 'official'] as const;
type Name = (typeof names)[number];
type Windows = Record<Name, Window[]>;

/**
 * Throughput, CPU time and latency of a trivial JSON server with every default meter on, scraped more often than a
 * Prometheus would. Ratios are medians over windows that followed one another at once.
 */
export async function run(): Promise<BenchResult[]> {
  const full: Windows = { bare: [], vitals: [], official: [] };
  const steady: Windows = { bare: [], vitals: [], official: [] };
  for (let i = 0; i < trios; i++) await measureTrio(full, steady);

  const rps = (name: Name): number[] => full[name].map(window => window.requestsPerSecond);
  const perCpuSecond = (name: Name): number[] => full[name].map(window => 1e6 / window.cpuMicroseconds);
  const cpuAdded = (name: Name): number[] => minus(full, name, window => window.cpuMicroseconds);
  const p99Added = (name: Name): number[] => minus(steady, name, window => window.p99Microseconds);
  const row = (name: string, unit: string, figure: (name: Name) => number[], peer: Name, share?: number) => {
    const [ours, theirs] = [figure('vitals'), figure(peer)];
    const ratio =
      peer === 'bare' ? median(ours.map((value, i) => value / theirs[i]!)) : median(ours) / median(theirs);
    return {
      name,
      ours: median(ours),
      peer: median(theirs),
      peerName: peer === 'bare' ? 'bare node' : 'sdk-node set-up',
      unit,
      ratio,
      goal: share === undefined ? '' : `>= ${share}`,
      met: share === undefined ? undefined : ratio >= share,
    };
  };
  return [
    row('HTTP throughput', 'requests/s', rps, 'bare', 0.9),
    row('HTTP throughput by CPU time', 'requests per CPU second', perCpuSecond, 'bare', 0.9),
    row('HTTP throughput', 'requests/s', rps, 'official'),
    row('HTTP CPU time', 'us added per request', cpuAdded, 'official'),
    row(`HTTP p99 at ${steadyRate} requests/s`, 'us added', p99Added, 'official'),
  ];
}

/** What a set-up adds to bare Node.js, window by window. */
function minus(windows: Windows, name: Name, figure: (window: Window) => number): number[] {
  return windows[name].map((window, i) => figure(window) - figure(windows.bare[i]!));
}

async function measureTrio(full: Windows, steady: Windows): Promise<void> {
  const servers = await Promise.all(
    names.map(async name => {
      const metricsPort = name === 'bare' ? 0 : await freePort();
      const env = measuredEnv({ OTEL_EXPORTER_PROMETHEUS_PORT: String(metricsPort) });
      return { ...(await startServer(jsonServer, [...nodeArgs, ...setups[name]], env)), metricsPort };
    }),
  );
  const measure = async (into: Windows, rounds: number, rate: number): Promise<void> => {
    const windows = await load(servers, { rounds, windowMs, connections, rate });
    for (const [i, name] of names.entries()) into[name].push(...windows[i]!.slice(warmUp));
  };
  try {
    await measure(full, rounds, 0);
    await measure(steady, rounds / 2, steadyRate);
  } finally {
    for (const server of servers) await server.close();
  }
}
