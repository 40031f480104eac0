import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export const repository = join(__dirname, '..');
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

/** The environment of a measured process: exporters that need a server are off, ports are free ones. */
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

/** Milliseconds from spawn to exit of a script that does nothing. */
export function runOnce(nodeArgs: readonly string[], env = measuredEnv()): number {
  const begin = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [...nodeArgs, '-e', 'process.exit(0)'], {
    cwd: repository,
    env,
    encoding: 'utf8',
  });
  if (status !== 0)
    throw new Error(`Expected exit status 0 of ${nodeArgs.join(' ')}, got ${status}: ${stderr}`);
  return performance.now() - begin;
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
  const child = spawn(process.execPath, [...nodeArgs, script], {
    cwd: repository,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stop = (): void => void child.kill('SIGKILL');
  process.once('exit', stop);
  child.stdout.setEncoding('utf8');
  let out = '';
  while (!/port (\d+)/.test(out)) out += String((await once(child.stdout, 'data'))[0]);
  return {
    pid: child.pid!,
    port: Number(/port (\d+)/.exec(out)![1]),
    async close() {
      process.removeListener('exit', stop);
      const gone = once(child, 'exit');
      stop();
      await gone;
    },
  };
}
