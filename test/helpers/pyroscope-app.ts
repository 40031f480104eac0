import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import type { PyroscopeOptions } from '../../exporters/pyroscope';
import { type AppOptions, type Exit, repository, startApp } from './app';

export const pyroscopeApps = join(repository, 'test', 'fixtures', 'apps', 'use-pyroscope');

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
  prints(text: string): Promise<unknown>;
  readonly exited: Promise<Exit>;
  /** After exit. */
  report(): ExporterReport;
}

const folders: string[] = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A new folder in `parent`, removed with this process. */
export function buildFolder(parent = tmpdir()): string {
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'otel-vitals-test-'));
  folders.push(folder);
  return folder;
}

/** Bundles the exporter as the package's build does, and returns the file. */
export async function bundleExporter(): Promise<string> {
  // Inside the repository, so that it finds the dependencies.
  const outfile = join(buildFolder(join(repository, 'node_modules', '.cache')), 'pyroscope.js');
  await build({
    entryPoints: [join(repository, 'exporters', 'pyroscope.ts')],
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
    flushIntervalMs: 1000,
    wallSamplingDurationMs: 60_000,
    wallSamplingIntervalMicros: 2000,
    collectCpuTime: true,
    heapSamplingIntervalBytes: 64 * 1024,
    heapStackDepth: 64,
    sourceMaps: true,
    uploadTimeoutMs: 400,
    keepsRecent: false,
    ...more,
  };
}

/** Spawns an application of the fixture, by default under the agent. */
export function startFixture(app: string, options: AppOptions): App {
  const started = startApp(resolve(pyroscopeApps, app), options);
  return {
    get output() {
      return started.stdout();
    },
    get errors() {
      return started
        .stderr()
        .split('\n')
        .filter(line => line !== '');
    },
    kill: started.kill,
    prints: text => started.printed(new RegExp(text)),
    exited: started.exit,
    report() {
      const line = /^exporter (.*)$/m.exec(started.stdout())?.[1];
      if (line === undefined)
        throw new Error(`no report of the exporter: ${started.stdout()}${started.stderr()}`);
      return JSON.parse(line) as ExporterReport;
    },
  };
}

/** Spawns an application of the fixture with only the exporter preloaded, from `bundle`. */
export function startProfiledApp(
  bundle: string,
  app: string,
  options: PyroscopeOptions,
  env: Record<string, string> = {},
): App {
  return startFixture(app, {
    nodeArgs: ['--require', join(pyroscopeApps, 'preload.cjs')],
    env: { ...env, FIXTURE_BUNDLE: bundle, FIXTURE_OPTIONS: JSON.stringify(options) },
  });
}
