import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, type AppOptions, repository, startApp } from './app';
import { type DecodedPprof, decodePprof } from './pprof';

export const profilingApps = join(repository, 'test', 'fixtures', 'apps', 'use-profiling');

const folders: string[] = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A spawned application with the admin server. */
export interface AdminApp {
  readonly app: App;
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** Where its captures lie: a folder of its own. */
  readonly folder: string;
  get(path: string, init?: RequestInit): Promise<Response>;
  post(path: string, init?: RequestInit): Promise<Response>;
  pprof(path: string): Promise<DecodedPprof>;
  json<T = Record<string, unknown>>(path: string): Promise<T>;
  /** Ends it, and fails where it had ended by itself. */
  end(): Promise<void>;
}

/** Starts an application, by name of the fixture or path, and waits for its admin server. */
export async function startAdminApp(script: string, options: AppOptions = {}): Promise<AdminApp> {
  const folder = mkdtempSync(join(tmpdir(), 'otel-vitals-test-'));
  folders.push(folder);
  const app = startApp(script.includes('/') ? script : join(profilingApps, script), {
    timeoutMs: 120_000,
    ...options,
    env: {
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_SERVICE_NAME: 'shop',
      VITALS_ADMIN: 'true',
      VITALS_ADMIN_PORT: '0',
      VITALS_CAPTURE_DIR: folder,
      ...options.env,
    },
  });
  const [, address] = await app.printed(/the admin server is at (\S+)\//, 'stderr');
  const url = address!;
  const get = (path: string, init: RequestInit = {}) => fetch(url + path, init);
  const checked = async (path: string): Promise<Response> => {
    const response = await get(path);
    if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  return {
    app,
    url,
    folder,
    get,
    post: (path, init = {}) => get(path, { method: 'POST', ...init }),
    pprof: async path => decodePprof(new Uint8Array(await (await checked(path)).arrayBuffer())),
    json: async path => (await checked(path)).json() as never,
    async end() {
      const { exitCode, signalCode } = app.process;
      if (exitCode !== null || signalCode !== null) {
        throw new Error(`the application had ended, with ${exitCode ?? signalCode}: ${app.stderr()}`);
      }
      app.kill('SIGKILL');
      await app.exit;
    },
  };
}

/** Go's own viewer, where Go is installed. */
export const go: string | undefined =
  spawnSync('go', ['version'], { stdio: 'ignore' }).status === 0 ? 'go' : undefined;

/** What `go tool pprof -top` prints of a profile. @throws with its error output */
export function goTop(source: string, ...options: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'otel-vitals-test-'));
  try {
    const { status, stdout, stderr } = spawnSync('go', ['tool', 'pprof', '-top', ...options, source], {
      encoding: 'utf8',
      env: { ...process.env, PPROF_TMPDIR: folder },
      // Go builds the tool when it is first used.
      timeout: 600_000,
    });
    if (status !== 0) throw new Error(`go tool pprof ${source}: ${stderr}`);
    return stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
