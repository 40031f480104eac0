import { type AppOptions, folderWith, preload, runApp } from './app';
import { Samples } from './samples';

/** What every scenario may use: its own metrics, collections, work and a way to report. */
const prelude = `
  const { performance, PerformanceObserver, constants } = require('node:perf_hooks');
  const v8 = require('node:v8');
  const { setTimeout: sleep } = require('node:timers/promises');
  /** Scrapes this very process. */
  async function metrics() {
    const { url } = await globalThis[Symbol.for('otel-vitals.agent')].prometheus;
    return await (await fetch(url)).text();
  }
  function block(ms) { const end = performance.now() + ms; while (performance.now() < end); }
  /** Scrapes between two readings of the truth. */
  async function between(read) { const before = read(); const text = await metrics(); return { before, text, after: read() }; }
  function report(result) { require('node:fs').writeSync(1, JSON.stringify(result) + '\\n'); process.exit(0); }
`;

/**
 * Runs code in an application under the agent and gives what it reported.
 *
 * The code is the body of an async function. It sees `metrics`, `between`, `block`, `sleep` and `report`.
 */
export async function runScenario<T>(code: string, options: AppOptions = {}): Promise<T> {
  const files = folderWith({
    'scenario.js': `${prelude}
      (async () => { ${code} })().catch(error => { console.error(error); process.exit(70); });`,
  });
  const exit = await runApp(files.path('scenario.js'), {
    nodeArgs: ['--expose-gc', '--require', preload],
    ...options,
  });
  if (exit.code !== 0) throw new Error(`Expected the scenario to end well, got ${exit.code}: ${exit.stderr}`);
  return JSON.parse(exit.stdout) as T;
}

/** A scrape, and what was true just before and just after it. */
export interface Between<Truth> {
  readonly before: Truth;
  readonly text: string;
  readonly after: Truth;
}

/** Fails unless the value lies between the two readings, with a margin on both sides. */
export function assertBetween(value: number | undefined, before: number, after: number, margin = 0): void {
  const [low, high] = [Math.min(before, after) - margin, Math.max(before, after) + margin];
  if (value === undefined || !(value >= low && value <= high)) {
    throw new Error(`Expected a value from ${low} to ${high}, got ${value}`);
  }
}

export const samplesOf = (text: string): Samples => new Samples(text);
