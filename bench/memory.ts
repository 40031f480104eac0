import { readFileSync } from 'node:fs';
import autocannon from 'autocannon';
import { jsonServer, median, type Setup, setups, startServer } from './spawned';
import type { BenchResult } from './types';

const rounds = 5;
const warmUpRequests = 20_000;

/** Memory that each set-up adds to a small HTTP server after the same warm-up, in interleaved runs. */
export async function run(): Promise<BenchResult[]> {
  const rss: Record<'bare' | 'vitals' | 'official', number[]> = { bare: [], vitals: [], official: [] };
  for (let round = 0; round < rounds; round++) {
    for (const name of ['bare', 'vitals', 'official'] as const) rss[name].push(await residentBytes(name));
  }
  const added = (name: keyof typeof rss): number => (median(rss[name]) - median(rss.bare)) / 2 ** 20;
  const ratio = added('vitals') / added('official');
  return [
    {
      name: 'memory after warm-up',
      ours: added('vitals'),
      peer: added('official'),
      peerName: 'sdk-node set-up',
      unit: 'MiB added',
      ratio,
      goal: '<= 0.5',
      met: ratio <= 0.5,
    },
  ];
}

async function residentBytes(setup: Setup): Promise<number> {
  const server = await startServer(jsonServer, ['--expose-gc', ...setups[setup]]);
  try {
    const url = `http://127.0.0.1:${server.port}`;
    await autocannon({ url, connections: 20, amount: warmUpRequests });
    // Garbage that one run has collected and another not yet is no difference between set-ups.
    await (await fetch(`${url}/gc`)).text();
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))![1]) * 1024;
  } finally {
    await server.close();
  }
}
