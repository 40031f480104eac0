// Writes every generated file of the repository; with --check names each that is stale, and ends with status 1.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { grafanaFiles } from '../grafana/src';
import { docsFiles } from './generators/docs';
import { faultsFiles } from './generators/faults';

/** Each gives paths from the repository's root and their content. */
const generators: readonly (() => Map<string, string>)[] = [grafanaFiles, docsFiles, faultsFiles];

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const check = process.argv.includes('--check');
let stale = 0;

for (const [path, content] of generators.flatMap(generate => [...generate()])) {
  const file = join(root, path);
  if (current(file) === content) continue;
  if (check) {
    stale++;
    console.error(`stale: ${path}`);
    continue;
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  console.log(`wrote ${path}`);
}
if (stale > 0) {
  console.error('run `npm run generate`');
  process.exitCode = 1;
}

function current(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
