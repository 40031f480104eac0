import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { build } from 'esbuild';
import type { CheckRecord, RequestRecord, SampleRecord } from '../fixtures/k6/records';
import { repository } from './app';
import type { ScenarioOptions } from './k6-options';

/** What a scenario file asks for, and what its functions did and found. */
export interface ScenarioRun {
  readonly options: ScenarioOptions;
  /** Names of the functions that the file exports. */
  readonly functions: readonly string[];
  readonly customMetrics: Readonly<Record<string, string>>;
  readonly checks: readonly CheckRecord[];
  readonly requests: readonly RequestRecord[];
  readonly samples: readonly SampleRecord[];
  readonly sleeps: readonly number[];
  /** What handleSummary returned: texts by where they go. */
  readonly summary: Readonly<Record<string, string>>;
}

const standIns = join(repository, 'test', 'fixtures', 'k6');

/** Names of the scenario files, without their ending. */
export const scenarioNames = readdirSync(join(repository, 'k6', 'scenarios')).map(file =>
  file.replace(/\.ts$/, ''),
);

/**
 * Runs a scenario file on stand-ins for k6's modules: setup, each scenario's function once, teardown and handleSummary,
 * with real requests, checks that are noted, and no sleep. This is a test double: it shows that the file and the shop
 * fit each other. Rates, thresholds and every figure of load are k6's alone.
 */
export function runScenario(name: string, env: Record<string, string>): Promise<ScenarioRun> {
  return runK6Code<ScenarioRun>(
    `import * as script from './k6/scenarios/${name}.ts';
     import { play } from '${standIns}/play.ts';
     play(script);`,
    env,
  );
}

/**
 * Runs TypeScript that imports from k6/, and returns what it gives to `print` of test/fixtures/k6/play.ts.
 *
 * @throws Error with what it wrote to stderr
 */
export async function runK6Code<T>(contents: string, env: Record<string, string> = {}): Promise<T> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: repository, loader: 'ts' },
    bundle: true,
    write: false,
    platform: 'node',
    define: { __ENV: JSON.stringify(env) },
    alias: Object.fromEntries(
      [
        ['k6', 'k6'],
        ['k6/http', 'http'],
        ['k6/execution', 'execution'],
        ['k6/metrics', 'metrics'],
      ].map(([module, file]) => [module, join(standIns, `${file}.ts`)]),
    ),
    logLevel: 'silent',
  });
  const child = spawn(process.execPath, ['-'], { stdio: ['pipe', 'pipe', 'pipe'], timeout: 60_000 });
  child.stdin.end(outputFiles[0]!.text);
  const closed = once(child, 'close');
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await closed;
  if (code !== 0) throw new Error(`Expected the scenario to run, got exit code ${code}: ${errors}`);
  return JSON.parse(output) as T;
}
