import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const repository = join(__dirname, '..', '..');
export const preload = join(repository, 'instrumentation');
export const register = join(repository, 'instrumentation', 'register.mjs');

/** The Node.js that applications run on: the one that runs the tests, or another of the matrix. */
export const nodeBinary = process.env['TEST_NODE'] ?? process.execPath;

export interface AppOptions {
  /** Arguments of node before the script. Default: `--require` of the checkout. */
  readonly nodeArgs?: readonly string[];
  /** Arguments after the script. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly ipc?: boolean;
  /** Milliseconds after which the application is killed and the test fails. */
  readonly timeoutMs?: number;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** From spawn to exit. */
  readonly ms: number;
}

/** A spawned application. */
export interface App {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly exit: Promise<Exit>;
  stdout(): string;
  stderr(): string;
  /** Resolves with the match as soon as what was printed has one. */
  printed(pattern: RegExp, stream?: 'stdout' | 'stderr'): Promise<RegExpExecArray>;
  /** Where the metrics are, as the agent says on stderr when its port is 0. */
  metricsUrl(): Promise<string>;
  kill(signal?: NodeJS.Signals): void;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** The environment of a spawned application: nothing of the test run's own reaches it. */
function cleanEnv(extra: AppOptions['env'] = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (/^(OTEL_|VITALS_|PYROSCOPE_|NODE_OPTIONS$|NODE_TEST|NODE_V8)/.test(name)) continue;
    env[name] = value;
  }
  env['OTEL_EXPORTER_PROMETHEUS_PORT'] = '0';
  for (const [name, value] of Object.entries(extra)) {
    if (value === undefined) delete env[name];
    else env[name] = value;
  }
  return env;
}

/** Starts `script` (a path, or source text after `-e`) under the agent. */
export function startApp(script: string | readonly string[], options: AppOptions = {}): App {
  const { nodeArgs = ['--require', preload], args = [], cwd, timeoutMs = 30_000 } = options;
  const target = typeof script === 'string' ? [script] : script;
  const spawnOptions: SpawnOptions = {
    env: cleanEnv(options.env),
    stdio: ['ignore', 'pipe', 'pipe', ...(options.ipc ? (['ipc'] as const) : [])],
    ...(cwd === undefined ? {} : { cwd }),
  };
  const begin = performance.now();
  const child = spawn(nodeBinary, [...nodeArgs, ...target, ...args], spawnOptions);
  running.add(child);
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]!.setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
      child.emit('output');
    });
  }
  const timer = setTimeout(() => {
    output.stderr += `\n[test] killed after ${timeoutMs} ms`;
    child.kill('SIGKILL');
  }, timeoutMs);
  const exit = new Promise<Exit>((resolve, reject) => {
    let ms = 0;
    child.once('error', reject);
    child.once('exit', () => {
      ms = performance.now() - begin;
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      running.delete(child);
      child.emit('output');
      resolve({ code, signal, ...output, ms });
    });
  });
  const printed = async (
    pattern: RegExp,
    stream: 'stdout' | 'stderr' = 'stdout',
  ): Promise<RegExpExecArray> => {
    for (;;) {
      const match = pattern.exec(output[stream]);
      if (match !== null) return match;
      if (!running.has(child)) {
        throw new Error(
          `Expected ${pattern} on ${stream}, got end of process\n${output.stdout}\n${output.stderr}`,
        );
      }
      await once(child, 'output');
    }
  };
  return {
    process: child,
    pid: child.pid!,
    exit,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    printed,
    metricsUrl: async () => (await printed(/metrics are served at (\S+)/, 'stderr'))[1]!,
    kill: signal => void child.kill(signal ?? 'SIGKILL'),
  };
}

/** Runs an application to its end. */
export function runApp(script: string | readonly string[], options?: AppOptions): Promise<Exit> {
  return startApp(script, options).exit;
}

/** Writes files into a temporary folder that goes when the test process ends; paths by their names. */
export function folderWith(files: Readonly<Record<string, string>>): {
  dir: string;
  path(name: string): string;
} {
  const dir = mkdtempSync(join(tmpdir(), 'otel-vitals-test-'));
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    const path = join(dir, name);
    if (dirname(path) !== dir) mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return { dir, path: name => join(dir, name) };
}

/** The text of a metrics endpoint. */
export async function scrape(url: string): Promise<string> {
  const response = await fetch(url, { headers: { connection: 'close' } });
  if (response.status !== 200) throw new Error(`Expected 200 from ${url}, got ${response.status}`);
  return response.text();
}
