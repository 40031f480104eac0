// Runs the benchmarks and prints one table. `npm run bench -- startup memory` runs only those named.

import { availableParallelism, cpus, loadavg } from 'node:os';
import type { BenchResult } from './types';

const benches: Record<string, () => Promise<{ run(): Promise<BenchResult[]> }>> = {
  startup: () => import('./startup'),
  memory: () => import('./memory'),
  'http-throughput': () => import('./http-throughput'),
  profiling: () => import('./profiling'),
  'prometheus-serialization': () => import('./prometheus-serialization'),
  'object-pool': () => import('./object-pool'),
  channel: () => import('./channel'),
  'worker-pool': () => import('./worker-pool'),
  lock: () => import('./lock'),
  cache: () => import('./cache'),
  database: () => import('./database'),
  network: () => import('./network'),
  'network-server': () => import('./network-server'),
  instruments: () => import('./instruments'),
  'gc-advice': () => import('./gc-advice'),
  diagnosis: () => import('./diagnosis'),
};

/** The labs of docs/labs, which are run by name alone. */
const labs: typeof benches = {
  'lab-inefficient-function': () => import('./labs/inefficient-function'),
  'lab-leaks': () => import('./labs/leaks'),
  'lab-pool-sizes': () => import('./labs/pool-sizes'),
  'lab-cache-writes': () => import('./labs/cache-writes'),
  'lab-compression': () => import('./labs/compression'),
  'lab-connections': () => import('./labs/connections'),
};
const all = { ...benches, ...labs };

async function main(): Promise<void> {
  const named = process.argv.slice(2);
  if (named.includes('--help') || named.includes('-h')) {
    console.log(
      `npm run bench -- [benchmark ...]: all of ${Object.keys(benches).join(', ')}, or those named, also of ` +
        `the labs ${Object.keys(labs).join(', ')}`,
    );
    return;
  }
  const unknown = named.filter(name => !(name in all));
  if (unknown.length > 0) {
    console.error(`unknown benchmark ${unknown.join(', ')}; known: ${Object.keys(all).join(', ')}`);
    process.exitCode = 2;
    return;
  }
  const loadBefore = loadavg();
  const results: BenchResult[] = [];
  for (const name of named.length > 0 ? named : Object.keys(benches)) {
    console.error(`running ${name} ...`);
    results.push(...(await (await all[name]!()).run()));
  }
  const figure = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2));
  const rows = results.map(result => [
    result.name,
    `${figure(result.ours)} ${result.unit}`,
    `${figure(result.peer)} (${result.peerName})`,
    result.ratio.toFixed(2),
    result.goal,
    result.met === undefined ? '' : result.met ? 'met' : 'MISSED',
  ]);
  const header = ['benchmark', 'otel-vitals', 'beside it', 'ratio', 'goal', ''];
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map(row => row[i]!.length)));
  const load = loadBefore.map(average => average.toFixed(1)).join(' ');
  console.log(
    `Node.js ${process.version}, ${availableParallelism()} CPUs (${cpus()[0]?.model}), load average before ${load}; ` +
      'medians of interleaved runs\n',
  );
  for (const row of [header, ...rows])
    console.log(
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    );
  if (results.some(result => result.met === false)) process.exitCode = 1;
}

void main();
