import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export const repository = join(__dirname, '..');
export const jsonServer = join(repository, 'bench/setups/json-server.cjs');
export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** Ways to start Node.js that are measured against each other, as arguments before the script. */
export const setups = {
  bare: [],
  vitals: ['--require', join(repository, 'instrumentation')],
  official: ['--require', join(repository, 'bench/setups/official.cjs')],
  auto: ['--require', '@opentelemetry/auto-instrumentations-node/register'],
} as const satisfies Record<string, readonly string[]>;
export type Setup = keyof typeof setups;

/** The environment of a measured process: all that is on by default, on free ports, and no exporter that pushes. */
export function measuredEnv(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { PATH: process.env['PATH'], HOME: process.env['HOME'] };
  return {
    ...env,
    OTEL_EXPORTER_PROMETHEUS_PORT: '0',
    OTEL_TRACES_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    OTEL_METRICS_EXPORTER: 'prometheus',
    OTEL_LOG_LEVEL: 'none',
    ...extra,
  };
}

/**
 * A command line that runs on one CPU, so that a server and what loads it do not take turns on the same one. As it
 * is where there is no taskset or one CPU only.
 *
 * @param place counts the CPUs that this process may use
 */
export function onCpu(place: number, command: readonly string[]): [string, ...string[]] {
  const cpu = allowedCpus()[place];
  return [...(cpu === undefined ? [] : ['taskset', '-c', String(cpu)]), ...command] as [string, ...string[]];
}

function allowedCpus(): number[] {
  if (spawnSync('taskset', ['--version']).status !== 0) return [];
  const list = /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  const cpus = list.split(',').flatMap(range => {
    const [from, to = from] = range.split('-').map(Number) as [number, number?];
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
  return cpus.length < 2 ? [] : cpus;
}

/** A port that nothing listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

export interface Server {
  readonly pid: number;
  readonly port: number;
  close(): Promise<void>;
}

/** Starts a server script that prints its port, under a set-up. */
export async function startServer(
  script: string,
  nodeArgs: readonly string[],
  env = measuredEnv(),
): Promise<Server> {
  const [command, ...args] = onCpu(0, [process.execPath, ...nodeArgs, script]);
  const child = spawn(command, args, { cwd: repository, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const stop = (): void => void child.kill('SIGKILL');
  process.once('exit', stop);
  child.stdout.setEncoding('utf8');
  let out = '';
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    out += chunk;
    if (/port \d+\n/.test(out)) break;
  }
  const port = /port (\d+)/.exec(out)?.[1];
  if (port === undefined) throw new Error(`Expected a port from ${nodeArgs.join(' ')}, got "${out}"`);
  return {
    pid: child.pid!,
    port: Number(port),
    async close() {
      process.removeListener('exit', stop);
      const gone = once(child, 'exit');
      stop();
      await gone;
    },
  };
}

/** A server to load, and where it serves metrics; 0 where it does not. */
export interface Target {
  readonly port: number;
  readonly pid: number;
  readonly metricsPort: number;
}

/** How `setups/load.cjs` loads; see there. */
export interface Load {
  readonly rounds: number;
  readonly windowMs: number;
  readonly connections: number;
  /** Requests per second; 0 for as many as are answered. */
  readonly rate: number;
}

/** What one window showed. */
export interface Window {
  readonly requestsPerSecond: number;
  /** The server's CPU time per request, all its threads. */
  readonly cpuMicroseconds: number;
  readonly p99Microseconds: number;
}

/** Loads servers in turn from a process of its own; gives the windows of each. */
export async function load(targets: readonly Target[], options: Load): Promise<Window[][]> {
  const script = join(repository, 'bench/setups/load.cjs');
  const [command, ...args] = onCpu(1, [process.execPath, script, JSON.stringify({ targets, ...options })]);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  const [out] = await Promise.all([text(child.stdout), exit]);
  if (child.exitCode !== 0)
    throw new Error(`Expected the load to end well, got exit status ${child.exitCode}`);
  return JSON.parse(out) as Window[][];
}
