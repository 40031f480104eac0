import { readFileSync } from 'node:fs';
import { jsonServer, load, measuredEnv, median, setups, startServer, type Window } from './spawned';
import type { BenchResult } from './types';

const pairs = 4;
const rounds = 18;
/** The first rounds warm the servers up. */
const warmUp = 3;
const windowMs = 500;
const connections = 32;
const off = { VITALS_LEAK_DETECTOR: 'off', VITALS_GC_TUNER: 'off' };

/** What diagnosis costs a loaded server in which nothing is wrong: CPU time of each request, and resident memory. */
export async function run(): Promise<BenchResult[]> {
  const cpu: [on: number, without: number][] = [];
  const rss: { on: number[]; without: number[] } = { on: [], without: [] };
  for (let i = 0; i < pairs; i++) {
    const servers = await Promise.all(
      [{}, off].map(env =>
        startServer(jsonServer, ['--min-semi-space-size=16', ...setups.vitals], measuredEnv(env)),
      ),
    );
    try {
      const targets = servers.map(({ port, pid }) => ({ port, pid, metricsPort: 0 }));
      const windows = await load(targets, { rounds, windowMs, connections, rate: 0 });
      const [on, without] = windows.map(all => all.slice(warmUp)) as [Window[], Window[]];
      cpu.push(
        ...on.map((window, n): [number, number] => [window.cpuMicroseconds, without[n]!.cpuMicroseconds]),
      );
      rss.on.push(residentMib(servers[0]!.pid));
      rss.without.push(residentMib(servers[1]!.pid));
    } finally {
      for (const server of servers) await server.close();
    }
  }
  const ratio = median(cpu.map(([on, without]) => on / without));
  const added = median(rss.on) - median(rss.without);
  const peerName = 'leak detector and gc tuner off';
  return [
    {
      name: 'diagnosis, CPU time',
      ours: median(cpu.map(([on]) => on)),
      peer: median(cpu.map(([, without]) => without)),
      peerName,
      unit: 'us per request',
      ratio,
      goal: '<= 1.01',
      met: ratio <= 1.01,
    },
    {
      name: 'diagnosis, resident memory',
      ours: median(rss.on),
      peer: median(rss.without),
      peerName,
      unit: 'MiB',
      ratio: median(rss.on) / median(rss.without),
      goal: 'at most 5 MiB added',
      met: added <= 5,
    },
  ];
}

function residentMib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
}
