import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { build } from 'esbuild';
import { repository } from './app';

/** What one customer of a scenario did and found. */
export interface ScenarioRun {
  readonly checks: readonly { readonly name: string; readonly ok: boolean }[];
  readonly requests: readonly {
    readonly method: string;
    readonly url: string;
    readonly name: string | undefined;
    readonly status: number;
  }[];
}

const stub = join(repository, 'test', 'fixtures', 'k6', 'k6.ts');

/**
 * Runs a k6 scenario's default function once, on a stand-in for k6: real requests, checks that are noted, no sleep. It
 * shows that the scenario and the shop fit each other; k6 itself, its options and its thresholds are not in it.
 */
export async function runScenario(file: string, env: Record<string, string>): Promise<ScenarioRun> {
  const { outputFiles } = await build({
    stdin: {
      contents: `import customer from './${file}'; import { report } from 'k6'; customer(); report();`,
      resolveDir: repository,
      loader: 'ts',
    },
    bundle: true,
    write: false,
    platform: 'node',
    define: { __ENV: JSON.stringify(env) },
    alias: { k6: stub, 'k6/http': join(repository, 'test', 'fixtures', 'k6', 'http.ts') },
    logLevel: 'silent',
  });
  const child = spawn(process.execPath, ['-'], { stdio: ['pipe', 'pipe', 'pipe'], timeout: 60_000 });
  child.stdin.end(outputFiles[0]!.text);
  const closed = once(child, 'close');
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await closed;
  if (code !== 0) throw new Error(`Expected the scenario to run, got exit code ${code}: ${errors}`);
  return JSON.parse(output) as ScenarioRun;
}
