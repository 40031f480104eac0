import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { repository } from './spawned';

/** Loads a module as the package ships it: bundled and minified, without what tsx adds for the sake of tests. */
export async function loadBundled<T>(entry: string): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'otel-vitals-bench-'));
  try {
    const outfile = join(folder, 'bundle.cjs');
    await build({
      absWorkingDir: repository,
      entryPoints: [entry],
      outfile,
      bundle: true,
      platform: 'node',
      target: 'node20.6',
      mainFields: ['module', 'main'],
      format: 'cjs',
      minifySyntax: true,
      minifyWhitespace: true,
      logLevel: 'warning',
    });
    return require(outfile) as T;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
