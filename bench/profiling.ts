import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, jsonServer, load, measuredEnv, median, setups, startServer, type Window } from './spawned';
import type { BenchResult } from './types';

/** As in `http-throughput`, whose words hold here too. */
const trios = 3;
const rounds = 24;
const warmUp = 4;
const windowMs = 500;
const connections = 32;
const steadyRate = 4000;
const nodeArgs = ['--min-semi-space-size=16', ...setups.vitals];

const names = ['plain', 'continuous', 'auto'] as const;
type Name = (typeof names)[number];
type Windows = Record<Name, Window[]>;

/**
 * What profiling costs the trivial JSON server, beside the same server with the agent and without profiling:
 * continuous wall, CPU and heap profiles that are uploaded every ten seconds, and an auto-profiler that takes nothing.
 */
export async function run(): Promise<BenchResult[]> {
  const full: Windows = { plain: [], continuous: [], auto: [] };
  const steady: Windows = { plain: [], continuous: [], auto: [] };
  const sink = createServer((request, response) => {
    request.resume().on('end', () => response.end());
  }).listen(0, '127.0.0.1');
  await once(sink, 'listening');
  const folder = mkdtempSync(join(tmpdir(), 'otel-vitals-bench-'));
  const env: Record<Name, NodeJS.ProcessEnv> = {
    plain: {},
    continuous: {
      PYROSCOPE_SERVER_ADDRESS: `http://127.0.0.1:${(sink.address() as AddressInfo).port}`,
      PYROSCOPE_FLUSH_INTERVAL_MS: '10000',
    },
    // The windows of load begin and end like faults; they are not to be captured.
    auto: {
      VITALS_AUTOPROFILE: 'true',
      VITALS_AUTOPROFILE_WARMUP_MS: '86400000',
      VITALS_CAPTURE_DIR: folder,
    },
  };
  try {
    for (let i = 0; i < trios; i++) await measureTrio(env, full, steady);
  } finally {
    sink.close();
    rmSync(folder, { recursive: true, force: true });
  }

  const row = (
    name: string,
    unit: string,
    which: Name,
    windows: Windows,
    figure: (window: Window) => number,
    goal: { least: number } | { most: number } | undefined,
  ): BenchResult => {
    const [ours, theirs] = [windows[which].map(figure), windows.plain.map(figure)];
    const ratio = median(ours.map((value, i) => value / theirs[i]!));
    return {
      name,
      ours: median(ours),
      peer: median(theirs),
      peerName: 'without it',
      unit,
      ratio,
      goal: goal === undefined ? '' : 'least' in goal ? `>= ${goal.least}` : `<= ${goal.most}`,
      met: goal === undefined ? undefined : 'least' in goal ? ratio >= goal.least : ratio <= goal.most,
    };
  };
  const rps = (window: Window): number => window.requestsPerSecond;
  const perCpuSecond = (window: Window): number => 1e6 / window.cpuMicroseconds;
  const p99 = (window: Window): number => window.p99Microseconds;
  const perSecond = 'requests/s';
  const perCpu = 'requests per CPU second';
  return [
    row('continuous profiling: throughput', perSecond, 'continuous', full, rps, { least: 0.95 }),
    row('continuous profiling: by CPU time', perCpu, 'continuous', full, perCpuSecond, undefined),
    row(`continuous profiling: p99 at ${steadyRate}/s`, 'us', 'continuous', steady, p99, { most: 1.05 }),
    row('idle auto-profiler: throughput', perSecond, 'auto', full, rps, { least: 0.99 }),
    row('idle auto-profiler: by CPU time', perCpu, 'auto', full, perCpuSecond, undefined),
  ];
}

async function measureTrio(
  env: Record<Name, NodeJS.ProcessEnv>,
  full: Windows,
  steady: Windows,
): Promise<void> {
  const servers = await Promise.all(
    names.map(async name => {
      const metricsPort = await freePort();
      const vars = measuredEnv({ OTEL_EXPORTER_PROMETHEUS_PORT: String(metricsPort), ...env[name] });
      return { ...(await startServer(jsonServer, nodeArgs, vars)), metricsPort };
    }),
  );
  const measure = async (into: Windows, count: number, rate: number): Promise<void> => {
    const windows = await load(servers, { rounds: count, windowMs, connections, rate });
    for (const [i, name] of names.entries()) into[name].push(...windows[i]!.slice(warmUp));
  };
  try {
    await measure(full, rounds, 0);
    await measure(steady, rounds / 2, steadyRate);
  } finally {
    for (const server of servers) await server.close();
  }
}
