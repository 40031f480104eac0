import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import type { PyroscopeOptions } from '../../exporters/pyroscope';

const root = join(__dirname, '..', '..');
export const pyroscopeApps = join(root, 'test', 'fixtures', 'apps', 'use-pyroscope');

/** What the fixture's preload prints at exit. */
export interface ExporterReport {
  uploads: { wall: number; heap: number };
  failures: { wall: number; heap: number };
  lastError?: string;
  startMs: number;
  stopMs?: number;
}

/** A spawned application. */
export interface App {
  readonly output: string;
  /** Its stderr, line by line. */
  readonly errors: string[];
  kill(signal: NodeJS.Signals): void;
  /** Resolves when stdout contains `text`. */
  prints(text: string): Promise<void>;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null; ms: number }>;
  /** After exit. */
  report(): ExporterReport;
}

/** A new folder in `parent`, removed with this process. */
export function buildFolder(parent = tmpdir()): string {
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'otel-vitals-test-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Bundles the exporter as the package's build does, and returns the file. */
export async function bundleExporter(): Promise<string> {
  // Inside the repository, so that it finds the dependencies.
  const outfile = join(buildFolder(join(root, 'node_modules', '.cache')), 'pyroscope.js');
  await build({
    entryPoints: [join(root, 'exporters', 'pyroscope.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20.6',
    format: 'cjs',
    external: ['@pyroscope/nodejs', '@opentelemetry/api'],
    logLevel: 'warning',
  });
  return outfile;
}

/** Complete options with short windows. */
export function pyroscopeOptions(
  serverAddress: string,
  more: Partial<PyroscopeOptions> = {},
): PyroscopeOptions {
  return {
    serverAddress,
    applicationName: 'shop',
    tags: {},
    flushIntervalMs: 600,
    wallSamplingDurationMs: 60_000,
    wallSamplingIntervalMicros: 2000,
    collectCpuTime: true,
    heapSamplingIntervalBytes: 64 * 1024,
    heapStackDepth: 64,
    sourceMaps: true,
    uploadTimeoutMs: 400,
    ...more,
  };
}

/** Spawns `node ...args` in an environment without the caller's Node.js options. */
export function startApp(args: string[], env: Record<string, string> = {}, node = process.execPath): App {
  const from = performance.now();
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  const child = spawn(node, args, {
    cwd: root,
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null; ms: number }>(resolve => {
    child.on('close', (code, signal) => resolve({ code, signal, ms: performance.now() - from }));
  });
  child.stdout.on('data', chunk => {
    output += chunk;
  });
  child.stderr.on('data', chunk => {
    errors += chunk;
  });
  const lines = () => errors.split('\n').filter(line => line !== '');
  return {
    get output() {
      return output;
    },
    get errors() {
      return lines();
    },
    kill: signal => void child.kill(signal),
    prints: text =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (output.includes(text)) resolve();
        };
        child.stdout.on('data', look);
        child.on('close', () => reject(new Error(`ended without printing "${text}": ${output}${errors}`)));
        look();
      }),
    exited,
    report() {
      const line = /^exporter (.*)$/m.exec(output)?.[1];
      if (line === undefined) throw new Error(`no report of the exporter: ${output}${errors}`);
      return JSON.parse(line) as ExporterReport;
    },
  };
}

/** Spawns an application of the fixture with the exporter preloaded from `bundle`. */
export function startProfiledApp(
  bundle: string,
  app: string,
  options: PyroscopeOptions,
  env: Record<string, string> = {},
  node = process.execPath,
): App {
  return startApp(
    ['--require', join(pyroscopeApps, 'preload.cjs'), resolve(pyroscopeApps, app)],
    { ...env, FIXTURE_BUNDLE: bundle, FIXTURE_OPTIONS: JSON.stringify(options) },
    node,
  );
}
